// What a tool tells systemd (sd_notify(3)) and the person at the terminal, at a calm pace.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"

namespace fp::cli {

/// READY=1. Without systemd this and the rest do nothing.
void notify_ready();
void notify_stopping();

/// Descriptors that systemd passed for socket activation (sd_listen_fds(3)), made close-on-exec; they are the caller's.
[[nodiscard]] std::vector<int> activated_sockets();

/// STATUS=, WATCHDOG=1 and the progress line, each only as often as is of use.
class Heartbeat {
 public:
  struct Figures {
    std::uint64_t frames = 0;  ///< so far
    std::uint64_t bytes = 0;
    std::uint64_t dropped = 0;
    std::optional<std::chrono::nanoseconds> age;  ///< of the newest frame
  };
  /// `frames_only`: the watchdog is fed only when frames have passed since the last time (--watchdog-frames).
  explicit Heartbeat(bool frames_only);

  /// When beat() has something to do next.
  [[nodiscard]] SteadyTime due() const { return due_; }
  /// Call now and then: does nothing before due(). `waiting_for` is said while there are no frames: "the first frame";
  /// `status` gives another line than the usual one.
  void beat(SteadyTime now, const Figures& figures, const std::string& waiting_for,
            const std::function<std::string()>& status = nullptr);

 private:
  bool frames_only_;
  std::chrono::nanoseconds period_;
  bool watchdog_ = false;
  SteadyTime due_;
  SteadyTime last_{};
  Figures before_;
  std::string status_;
};

}  // namespace fp::cli
