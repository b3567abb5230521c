#include "frame/adaptive.h"

#include <doctest/doctest.h>

#include <vector>

#include "support/fake_clock.h"

namespace {

using namespace fp;
using namespace std::chrono_literals;
using Level = Adaptive::Level;

// Frames at 20 a second, and a reader that needs `time(level)` for each.
struct Rig {
  explicit Rig(Adaptive::Options options = {}) : adaptive(options, clock) {}

  template <typename TimeOf>
  std::vector<std::string> run_with(std::chrono::seconds length, const TimeOf& time) {
    std::vector<std::string> changes;
    const SteadyTime until = clock.steady() + length;
    while (clock.steady() < until) {
      clock.tick(50ms);
      adaptive.arrived(++frames);
      adaptive.taken(time(adaptive.level()));
      if (auto change = adaptive.decide()) {
        changes.push_back(*change);
        changed_at.push_back(clock.steady());
      }
    }
    return changes;
  }
  std::vector<std::string> run(std::chrono::seconds length, Adaptive::Duration time) {
    return run_with(length, [&](Level) { return time; });
  }

  test::FakeClock clock;
  Adaptive adaptive;
  std::uint64_t frames = 0;
  std::vector<SteadyTime> changed_at;
};

TEST_CASE("Adaptive: begins where it is told, within its limits") {
  const test::FakeClock clock;
  CHECK(Adaptive({.start_quality_percent = 70}, clock).level() == Level{70, false});
  CHECK(Adaptive({.start_quality_percent = 100}, clock).level() == Level{90, false});
  CHECK(Adaptive({.start_quality_percent = 1}, clock).level() == Level{30, false});
}

TEST_CASE("Adaptive: stays where it is while the reader is about as fast as the target") {
  Rig rig({.start_quality_percent = 60});
  CHECK(rig.run(60s, 55ms).empty());  // 18 of 20 a second
  CHECK(rig.adaptive.level() == Level{60, false});
}

TEST_CASE("Adaptive: measures the rate of what comes in") {
  Rig rig;
  rig.run(5s, 50ms);
  CHECK(rig.adaptive.target_fps() == doctest::Approx(20).epsilon(0.05));
  CHECK(rig.adaptive.rate_fps().value() == doctest::Approx(20).epsilon(0.01));
}

TEST_CASE("Adaptive: a slow reader gets one level less every two seconds, down to half the size and no further") {
  Rig rig;
  const auto changes = rig.run(60s, 100ms);
  REQUIRE(changes.size() == 7);
  CHECK(changes.front().starts_with("quality 80 at the full size: the reader could take 10.0 of 20."));
  CHECK(changes[5].starts_with("quality 30 at the full size"));
  CHECK(changes[6].starts_with("quality 30 at half the size"));
  CHECK(rig.adaptive.level() == Level{30, true});
  for (std::size_t i = 1; i < rig.changed_at.size(); ++i) {
    CHECK(rig.changed_at[i] - rig.changed_at[i - 1] >= Adaptive::kDownAfter);
    CHECK(rig.changed_at[i] - rig.changed_at[i - 1] < Adaptive::kDownAfter + 1s);
  }
}

TEST_CASE("Adaptive: slow for less than two seconds changes nothing") {
  Rig rig;
  rig.run(10s, 50ms);
  CHECK(rig.run(1s, 200ms).empty());
  CHECK(rig.run(10s, 50ms).empty());
}

TEST_CASE("Adaptive: a fast reader gets a level more every five seconds, up to the best") {
  Rig rig({.start_quality_percent = 30});
  const auto changes = rig.run(120s, 5ms);
  REQUIRE(changes.size() == 6);
  CHECK(rig.adaptive.level() == Level{90, false});
  for (std::size_t i = 1; i < rig.changed_at.size(); ++i) {
    CHECK(rig.changed_at[i] - rig.changed_at[i - 1] >= Adaptive::kUpAfter);
  }
}

TEST_CASE("Adaptive: comes back from half the size by way of the full size") {
  Rig rig({.max_quality_percent = 30});
  REQUIRE(rig.run(10s, 100ms).size() == 1);
  CHECK(rig.adaptive.level() == Level{30, true});
  const auto changes = rig.run(10s, 5ms);
  REQUIRE(changes.size() == 1);
  CHECK(rig.adaptive.level() == Level{30, false});
}

TEST_CASE("Adaptive: a level that was too much is tried again more and more rarely") {
  Rig rig({.start_quality_percent = 50});
  // Up to 60 all is well, above not at all: nothing but these two would do.
  const auto changes = rig.run_with(600s, [](Level level) {
    return level.quality_percent > 60 ? Adaptive::Duration(100ms) : Adaptive::Duration(20ms);
  });
  // Without growing patience it would go up and down every seven seconds: 170 changes.
  CHECK(changes.size() < 40);
  CHECK(changes.size() > 6);
}

TEST_CASE("Adaptive: a reader that takes nothing at all is a slow one") {
  Rig rig;
  rig.run(5s, 50ms);
  std::vector<std::string> changes;
  for (auto waited = 0ms; waited < 5s; waited += 50ms) {
    rig.clock.tick(50ms);
    rig.adaptive.arrived(++rig.frames);
    rig.adaptive.waiting(waited);
    if (auto change = rig.adaptive.decide()) changes.push_back(*change);
  }
  CHECK_FALSE(changes.empty());
  CHECK(rig.adaptive.level().quality_percent < 90);
}

TEST_CASE("Adaptive: the target that is given counts, and not what comes in") {
  Rig rig({.target_fps = 8});
  CHECK(rig.run(30s, 100ms).empty());  // 10 a second
  CHECK(rig.adaptive.target_fps() == 8);
}

TEST_CASE("Adaptive: levels end at limits that are no multiples of ten") {
  Rig rig({.min_quality_percent = 45, .max_quality_percent = 62, .start_quality_percent = 62});
  const auto changes = rig.run(30s, 100ms);
  REQUIRE(changes.size() == 3);
  CHECK(changes[0].starts_with("quality 52 "));
  CHECK(changes[1].starts_with("quality 45 at the full"));
  CHECK(changes[2].starts_with("quality 45 at half"));
}

TEST_CASE("Adaptive: says nothing before it knows anything") {
  Rig rig;
  CHECK_FALSE(rig.adaptive.rate_fps().has_value());
  CHECK(rig.adaptive.target_fps() == 0);
  CHECK_FALSE(rig.adaptive.decide().has_value());
}

}  // namespace
