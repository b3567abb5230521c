// The cameras of a server, which come and go.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "serve/camera.h"

namespace fp {

/// In the order they were added; no two of one name. One thread.
class CameraList {
 public:
  static constexpr std::size_t kMostCameras = 256;

  /// What all cameras share; `ended` is called when a source has ended for good.
  CameraList(Loop& loop, const Clock& clock, const ServeOptions& options, std::string next_headers, Report report,
             std::function<void()> ended)
      : loop_(loop),
        clock_(clock),
        options_(options),
        next_headers_(std::move(next_headers)),
        report_(std::move(report)),
        ended_(std::move(ended)) {}

  /// A camera that is not in the list, opened unless it is on demand. Throws Failure when it cannot be.
  [[nodiscard]] std::shared_ptr<Camera> open(CameraOptions options) const;
  /// Puts it at the end; where there is one of that name, its viewers stay and get the source of the new one.
  void put(const std::shared_ptr<Camera>& camera);
  /// Closes a camera that is not in the list, and keeps it until what it ran has ended: nobody waits for that.
  void bury(const std::shared_ptr<Camera>& camera);
  /// False: there is none of that name.
  bool remove(std::string_view name);

  [[nodiscard]] Camera* find(std::string_view name) const;
  [[nodiscard]] const std::vector<std::shared_ptr<Camera>>& all() const { return cameras_; }
  [[nodiscard]] Camera* first() const { return cameras_.empty() ? nullptr : cameras_.front().get(); }
  /// Counts what was put and removed: whoever shows all cameras looks again when it has changed.
  [[nodiscard]] std::uint64_t changes() const { return changes_; }

 private:
  Loop& loop_;
  const Clock& clock_;
  const ServeOptions& options_;
  const std::string next_headers_;
  const Report report_;
  const std::function<void()> ended_;
  std::vector<std::shared_ptr<Camera>> cameras_;
  std::vector<std::shared_ptr<Camera>> buried_;
  std::uint64_t changes_ = 0;
};

}  // namespace fp
