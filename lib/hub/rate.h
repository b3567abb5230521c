// How many frames and bytes a second, over the last few seconds.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>

#include "base/clock.h"

namespace fp {

/// Remembers at most 512 arrivals of the last three seconds.
class RateMeter {
 public:
  void add(SteadyTime now, std::size_t bytes) {
    arrivals_.push_back({now, bytes});
    bytes_ += bytes;
    while (arrivals_.size() > 512) drop();
  }
  /// Frames a second; 0 when fewer than two arrived lately.
  [[nodiscard]] double fps(SteadyTime now) {
    forget(now);
    return arrivals_.size() < 2 ? 0 : rate(now, static_cast<double>(arrivals_.size() - 1));
  }
  [[nodiscard]] double bits_per_second(SteadyTime now) {
    forget(now);
    if (arrivals_.size() < 2) return 0;
    return rate(now, 8.0 * static_cast<double>(bytes_ - arrivals_.front().bytes));
  }

 private:
  struct Arrival {
    SteadyTime when;
    std::size_t bytes;
  };
  void drop() {
    bytes_ -= arrivals_.front().bytes;
    arrivals_.pop_front();
  }
  void forget(SteadyTime now) {
    while (!arrivals_.empty() && now - arrivals_.front().when > std::chrono::seconds(3)) drop();
  }
  [[nodiscard]] double rate(SteadyTime now, double amount) const {
    // Up to the last arrival while they come as before; up to now when they have stopped.
    const auto span = arrivals_.back().when - arrivals_.front().when;
    const auto mean = span / static_cast<long>(arrivals_.size() - 1);
    const auto until = now - arrivals_.back().when > 2 * mean ? now - arrivals_.front().when : span;
    return until.count() == 0 ? 0 : amount / seconds_of(until);
  }

  std::deque<Arrival> arrivals_;
  std::size_t bytes_ = 0;
};

}  // namespace fp
