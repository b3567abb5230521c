#include "hub/rate.h"

#include <doctest/doctest.h>

namespace {

using namespace fp;
using namespace std::chrono_literals;

constexpr SteadyTime kStart{1h};

// Frames each 40 ms, 1000 bytes each; gives the time of the last.
SteadyTime feed_25_fps(RateMeter& meter, int frames) {
  SteadyTime now = kStart;
  for (int i = 0; i < frames; ++i) {
    now = kStart + i * 40ms;
    meter.add(now, 1000);
  }
  return now;
}

TEST_CASE("RateMeter: nothing, and a single frame, are no rate") {
  RateMeter meter;
  CHECK(meter.fps(kStart) == 0);
  CHECK(meter.bits_per_second(kStart) == 0);
  meter.add(kStart, 1000);
  CHECK(meter.fps(kStart) == 0);
  CHECK(meter.bits_per_second(kStart) == 0);
}

TEST_CASE("RateMeter: a steady rate is told exactly, also between two frames") {
  RateMeter meter;
  const SteadyTime last = feed_25_fps(meter, 200);
  CHECK(meter.fps(last) == doctest::Approx(25));
  CHECK(meter.fps(last + 39ms) == doctest::Approx(25));
  CHECK(meter.bits_per_second(last) == doctest::Approx(25 * 8000));
}

TEST_CASE("RateMeter: falls when frames stop coming, and is 0 after three seconds") {
  RateMeter meter;
  const SteadyTime last = feed_25_fps(meter, 200);
  CHECK(meter.fps(last + 1s) < 20);
  CHECK(meter.fps(last + 1s) > 0);
  CHECK(meter.fps(last + 3100ms) == 0);
  CHECK(meter.bits_per_second(last + 3100ms) == 0);
}

TEST_CASE("RateMeter: follows a change of rate within three seconds") {
  RateMeter meter;
  SteadyTime now = feed_25_fps(meter, 200);
  for (int i = 0; i < 40; ++i) meter.add(now += 100ms, 1000);
  CHECK(meter.fps(now) == doctest::Approx(10));
}

TEST_CASE("RateMeter: a source too fast to be remembered whole is still measured") {
  RateMeter meter;
  SteadyTime now = kStart;
  for (int i = 0; i < 5000; ++i) meter.add(now += 1ms, 10);
  CHECK(meter.fps(now) == doctest::Approx(1000));
}

TEST_CASE("RateMeter: frames of one and the same moment do not divide by zero") {
  RateMeter meter;
  meter.add(kStart, 10);
  meter.add(kStart, 10);
  CHECK(meter.fps(kStart) == 0);
}

}  // namespace
