#include "base/histogram.h"

#include <doctest/doctest.h>

namespace {

using namespace fp;
using namespace std::chrono_literals;

// Within 5 %, as the header promises, and a hair for the rounding.
bool about(Histogram::Duration seen, Histogram::Duration expected) {
  return seen >= expected * 949 / 1000 && seen <= expected * 1051 / 1000;
}

TEST_CASE("Histogram: percentiles are right to 5 %") {
  Histogram histogram;
  for (int i = 1; i <= 1000; ++i) histogram.add(i * 1ms);
  CHECK(about(histogram.percentile(50), 500ms));
  CHECK(about(histogram.percentile(95), 950ms));
  CHECK(about(histogram.percentile(99), 990ms));
}

TEST_CASE("Histogram: a percentile never lies outside of what was seen") {
  Histogram histogram;
  histogram.add(103ms);
  for (const double percent : {0.0, 50.0, 100.0}) CHECK(histogram.percentile(percent) == 103ms);
}

TEST_CASE("Histogram: count, sum, least and most are exact") {
  Histogram histogram;
  for (const auto time : {30ms, 10ms, 20ms}) histogram.add(time);
  CHECK(histogram.count() == 3);
  CHECK(histogram.sum() == 60ms);
  CHECK(histogram.least() == 10ms);
  CHECK(histogram.most() == 30ms);
}

TEST_CASE("Histogram: empty, it says 0") {
  const Histogram histogram;
  CHECK(histogram.percentile(50) == 0ms);
  CHECK(histogram.count() == 0);
  CHECK(histogram.within(1h) == 0);
}

TEST_CASE("Histogram: negative times count as 0, and least() tells how far they went") {
  Histogram histogram;
  histogram.add(-5s);
  histogram.add(10ms);
  CHECK(histogram.least() == -5s);
  CHECK(histogram.sum() == 10ms);
  CHECK(histogram.percentile(50) >= 0ms);
  CHECK(histogram.percentile(50) <= 10us);
}

TEST_CASE("Histogram: only negative times give a percentile of 0") {
  Histogram histogram;
  histogram.add(-5s);
  histogram.add(-1s);
  CHECK(histogram.percentile(50) == 0ms);
}

TEST_CASE("Histogram: a time of a day falls into the last bucket and is still counted") {
  Histogram histogram;
  histogram.add(24h);
  CHECK(histogram.count() == 1);
  CHECK(histogram.most() == 24h);
  CHECK(histogram.percentile(100) >= 1h);
}

TEST_CASE("Histogram: within() counts what is clearly below the limit and nothing clearly above") {
  Histogram histogram;
  for (int i = 0; i < 7; ++i) histogram.add(10ms);
  for (int i = 0; i < 5; ++i) histogram.add(200ms);
  CHECK(histogram.within(1ms) == 0);
  CHECK(histogram.within(100ms) == 7);
  CHECK(histogram.within(1s) == 12);
}

TEST_CASE("Histogram: clear() forgets all") {
  Histogram histogram;
  histogram.add(1s);
  histogram.clear();
  CHECK(histogram.count() == 0);
  CHECK(histogram.percentile(100) == 0ms);
}

}  // namespace
