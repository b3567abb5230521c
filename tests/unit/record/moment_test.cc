#include "record/moment.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <ctime>
#include <string>

namespace {

using namespace fp;
using namespace fp::record;
using namespace std::chrono_literals;

std::string at(const char* text, bool local = false) {
  const auto moment = parse_moment(text, local);
  return moment && moment->at ? format_timestamp(*moment->at) : "";
}

TEST_CASE("moment: ISO times are in UTC unless they say otherwise") {
  CHECK(at("2025-11-21T01:20:00") == "1763688000.000000");
  CHECK(at("2025-11-21 01:20") == "1763688000.000000");
  CHECK(at("2025-11-21T01:20:00.25Z") == "1763688000.250000");
  CHECK(at("2025-11-21T02:20:00+01:00") == "1763688000.000000");
  CHECK(at("2025-11-20T20:20:00-0500") == "1763688000.000000");
  CHECK(at("2025-11-21") == "1763683200.000000");
}

TEST_CASE("moment: local times are in the zone of this machine, where they name none") {
  ::setenv("TZ", "XYZ-5:30", 1);
  ::tzset();
  CHECK(at("2025-11-21T06:50:00", true) == "1763688000.000000");
  CHECK(at("2025-11-21T01:20:00Z", true) == "1763688000.000000");
  ::unsetenv("TZ");
  ::tzset();
}

TEST_CASE("moment: seconds since the epoch are a time, too") { CHECK(at("1763688000.5") == "1763688000.500000"); }

TEST_CASE("moment: a plus is a time after the first frame") {
  const WallTime first{1000s};
  CHECK(parse_moment("+10m", false)->in(first) == first + 10min);
  CHECK(parse_moment("+1500ms", false)->in(first) == first + 1500ms);
  CHECK(parse_moment("1763688000", false)->in(first) == WallTime(1763688000s));
}

TEST_CASE("moment: anything else is none") {
  for (const char* const text :
       {"", "+", "+10", "10m", "2025", "2025-11", "2025-13-01", "2025-11-21T", "2025-11-21T25:00",
        "2025-11-21T01:20:00.", "2025-11-21T01:20:00X", "2025-11-21T01:20:00+1", "2025-11-21T01:20:00Zx", "2025/11/21",
        "yesterday", "-5", "2025-11-21T01:20:00.5.5"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_moment(text, false).has_value());
  }
}

}  // namespace
