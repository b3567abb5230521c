// ONNX Runtime, loaded when it is needed: it is in no package of Debian 12.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "detect/tensor.h"

namespace fp::detect {

/// The library behind its C API (onnxruntime_c_api.h, version 12, which every release since 1.12 gives). Shared by the
/// sessions that it makes; never unloaded, since its threads may outlive any wish to.
class OrtLibrary {
 public:
  /// Loads `path`; where that is "", $FRAMEPIPE_ORT_LIB, then what the dynamic linker finds as libonnxruntime.so and
  /// libonnxruntime.so.1, then library_places(). Error: Unsupported (none there, in words with the mend; or one that is
  /// too old). Before there are other threads: it turns the library's telemetry off, which takes a change to the
  /// environment.
  [[nodiscard]] static Result<std::shared_ptr<const OrtLibrary>> load(const std::string& path);
  OrtLibrary(const OrtLibrary&) = delete;
  OrtLibrary& operator=(const OrtLibrary&) = delete;
  ~OrtLibrary();

  [[nodiscard]] const std::string& version() const { return version_; }  ///< "1.30.0"
  [[nodiscard]] const std::string& path() const { return path_; }

  // For OrtSession.
  /// The function at a slot of the API's table.
  template <typename Function>
  [[nodiscard]] Function* at(std::size_t slot) const {
    return reinterpret_cast<Function*>(table_[slot]);
  }
  /// What an OrtStatus says, which is released. Error: Malformed, with `doing` in front.
  [[nodiscard]] Result<Done> check(void* status, const std::string& doing) const;
  [[nodiscard]] const void* environment() const { return environment_; }

 private:
  OrtLibrary() = default;

  std::string path_;
  std::string version_;
  void* const* table_ = nullptr;
  void* environment_ = nullptr;
};

/// One model, ready to run. One thread at a time.
class OrtSession {
 public:
  /// Reads the model. `threads` work on one run, from 1. Errors: Io (errno in `sys`), Malformed (it is no model, or one
  /// that this library cannot run: its own words).
  [[nodiscard]] static Result<std::unique_ptr<OrtSession>> open(std::shared_ptr<const OrtLibrary> library,
                                                                const std::string& model_path, int threads);
  OrtSession(const OrtSession&) = delete;
  OrtSession& operator=(const OrtSession&) = delete;
  ~OrtSession();

  [[nodiscard]] const std::vector<TensorInfo>& inputs() const { return inputs_; }
  [[nodiscard]] const std::vector<TensorInfo>& outputs() const { return outputs_; }
  /// What the model's maker wrote down under that name; "" for nothing.
  [[nodiscard]] std::string metadata(const std::string& key) const;

  /// Runs the model, which must have one input, on `values` in this shape (no free sides). Gives the outputs that are
  /// of float, in the model's order; they are good until the next run. Error: Malformed, in the library's words.
  [[nodiscard]] Result<std::span<const Tensor>> run(std::span<const float> values, const Shape& shape);

 private:
  explicit OrtSession(std::shared_ptr<const OrtLibrary> library) : library_(std::move(library)) {}
  [[nodiscard]] Result<Done> make(const std::string& model, int threads);
  [[nodiscard]] Result<std::vector<TensorInfo>> describe(bool inputs) const;
  void release_outputs();

  std::shared_ptr<const OrtLibrary> library_;
  void* session_ = nullptr;
  void* memory_ = nullptr;
  std::vector<TensorInfo> inputs_;
  std::vector<TensorInfo> outputs_;
  std::vector<const char*> asked_;  // names of the outputs that are of float
  std::vector<void*> values_;       // what the last run gave
  std::vector<Tensor> results_;
};

}  // namespace fp::detect
