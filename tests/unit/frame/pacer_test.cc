#include "frame/pacer.h"

#include <doctest/doctest.h>

#include <random>
#include <vector>

namespace {

using namespace fp;
using namespace std::chrono_literals;

constexpr SteadyTime kStart{1h};

// How many of the arrivals pass.
int count_passed(Pacer& pacer, const std::vector<SteadyTime>& arrivals) {
  int passed = 0;
  for (const SteadyTime now : arrivals) {
    if (!pacer.due(now)) continue;
    pacer.passed(now);
    ++passed;
  }
  return passed;
}

std::vector<SteadyTime> steady(double fps, int count, std::chrono::microseconds jitter = 0us) {
  std::minstd_rand random(1);
  std::uniform_int_distribution<long> off(-jitter.count(), jitter.count());
  std::vector<SteadyTime> arrivals;
  for (int i = 0; i < count; ++i) {
    arrivals.push_back(kStart + std::chrono::nanoseconds(static_cast<long long>(i * 1e9 / fps)) +
                       std::chrono::microseconds(off(random)));
  }
  return arrivals;
}

TEST_CASE("Pacer: without a limit every frame is due at any time") {
  Pacer pacer(0);
  CHECK_FALSE(pacer.limited());
  CHECK(count_passed(pacer, steady(1000, 500)) == 500);
}

TEST_CASE("Pacer: the first frame is due at once") { CHECK(Pacer(1).due(kStart)); }

TEST_CASE("Pacer: a source at the very rate asked for loses no frame to jitter") {
  Pacer pacer(30);
  CHECK(count_passed(pacer, steady(30, 3000, 4ms)) == 3000);
}

TEST_CASE("Pacer: a source at twice the rate loses every other frame") {
  Pacer pacer(15);
  CHECK(count_passed(pacer, steady(30, 3000)) == 1500);
}

TEST_CASE("Pacer: the rate holds on average, whatever the source's") {
  for (const double source : {31.0, 37.0, 45.0, 50.0, 59.94, 100.0, 1000.0}) {
    CAPTURE(source);
    Pacer pacer(30);
    const int passed = count_passed(pacer, steady(source, static_cast<int>(source * 100), 1ms));
    CHECK(passed <= 3001);
    CHECK(passed >= 2970);
  }
}

TEST_CASE("Pacer: a slower source loses nothing") {
  Pacer pacer(30);
  CHECK(count_passed(pacer, steady(7, 700, 5ms)) == 700);
}

TEST_CASE("Pacer: a pause is not caught up with") {
  Pacer pacer(10);
  pacer.passed(kStart);
  const SteadyTime later = kStart + 60s;
  REQUIRE(pacer.due(later));
  pacer.passed(later);
  CHECK_FALSE(pacer.due(later));
  CHECK_FALSE(pacer.due(later + 50ms));
  CHECK(pacer.due(later + 100ms));
}

TEST_CASE("Pacer: a frame may be early by a quarter of the interval and no more") {
  Pacer pacer(10);
  pacer.passed(kStart);
  CHECK(pacer.due_at(kStart) == kStart + 75ms);
  CHECK_FALSE(pacer.due(kStart + 75ms - 1ns));
  CHECK(pacer.due(kStart + 75ms));
}

TEST_CASE("Pacer: a frame that came too early may pass half an interval after the next was due") {
  Pacer pacer(10);
  pacer.passed(kStart);
  CHECK(pacer.late_at(kStart) == kStart + 150ms);
}

}  // namespace
