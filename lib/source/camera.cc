#include "source/camera.h"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace fp {
namespace {

using namespace std::chrono_literals;

constexpr auto kLookForCamera = 250ms;  // while it is not plugged in
constexpr auto kLookAtSignal = 500ms;
constexpr SteadyTime::duration kLongAge = 1h;
constexpr jpeg::Size kUsualSize{640, 480};

struct Known {
  std::uint32_t fourcc = 0;
  std::optional<RawFormat> raw = {};  // nothing: JPEG
};
// In the order in which --format auto likes them: no work, then the least work, then what has no colour.
constexpr std::array<Known, 13> kKnown = {{{V4L2_PIX_FMT_MJPEG, std::nullopt},
                                           {V4L2_PIX_FMT_JPEG, std::nullopt},
                                           {V4L2_PIX_FMT_YUV420, RawFormat::Yu12},
                                           {V4L2_PIX_FMT_YVU420, RawFormat::Yv12},
                                           {V4L2_PIX_FMT_NV12, RawFormat::Nv12},
                                           {V4L2_PIX_FMT_NV21, RawFormat::Nv21},
                                           {V4L2_PIX_FMT_YUV422P, RawFormat::Yuv422p},
                                           {V4L2_PIX_FMT_YUYV, RawFormat::Yuyv},
                                           {V4L2_PIX_FMT_UYVY, RawFormat::Uyvy},
                                           {V4L2_PIX_FMT_YVYU, RawFormat::Yvyu},
                                           {V4L2_PIX_FMT_RGB24, RawFormat::Rgb3},
                                           {V4L2_PIX_FMT_BGR24, RawFormat::Bgr3},
                                           {V4L2_PIX_FMT_GREY, RawFormat::Grey}}};

const Known* known(std::uint32_t fourcc) {
  const auto* const found = std::ranges::find(kKnown, fourcc, &Known::fourcc);
  return found == kKnown.end() ? nullptr : found;
}

std::string option_name(const Known& format) { return format.raw ? name_of(*format.raw) : "mjpeg"; }

std::string rate_text(double fps) {
  const double rounded = std::round(fps * 100) / 100;
  std::string text = std::to_string(rounded);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

std::string size_text(int width_px, int height_px) {
  return std::to_string(width_px) + "x" + std::to_string(height_px);
}

}  // namespace

std::string Camera::Figures::describe() const {
  std::string text;
  const auto add = [&text](std::uint64_t count, const char* what) {
    if (count > 0) text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + what;
  };
  add(lost, "lost by the driver");
  add(flagged, "flagged by the driver");
  add(unsignalled, "without signal");
  const std::string skipped = skips.describe();
  if (!skipped.empty()) text += (text.empty() ? "" : ", ") + skipped;
  return text;
}

Camera::Camera(std::string source, Options options, const Clock& clock, Report report)
    : source_(std::move(source)),
      options_(std::move(options)),
      clock_(&clock),
      report_(std::move(report)),
      skip_reporter_(source_.empty() ? "camera" : source_, report_),
      events_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!events_) throw Failure{Exit::System, io_error("epoll").text};
}

Result<std::unique_ptr<Camera>> Camera::open(const std::string& source, Options options, const Clock& clock,
                                             Report report) {
  std::string path = v4l2::path_of(source);
  if (source.empty()) {
    path.clear();
    for (const std::string& one : v4l2::device_paths()) {
      // Its metadata node, a codec and the like are no cameras; one that we may not open or that is in use is, and says
      // why.
      const auto device = v4l2::Device::open(one);
      if (!device && device.error().kind == Error::Kind::Unsupported) continue;
      path = one;
      break;
    }
    if (path.empty()) return fail(io_error("no camera (try 'camgrab test', a moving test card)", ENOENT));
  }
  std::unique_ptr<Camera> camera(new Camera(path, std::move(options), clock, std::move(report)));
  if (camera->options_.threads > 1) {
    camera->pool_.emplace(camera->options_.threads, camera->options_.quality_percent);
    camera->watch(camera->pool_->fd(), false);
  } else {
    camera->encoder_.emplace(camera->options_.quality_percent);
  }
  if (auto started = camera->start(path); !started) return fail(std::move(started).error());
  camera->identity_ = camera->device_->identity();
  camera->serial_is_unique_ = v4l2::count_of_serial(camera->identity_.serial) == 1;
  return camera;
}

bool Camera::watch(int fd, bool urgent) {
  epoll_event event{};
  event.events = EPOLLIN | (urgent ? EPOLLPRI : 0u);
  event.data.fd = fd;
  return ::epoll_ctl(events_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

Result<Done> Camera::start(const std::string& path) {
  auto device = v4l2::Device::open(path);
  if (!device) return fail(std::move(device).error());
  for (const v4l2::Setting& setting : options_.settings) {
    if (auto set = device->set(setting); !set) return fail(std::move(set).error());
  }
  auto mode = choose_mode(*device);
  if (!mode) return fail(std::move(mode).error());
  device_.emplace(std::move(*device));
  has_events_ = device_->subscribe_source_changes();
  auto stream = v4l2::Stream::start(*device_);
  if (!stream) {
    device_.reset();
    return fail(std::move(stream).error());
  }
  stream_.emplace(std::move(*stream));
  if (!watch(device_->fd(), true)) return fail(io_error("epoll"));
  const bool news = path != path_ || figures_.opened == 0 || !trouble_.empty() || mode->fourcc != mode_.fourcc ||
                    mode->width_px != mode_.width_px || mode->height_px != mode_.height_px;
  path_ = path;
  mode_ = *mode;
  layout_.reset();
  if (const Known* const format = known(mode_.fourcc); format->raw) {
    layout_ = RawLayout{*format->raw, {mode_.width_px, mode_.height_px}, mode_.stride_bytes, mode_.full_range};
  }
  clock_->waited();  // for a camera that takes long to start
  const SteadyTime now = clock_->steady();
  ++figures_.opened;
  ++generation_;
  frame_since_open_ = false;
  broken_in_a_row_ = 0;
  driver_sequence_.reset();
  least_age_ = kLongAge;
  interval_ = std::chrono::nanoseconds(mode_.fps > 0 ? static_cast<long long>(1e9 / mode_.fps) : 0);
  last_buffer_ = look_at_ = now;
  signal_ = minded_ = true;
  if (news && report_) {
    report_(Severity::Info, path_ + ": " + device_->identity().card + ", " + v4l2::fourcc_text(mode_.fourcc) + " " +
                                size_text(mode_.width_px, mode_.height_px) +
                                (mode_.fps > 0 ? " at " + rate_text(mode_.fps) + " fps" : ""));
  }
  look_at_signal(now);
  if (signal_) trouble_.clear();
  return Done{};
}

Result<v4l2::Mode> Camera::choose_mode(v4l2::Device& device) {
  const std::optional<v4l2::Mode> timings = device.adopt_timings();
  jpeg::Size size = options_.size.value_or(timings ? jpeg::Size{timings->width_px, timings->height_px} : kUsualSize);
  std::vector<const Known*> offered;
  std::string names;
  const std::vector<v4l2::Format> formats = device.formats(false);
  for (const Known& format : kKnown) {
    if (std::ranges::find(formats, format.fourcc, &v4l2::Format::fourcc) == formats.end()) continue;
    if (names.find(option_name(format)) == std::string::npos)
      names += (names.empty() ? "" : ", ") + option_name(format);
    if (options_.format == "auto" || options_.format == option_name(format)) offered.push_back(&format);
  }
  if (offered.empty()) {
    std::string gives;
    for (const v4l2::Format& format : formats) gives += (gives.empty() ? "" : ", ") + v4l2::fourcc_text(format.fourcc);
    return fail({Error::Kind::Unsupported, 0,
                 device.path() + ": no format " + (options_.format == "auto" ? "that we know" : options_.format) +
                     (names.empty() ? " (it gives " + gives + ")" : " (it has " + names + ")")});
  }
  // The first that has the very size; where none has, the first.
  const Known* chosen = offered.front();
  for (const Known* const format : offered) {
    const auto tried = device.try_mode(format->fourcc, size.width_px, size.height_px);
    if (!tried || tried->fourcc != format->fourcc) continue;
    if (tried->width_px != size.width_px || tried->height_px != size.height_px) continue;
    chosen = format;
    break;
  }
  auto mode = device.set_mode(chosen->fourcc, size.width_px, size.height_px, options_.fps);
  if (!mode) return mode;
  if (known(mode->fourcc) == nullptr) {
    return fail({Error::Kind::Unsupported, 0,
                 device.path() + ": asked for " + v4l2::fourcc_text(chosen->fourcc) + ", it gives " +
                     v4l2::fourcc_text(mode->fourcc)});
  }
  if (mode->fps <= 0 && timings) mode->fps = timings->fps;
  if (figures_.opened == 0 && report_) {
    const bool other_size = mode->width_px != size.width_px || mode->height_px != size.height_px;
    if (other_size || mode->fourcc != chosen->fourcc) {
      report_(Severity::Warning, device.path() + ": asked for " + v4l2::fourcc_text(chosen->fourcc) + " " +
                                     size_text(size.width_px, size.height_px) + ", the camera gives " +
                                     v4l2::fourcc_text(mode->fourcc) + " " +
                                     size_text(mode->width_px, mode->height_px));
    }
  }
  return mode;
}

Producer::Wait Camera::wait() const {
  if (!stream_) return {-1, false, retry_at_, generation_};
  SteadyTime until = last_buffer_ + options_.timeout;
  if (!signal_) until = look_at_;
  return {events_.get(), false, until, generation_};
}

FramePtr Camera::advance() {
  const SteadyTime now = clock_->steady();
  if (!stream_ && retry_at_ && now >= *retry_at_) try_again(now);
  FramePtr frame;
  if (stream_) frame = take_frames(now);
  if (FramePtr encoded = collect()) {
    if (frame) ++figures_.superseded;
    frame = std::move(encoded);
  }
  skip_reporter_.update(figures_.skips, now);
  if (stream_) mind_device();
  return frame;
}

// With every_frame buffers stay with the driver while no encoder is free.
bool Camera::encoders_busy() const { return options_.every_frame && layout_ && pool_ && pool_->full(); }

// A filled buffer that is not taken now would keep poll(2) awake.
void Camera::mind_device() {
  const bool mind = !encoders_busy();
  if (mind == minded_) return;
  epoll_event event{};
  event.events = mind ? EPOLLIN | EPOLLPRI : 0u;
  event.data.fd = device_->fd();
  if (::epoll_ctl(events_.get(), EPOLL_CTL_MOD, device_->fd(), &event) == 0) minded_ = mind;
}

void Camera::try_again(SteadyTime now) {
  retry_at_.reset();
  const auto path = v4l2::find_again(identity_, serial_is_unique_);
  if (!path) {
    retry_at_ = now + kLookForCamera;
    return;
  }
  if (auto started = start(*path); !started) {
    lost(started.error().text);
  }
}

void Camera::lost(const std::string& why) {
  if (frame_since_open_) backoff_.reset();
  const bool news = trouble_ != why;
  trouble_ = why;
  stream_.reset();
  device_.reset();  // which takes it out of the epoll, too
  ++generation_;
  clock_->waited();  // for a driver that takes long to let go
  const SteadyTime now = clock_->steady();
  if (news && report_) report_(Severity::Warning, why + "; opening the camera again");
  retry_at_ = now + backoff_.next();
}

// Whether the input has a signal: asked after each event, and now and then while it has none.
void Camera::look_at_signal(SteadyTime now) {
  const bool signal = !device_->no_signal();
  look_at_ = now + kLookAtSignal;
  if (signal == signal_) return;
  signal_ = signal;
  if (!signal) {
    trouble_ = path_ + ": no signal";
    if (report_) report_(Severity::Warning, trouble_);
  }
}

FramePtr Camera::take_frames(SteadyTime now) {
  const bool changed = has_events_ && device_->source_changed();
  if (changed || (!signal_ && now >= look_at_)) {
    const bool had_signal = signal_;
    look_at_signal(now);
    if (signal_ && (changed || !had_signal)) {
      // Of another size, perhaps: only a new start tells.
      frame_since_open_ = true;  // no fault: without back-off
      const std::string text = trouble_.empty() ? path_ + ": the signal has changed" : path_ + ": the signal is back";
      trouble_ = text;
      lost(text);
      retry_at_ = now;
      return nullptr;
    }
  }

  // The filled buffers, newest last; with every_frame one at a time, and none while no encoder is free.
  std::array<v4l2::Filled, 32> filled{};
  std::size_t count = 0;
  const std::size_t most = options_.every_frame ? 1 : filled.size();
  while (count < most && !encoders_busy()) {
    auto taken = stream_->take();
    if (!taken) {
      lost(taken.error().text);
      return nullptr;
    }
    if (!*taken) break;
    filled[count++] = **taken;
    if (is_newest(**taken, now)) break;
  }
  if (count == 0) {
    if (signal_ && now - last_buffer_ >= options_.timeout) {
      lost(path_ + ": no frame for " + std::to_string(options_.timeout.count()) + " ms");
    }
    return nullptr;
  }
  last_buffer_ = now;
  std::array<std::uint64_t, filled.size()> numbers{};
  for (std::size_t i = 0; i < count; ++i) {
    // What a stalled endpoint gives back has no number.
    if (!(filled[i].flagged && filled[i].bytes.empty())) numbers[i] = number(filled[i]);
  }
  FramePtr frame;
  for (std::size_t i = count; i-- > 0;) {
    const v4l2::Filled& one = filled[i];
    if (one.flagged || one.bytes.empty() || !signal_) {
      if (!signal_) {
        ++figures_.unsignalled;
      } else if (one.flagged) {
        ++figures_.flagged;
      } else {
        skip(Skip::Empty, 0);
      }
    } else if (frame) {
      ++figures_.superseded;
    } else {
      frame = make_frame(one, numbers[i], now);
    }
    broken_in_a_row_ = one.flagged && one.bytes.empty() ? broken_in_a_row_ + 1 : 0;
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (auto given = stream_->give_back(filled[i]); !given) {
      lost(given.error().text);
      return frame;
    }
  }
  // An endpoint that stalls gives back all buffers, damaged and empty, and then nothing.
  if (broken_in_a_row_ >= stream_->buffers()) lost(path_ + ": the camera has stalled");
  return frame;
}

// Whether nothing newer can be there: the buffer has waited for us for less than half a frame's time, going by those
// that waited least. Spares asking the driver; false when it cannot be told.
bool Camera::is_newest(const v4l2::Filled& filled, SteadyTime now) {
  if (!filled.taken) return false;
  const auto age = now - *filled.taken;
  least_age_ = std::min(least_age_, age);
  return age < least_age_ + interval_ / 2;
}

// X-Sequence of a buffer. Some drivers repeat a number now and then: that is no gap, and ours only ever rises.
std::uint64_t Camera::number(const v4l2::Filled& filled) {
  const auto step = driver_sequence_ ? static_cast<std::int32_t>(filled.sequence - *driver_sequence_) : 1;
  driver_sequence_ = filled.sequence;
  if (step > 1) {
    figures_.lost += static_cast<std::uint64_t>(step) - 1;
    sequence_ += static_cast<std::uint64_t>(step) - 1;
  }
  return sequence_++;
}

void Camera::skip(Skip reason, std::size_t bytes) {
  figures_.skips.add(reason);
  figures_.skips.bytes += bytes;
}

FramePtr Camera::make_frame(const v4l2::Filled& filled, std::uint64_t sequence, SteadyTime now) {
  Frame frame;
  frame.sequence = sequence;
  frame.captured = frame.received = clock_->wall();
  if (filled.taken) {
    // The offset between the clocks anew for each frame: the wall clock is stepped.
    const auto age = now - *filled.taken;
    if (age >= 0s && age < 10s) frame.captured -= std::chrono::duration_cast<std::chrono::microseconds>(age);
  }
  return layout_ ? encode(filled.bytes, std::move(frame)) : pass_jpeg(filled.bytes, std::move(frame));
}

FramePtr Camera::pass_jpeg(ByteView bytes, Frame frame) {
  if (bytes.size() > options_.max_frame_bytes) {
    skip(Skip::TooLarge, bytes.size());
    return nullptr;
  }
  PassThrough::Passed passed = pass_through_.pass(bytes);
  if (passed.skip) {
    skip(*passed.skip, bytes.size());
    return nullptr;
  }
  frame.picture = passed.info;
  frame.jpeg = std::move(passed.jpeg);
  frame_since_open_ = true;
  ++figures_.frames;
  return std::make_shared<const Frame>(std::move(frame));
}

FramePtr Camera::encode(ByteView bytes, Frame frame) {
  if (bytes.size() < raw_bytes(*layout_)) {
    skip(Skip::Truncated, bytes.size());
    return nullptr;
  }
  if (pool_) {
    RawFrame raw{pool_->spare(), *layout_, std::move(frame)};
    raw.bytes.assign(bytes.begin(), bytes.end());
    if (pool_->put(std::move(raw))) ++figures_.superseded;
    return nullptr;
  }
  auto encoded = encode_frame(*encoder_, bytes, *layout_, std::move(frame));
  if (!encoded) {
    skip(Skip::Corrupt, bytes.size());
    return nullptr;
  }
  frame_since_open_ = true;
  ++figures_.frames;
  return std::move(*encoded);
}

// What the pool has done: in order, and without every_frame only the newest.
FramePtr Camera::collect() {
  if (!pool_) return nullptr;
  FramePtr newest;
  while (FramePtr frame = pool_->take()) {
    if (newest) ++figures_.superseded;
    newest = std::move(frame);
    frame_since_open_ = true;
    ++figures_.frames;
    if (options_.every_frame) break;
  }
  for (; pool_failed_ < pool_->failed(); ++pool_failed_) skip(Skip::Corrupt, 0);
  return newest;
}

}  // namespace fp
