#include "base/clock.h"

#include <doctest/doctest.h>

namespace {

using namespace fp;
using namespace std::chrono_literals;

WallTime at(long long seconds, long long micros = 0) {
  return WallTime(std::chrono::seconds(seconds) + std::chrono::microseconds(micros));
}

TEST_CASE("format_timestamp: six digits always stand behind the point") {
  CHECK(format_timestamp(at(1763688000, 123456)) == "1763688000.123456");
  CHECK(format_timestamp(at(1763688000, 7)) == "1763688000.000007");
  CHECK(format_timestamp(at(1763688000)) == "1763688000.000000");
  CHECK(format_timestamp(at(0)) == "0.000000");
}

TEST_CASE("parse_timestamp: what was formatted is read back to the microsecond") {
  for (const WallTime time : {at(0), at(0, 1), at(1763688000, 999999), at(253402300799, 999999)}) {
    CHECK(parse_timestamp(format_timestamp(time)) == time);
  }
}

TEST_CASE("parse_timestamp: fewer, more or no digits behind the point are understood") {
  CHECK(parse_timestamp("17") == at(17));
  CHECK(parse_timestamp("17.5") == at(17, 500000));
  CHECK(parse_timestamp("17.000001999") == at(17, 1));
  CHECK(parse_timestamp("0017.25") == at(17, 250000));
}

TEST_CASE("parse_timestamp: anything else is no time") {
  for (const char* text : {"",      " ",    ".",    ".5",  "x",    "-1",           "-0",
                           "-0.5",  "+1",   " 1",   "1 ",  "1.5 ", "1.5s",         "1,5",
                           "1.5.5", "1.-5", "0x10", "1e9", "nan",  "253402300800", "99999999999999999999",
                           "1.+5"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_timestamp(text).has_value());
  }
}

TEST_CASE("poll_timeout_ms: a wait is rounded up, is 0 when over and -1 when endless") {
  const SteadyTime now{1h};
  CHECK(poll_timeout_ms(std::nullopt, now) == -1);
  CHECK(poll_timeout_ms(now, now) == 0);
  CHECK(poll_timeout_ms(now - 5s, now) == 0);
  CHECK(poll_timeout_ms(now + 1ns, now) == 1);
  CHECK(poll_timeout_ms(now + 5ms, now) == 5);
  CHECK(poll_timeout_ms(now + 5ms + 1us, now) == 6);
}

TEST_CASE("poll_timeout_ms: a wait of a year does not overflow poll's int") {
  CHECK(poll_timeout_ms(SteadyTime{1h} + 24h * 365, SteadyTime{1h}) > 0);
}

TEST_CASE("SystemClock: its wall clock agrees with the system's to a minute") {
  const auto difference = SystemClock().wall() - std::chrono::system_clock::now();
  CHECK(difference < 1min);
  CHECK(difference > -1min);
}

TEST_CASE("TurnClock: stands still until somebody has waited") {
  const TurnClock clock;
  const SteadyTime first = clock.steady();
  while (std::chrono::steady_clock::now() <= first) {
  }
  CHECK(clock.steady() == first);
  clock.waited();
  CHECK(clock.steady() > first);
}

}  // namespace
