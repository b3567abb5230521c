// How long to wait before the next try.
#pragma once

#include <algorithm>
#include <chrono>
#include <random>

namespace fp {

/// 100 ms doubling to 5 s or another limit, each with up to a quarter taken off at random, so that a thousand clients
/// of one server do not come back in step.
class Backoff {
 public:
  using Duration = std::chrono::milliseconds;
  static constexpr Duration kFirst{100};
  static constexpr Duration kLast{5000};

  explicit Backoff(Duration last = kLast) : last_(last) {}

  /// The wait before the next try; each call doubles the one after.
  [[nodiscard]] Duration next() {
    const Duration wait = next_;
    next_ = std::min(next_ * 2, last_);
    std::uniform_real_distribution<double> share(0.75, 1.0);
    return Duration(static_cast<Duration::rep>(static_cast<double>(wait.count()) * share(random_)));
  }
  void reset() { next_ = kFirst; }  ///< after a success

 private:
  Duration last_;
  Duration next_ = kFirst;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace fp
