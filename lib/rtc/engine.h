// GStreamer, started.
#pragma once

#include <memory>
#include <string>

#include "base/report.h"
#include "loop/loop.h"

namespace fp::rtc {

/// What all sessions of a program share: the plugins that were found, one clock, and the thread that takes down
/// pipelines. Made before them on the loop's thread, and outlives them.
class Engine {
 public:
  /// Throws Failure (Unavailable, with the name of the package) when GStreamer lacks what sessions need.
  Engine(Loop& loop, Report report);
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  /// Waits until all pipelines are down.
  ~Engine();

  [[nodiscard]] Loop& loop() const;
  [[nodiscard]] std::size_t pipelines() const;  ///< not down yet, of sessions that are over as well

  struct Impl;  ///< for lib/rtc
  [[nodiscard]] const std::shared_ptr<Impl>& impl() const { return impl_; }

 private:
  std::shared_ptr<Impl> impl_;
};

}  // namespace fp::rtc
