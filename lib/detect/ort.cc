#include "detect/ort.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "base/fd.h"
#include "base/text.h"
#include "detect/places.h"

namespace fp::detect {
namespace {

constexpr std::uint32_t kApiVersion = 12;

// Where a function stands in the table of the API, counted from 0. The table is only ever appended to: its makers'
// promise (docs/Versioning.md of ONNX Runtime). Found in onnxruntime_c_api.h, and each called by the tests.
namespace slot {
constexpr std::size_t kGetErrorMessage = 2;
constexpr std::size_t kCreateEnv = 3;
constexpr std::size_t kCreateSessionFromArray = 8;
constexpr std::size_t kRun = 9;
constexpr std::size_t kCreateSessionOptions = 10;
constexpr std::size_t kSetGraphOptimization = 23;
constexpr std::size_t kSetIntraOpThreads = 24;
constexpr std::size_t kSetInterOpThreads = 25;
constexpr std::size_t kInputCount = 30;
constexpr std::size_t kOutputCount = 31;
constexpr std::size_t kInputTypeInfo = 33;
constexpr std::size_t kOutputTypeInfo = 34;
constexpr std::size_t kInputName = 36;
constexpr std::size_t kOutputName = 37;
constexpr std::size_t kCreateTensorWithData = 49;
constexpr std::size_t kTensorData = 51;
constexpr std::size_t kCastTypeInfo = 55;
constexpr std::size_t kElementType = 60;
constexpr std::size_t kDimensionsCount = 61;
constexpr std::size_t kDimensions = 62;
constexpr std::size_t kTensorTypeAndShape = 65;
constexpr std::size_t kCreateCpuMemoryInfo = 69;
constexpr std::size_t kAllocatorFree = 76;
constexpr std::size_t kDefaultAllocator = 78;
constexpr std::size_t kReleaseEnv = 92;
constexpr std::size_t kReleaseStatus = 93;
constexpr std::size_t kReleaseMemoryInfo = 94;
constexpr std::size_t kReleaseSession = 95;
constexpr std::size_t kReleaseValue = 96;
constexpr std::size_t kReleaseTypeInfo = 98;
constexpr std::size_t kReleaseTensorInfo = 99;
constexpr std::size_t kReleaseSessionOptions = 100;
constexpr std::size_t kModelMetadata = 111;
constexpr std::size_t kLookupMetadata = 116;
constexpr std::size_t kReleaseModelMetadata = 118;
constexpr std::size_t kAddConfigEntry = 130;
}  // namespace slot

constexpr int kFloat = 1;     // ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT
constexpr int kLogFatal = 4;  // ORT_LOGGING_LEVEL_FATAL: what fails is told by its status
constexpr int kAllOptimizations = 99;
constexpr int kArenaAllocator = 1;
constexpr int kDefaultMemory = 0;

struct ApiBase {
  const void* (*get_api)(std::uint32_t version);
  const char* (*version)();
};

using Status = void*;
using Release = void(void*);

// Whatever the API gives, and must be given back.
class Owned {
 public:
  explicit Owned(Release* release) : release_(release) {}
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  ~Owned() {
    if (raw_ != nullptr) release_(raw_);
  }
  [[nodiscard]] void** out() { return &raw_; }
  [[nodiscard]] void* get() const { return raw_; }

 private:
  Release* release_;
  void* raw_ = nullptr;
};

// One line of it: the library's messages carry whole graphs.
std::string in_one_line(const char* message) { return printable(trim(std::string_view(message)), 300); }

Result<std::string> read_model(const std::string& path) {
  constexpr off_t kMostBytes = off_t{2} << 30;  // what one protobuf message can be
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return fail(io_error("--model " + path));
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return fail(io_error("--model " + path));
  if (!S_ISREG(info.st_mode)) return fail({Error::Kind::Malformed, 0, "--model " + path + ": is not a regular file"});
  if (info.st_size >= kMostBytes) return fail({Error::Kind::TooLarge, 0, "--model " + path + ": is over 2 GiB"});
  std::string bytes(static_cast<std::size_t>(info.st_size), '\0');
  std::size_t have = 0;
  while (have < bytes.size()) {
    const ssize_t got = ::read(file.get(), bytes.data() + have, bytes.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(io_error("--model " + path));
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  bytes.resize(have);
  if (bytes.empty())
    return fail({Error::Kind::Malformed, 0, "--model " + path + ": is empty (give a whole .onnx file)"});
  return bytes;
}

constexpr const char* kMend =
    " (run framepipe-install-onnxruntime, scripts/install-onnxruntime in the sources, or name libonnxruntime.so.1 with "
    "--ort-lib)";

// The sides of an OrtTensorTypeAndShapeInfo.
Result<Done> read_shape(const OrtLibrary& ort, const void* info, Shape& shape) {
  std::size_t sides = 0;
  auto* const count = ort.at<Status(const void*, std::size_t*)>(slot::kDimensionsCount);
  if (auto done = ort.check(count(info, &sides), "shape"); !done) return done;
  shape.resize(sides);
  auto* const read = ort.at<Status(const void*, std::int64_t*, std::size_t)>(slot::kDimensions);
  return ort.check(read(info, shape.data(), sides), "shape");
}

// Borrows the values of an OrtValue.
Result<Tensor> view(const OrtLibrary& ort, void* value) {
  Owned info(ort.at<Release>(slot::kReleaseTensorInfo));
  Tensor tensor;
  void* data = nullptr;
  auto done = ort.check(ort.at<Status(const void*, void**)>(slot::kTensorTypeAndShape)(value, info.out()), "output");
  if (done) done = read_shape(ort, info.get(), tensor.shape);
  if (done) done = ort.check(ort.at<Status(void*, void**)>(slot::kTensorData)(value, &data), "output");
  if (!done) return fail(std::move(done).error());
  std::size_t count = 1;
  for (const std::int64_t side : tensor.shape) count *= static_cast<std::size_t>(side);
  tensor.values = {static_cast<const float*>(data), count};
  return tensor;
}

}  // namespace

Result<std::shared_ptr<const OrtLibrary>> OrtLibrary::load(const std::string& path) {
  std::string asked = path;
  std::string by = "--ort-lib ";  // whoever named it
  const char* const from_environment = std::getenv("FRAMEPIPE_ORT_LIB");
  if (asked.empty() && from_environment != nullptr) {
    asked = from_environment;
    by = "FRAMEPIPE_ORT_LIB=";
  }
  std::vector<std::string> names;
  if (!asked.empty()) {
    names.push_back(asked);
  } else {
    names = {"libonnxruntime.so", "libonnxruntime.so.1"};
    for (const std::string& place : library_places("libonnxruntime.so.1")) names.push_back(place);
  }
  // Builds of its makers since 1.29 send them the model's name and hashes and this machine's id, and keep what is not
  // sent yet in ~/.cache. It is read once, when the environment is made.
  ::setenv("ORT_DISABLE_TELEMETRY", "1", /*overwrite=*/1);
  void* handle = nullptr;
  std::string why = "ONNX Runtime is not installed";
  for (const std::string& name : names) {
    // A name with a slash is a file; others are looked for as the dynamic linker does.
    if (name.find('/') != std::string::npos && ::access(name.c_str(), R_OK) != 0) {
      if (!asked.empty()) why = by + io_error(name).text;
      continue;
    }
    handle = ::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle != nullptr) {
      asked = name;
      break;
    }
    // That there is none by a bare name is no news; a file that is there and cannot be loaded is.
    const std::string error = in_one_line(::dlerror());
    if (!asked.empty() || name.find('/') != std::string::npos) why = (asked.empty() ? name : by + name) + ": " + error;
  }
  const auto unusable = [&](const std::string& text) { return fail({Error::Kind::Unsupported, 0, text}); };
  if (handle == nullptr) return unusable(why + kMend);
  using GetBase = const ApiBase*();
  auto* const get_base = reinterpret_cast<GetBase*>(::dlsym(handle, "OrtGetApiBase"));
  if (get_base == nullptr) return unusable(asked + ": is no ONNX Runtime: it has no OrtGetApiBase" + kMend);
  const ApiBase* const base = get_base();
  std::shared_ptr<OrtLibrary> library(new OrtLibrary);
  library->path_ = asked;
  library->version_ = base->version();
  library->table_ = static_cast<void* const*>(base->get_api(kApiVersion));
  if (library->table_ == nullptr) {
    return unusable(asked + ": ONNX Runtime " + library->version_ + " is too old: 1.12 or newer is needed" + kMend);
  }
  auto* const create = library->at<Status(int, const char*, void**)>(slot::kCreateEnv);
  const auto made =
      library->check(create(kLogFatal, "framepipe", &library->environment_), "ONNX Runtime cannot be started");
  if (!made) return fail(made.error());
  return library;
}

OrtLibrary::~OrtLibrary() {
  if (environment_ != nullptr) at<Release>(slot::kReleaseEnv)(environment_);
}

Result<Done> OrtLibrary::check(void* status, const std::string& doing) const {
  if (status == nullptr) return Done{};
  std::string text = doing + ": " + in_one_line(at<const char*(const void*)>(slot::kGetErrorMessage)(status));
  at<Release>(slot::kReleaseStatus)(status);
  return fail({Error::Kind::Malformed, 0, std::move(text)});
}

Result<std::unique_ptr<OrtSession>> OrtSession::open(std::shared_ptr<const OrtLibrary> library,
                                                     const std::string& model_path, int threads) {
  const auto model = read_model(model_path);
  if (!model) return fail(model.error());
  std::unique_ptr<OrtSession> session(new OrtSession(std::move(library)));
  if (auto made = session->make(*model, threads); !made) {
    return fail(std::move(made).error().in("--model " + model_path));
  }
  return session;
}

Result<Done> OrtSession::make(const std::string& model, int threads) {
  const OrtLibrary& ort = *library_;
  Owned options(ort.at<Release>(slot::kReleaseSessionOptions));
  using SetNumber = Status(void*, int);
  const auto set = [&](std::size_t where, int value) {
    return ort.check(ort.at<SetNumber>(where)(options.get(), value), "options");
  };
  auto created = ort.check(ort.at<Status(void**)>(slot::kCreateSessionOptions)(options.out()), "options");
  if (!created) return created;
  if (auto done = set(slot::kSetGraphOptimization, kAllOptimizations); !done) return done;
  if (auto done = set(slot::kSetIntraOpThreads, threads); !done) return done;
  if (auto done = set(slot::kSetInterOpThreads, 1); !done) return done;
  // Its threads would go on spinning for a while after each run: processor time that cameras and viewers need.
  auto* const configure = ort.at<Status(void*, const char*, const char*)>(slot::kAddConfigEntry);
  if (auto done = ort.check(configure(options.get(), "session.intra_op.allow_spinning", "0"), "options"); !done) {
    return done;
  }
  auto* const create =
      ort.at<Status(const void*, const void*, std::size_t, const void*, void**)>(slot::kCreateSessionFromArray);
  if (auto done = ort.check(create(ort.environment(), model.data(), model.size(), options.get(), &session_),
                            "ONNX Runtime cannot load it");
      !done) {
    return malformed(done.error().text + " (is it a whole .onnx file, of an opset that ONNX Runtime " + ort.version() +
                     " knows?)");
  }
  auto* const memory = ort.at<Status(int, int, void**)>(slot::kCreateCpuMemoryInfo);
  if (auto done = ort.check(memory(kArenaAllocator, kDefaultMemory, &memory_), "memory"); !done) return done;
  auto inputs = describe(true);
  if (!inputs) return fail(std::move(inputs).error());
  auto outputs = describe(false);
  if (!outputs) return fail(std::move(outputs).error());
  inputs_ = std::move(*inputs);
  outputs_ = std::move(*outputs);
  for (const TensorInfo& output : outputs_) {
    if (output.is_float) asked_.push_back(output.name.c_str());
  }
  return Done{};
}

OrtSession::~OrtSession() {
  release_outputs();
  if (memory_ != nullptr) library_->at<Release>(slot::kReleaseMemoryInfo)(memory_);
  if (session_ != nullptr) library_->at<Release>(slot::kReleaseSession)(session_);
}

void OrtSession::release_outputs() {
  results_.clear();
  for (void* value : values_) {
    if (value != nullptr) library_->at<Release>(slot::kReleaseValue)(value);
  }
  values_.clear();
}

Result<std::vector<TensorInfo>> OrtSession::describe(bool inputs) const {
  const OrtLibrary& ort = *library_;
  using Count = Status(const void*, std::size_t*);
  using Name = Status(const void*, std::size_t, void*, char**);
  using Info = Status(const void*, std::size_t, void**);
  auto* const get_name = ort.at<Name>(inputs ? slot::kInputName : slot::kOutputName);
  auto* const get_info = ort.at<Info>(inputs ? slot::kInputTypeInfo : slot::kOutputTypeInfo);
  auto* const cast = ort.at<Status(const void*, const void**)>(slot::kCastTypeInfo);
  auto* const element_type = ort.at<Status(const void*, int*)>(slot::kElementType);
  void* allocator = nullptr;
  auto done = ort.check(ort.at<Status(void**)>(slot::kDefaultAllocator)(&allocator), "memory");
  std::size_t count = 0;
  if (done) done = ort.check(ort.at<Count>(inputs ? slot::kInputCount : slot::kOutputCount)(session_, &count), "model");
  std::vector<TensorInfo> all(count);
  for (std::size_t i = 0; done && i < count; ++i) {
    char* name = nullptr;
    Owned type(ort.at<Release>(slot::kReleaseTypeInfo));
    const void* info = nullptr;  // a part of `type`; none: it is no tensor
    int element = 0;
    done = ort.check(get_name(session_, i, allocator, &name), "model");
    if (!done) break;
    all[i].name = name;
    (void)ort.check(ort.at<Status(void*, void*)>(slot::kAllocatorFree)(allocator, name), "memory");
    done = ort.check(get_info(session_, i, type.out()), "model");
    if (done) done = ort.check(cast(type.get(), &info), "model");
    if (!done || info == nullptr) {
      all[i].is_float = false;
      continue;
    }
    done = ort.check(element_type(info, &element), "model");
    all[i].is_float = element == kFloat;
    if (done) done = read_shape(ort, info, all[i].shape);
  }
  if (!done) return fail(std::move(done).error());
  return all;
}

std::string OrtSession::metadata(const std::string& key) const {
  const OrtLibrary& ort = *library_;
  void* allocator = nullptr;
  Owned metadata(ort.at<Release>(slot::kReleaseModelMetadata));
  if (!ort.check(ort.at<Status(void**)>(slot::kDefaultAllocator)(&allocator), "memory")) return "";
  auto* const get = ort.at<Status(const void*, void**)>(slot::kModelMetadata);
  if (!ort.check(get(session_, metadata.out()), "metadata")) return "";
  char* value = nullptr;
  auto* const look_up = ort.at<Status(const void*, void*, const char*, char**)>(slot::kLookupMetadata);
  if (!ort.check(look_up(metadata.get(), allocator, key.c_str(), &value), "metadata") || value == nullptr) return "";
  std::string text = value;
  (void)ort.check(ort.at<Status(void*, void*)>(slot::kAllocatorFree)(allocator, value), "memory");
  return text;
}

Result<std::span<const Tensor>> OrtSession::run(std::span<const float> values, const Shape& shape) {
  release_outputs();
  const OrtLibrary& ort = *library_;
  Owned input(ort.at<Release>(slot::kReleaseValue));
  using Wrap = Status(const void*, void*, std::size_t, const std::int64_t*, std::size_t, int, void**);
  // The API takes a pointer to what it may write, and does not write to inputs.
  const auto wrapped = ort.check(
      ort.at<Wrap>(slot::kCreateTensorWithData)(memory_, const_cast<float*>(values.data()), values.size_bytes(),
                                                shape.data(), shape.size(), kFloat, input.out()),
      "the model's input");
  if (!wrapped) return fail(wrapped.error());
  const char* const input_name = inputs_.front().name.c_str();
  const void* const input_value = input.get();
  values_.assign(asked_.size(), nullptr);
  using Run = Status(void*, const void*, const char* const*, const void* const*, std::size_t, const char* const*,
                     std::size_t, void**);
  const auto ran = ort.check(ort.at<Run>(slot::kRun)(session_, nullptr, &input_name, &input_value, 1, asked_.data(),
                                                     asked_.size(), values_.data()),
                             "the model cannot run");
  if (!ran) {
    release_outputs();
    return fail(ran.error());
  }
  results_.reserve(values_.size());
  for (std::size_t i = 0; i < values_.size(); ++i) {
    auto tensor = view(ort, values_[i]);
    if (!tensor) return fail(std::move(tensor).error());
    tensor->name = asked_[i];
    results_.push_back(std::move(*tensor));
  }
  return std::span<const Tensor>(results_);
}

}  // namespace fp::detect
