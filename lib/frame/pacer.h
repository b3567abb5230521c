// Lets through at most so many frames a second, evenly.
#pragma once

#include <chrono>
#include <optional>

#include "base/clock.h"

namespace fp {

/// Frames pass as they arrive whenever one is due; arrivals may be early by a quarter of the interval, so that a source
/// at the very rate asked for loses none to jitter, yet the rate holds on average. A frame that came too early may be
/// sent later if nothing newer comes: late_at() says when.
class Pacer {
 public:
  /// `fps` 0: no limit.
  explicit Pacer(double fps)
      : interval_(fps > 0 ? std::chrono::nanoseconds(static_cast<long long>(1e9 / fps)) : std::chrono::nanoseconds{0}) {
  }

  [[nodiscard]] bool limited() const { return interval_.count() > 0; }
  /// Whether a frame that arrives now may pass.
  [[nodiscard]] bool due(SteadyTime now) const { return !limited() || !next_ || now >= due_at(now); }
  /// The first time at which due() holds.
  [[nodiscard]] SteadyTime due_at(SteadyTime now) const { return limited() && next_ ? *next_ - interval_ / 4 : now; }
  /// A frame was passed now.
  void passed(SteadyTime now) {
    if (!limited()) return;
    // Behind by more than an interval: the source paused or is slower, and there is nothing to catch up with.
    next_ = (next_ && now < *next_ + interval_ ? *next_ : now) + interval_;
  }
  /// When a frame that came too early should pass after all: half an interval after the next was due.
  [[nodiscard]] SteadyTime late_at(SteadyTime now) const { return next_ ? *next_ + interval_ / 2 : now; }

 private:
  std::chrono::nanoseconds interval_;
  std::optional<SteadyTime> next_;
};

}  // namespace fp
