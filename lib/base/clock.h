// Time: one seam for all that waits or stamps, so that tests can tick by hand.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace fp {

using SteadyTime = std::chrono::steady_clock::time_point;
/// UNIX time in microseconds: the resolution of X-Timestamp.
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual SteadyTime steady() const = 0;
  [[nodiscard]] virtual WallTime wall() const = 0;
  /// Time has passed: to be called by whoever waited, for clocks that remember what they read.
  virtual void waited() const {}
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] SteadyTime steady() const override { return std::chrono::steady_clock::now(); }
  [[nodiscard]] WallTime wall() const override {
    return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  }
};

/// Reads the steady time once between two waits, for programs whose work between them is short. Where the kernel has no
/// vDSO, reading it anew each time was more than half of the calls that passing a frame on took. One thread.
class TurnClock final : public Clock {
 public:
  [[nodiscard]] SteadyTime steady() const override {
    if (!now_) now_ = std::chrono::steady_clock::now();
    return *now_;
  }
  [[nodiscard]] WallTime wall() const override { return SystemClock().wall(); }
  void waited() const override { now_.reset(); }

 private:
  mutable std::optional<SteadyTime> now_;
};

/// "1763688000.123456": seconds since the epoch, always six digits after the point.
[[nodiscard]] std::string format_timestamp(WallTime time);
/// Reads what format_timestamp() writes, also with fewer or more digits after the point or none. Nothing for anything
/// else, for negative times and for those after the year 9999.
[[nodiscard]] std::optional<WallTime> parse_timestamp(std::string_view text);

[[nodiscard]] inline double seconds_of(std::chrono::nanoseconds time) {
  return std::chrono::duration<double>(time).count();
}
/// Milliseconds for poll(2): rounded up so that a wait never ends early, 0 when `until` has passed, -1 for none.
[[nodiscard]] int poll_timeout_ms(std::optional<SteadyTime> until, SteadyTime now);

}  // namespace fp
