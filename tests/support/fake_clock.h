// A clock that ticks by hand.
#pragma once

#include "base/clock.h"

namespace fp::test {

/// Both times stand still until tick(). One thread.
class FakeClock final : public Clock {
 public:
  [[nodiscard]] SteadyTime steady() const override { return steady_; }
  [[nodiscard]] WallTime wall() const override { return wall_; }
  void tick(std::chrono::nanoseconds time) {
    steady_ += time;
    wall_ += std::chrono::duration_cast<std::chrono::microseconds>(time);
  }

 private:
  SteadyTime steady_{std::chrono::hours(1)};
  WallTime wall_{std::chrono::seconds(1'763'688'000)};
};

}  // namespace fp::test
