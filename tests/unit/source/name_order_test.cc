#include "source/name_order.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

namespace {

using namespace fp;

WallTime utc(long long seconds, long long micros = 0) {
  return WallTime(std::chrono::seconds(seconds) + std::chrono::microseconds(micros));
}

// "local time" is UTC while one of these lives.
struct Utc {
  Utc() {
    ::setenv("TZ", "UTC0", 1);
    ::tzset();
  }
};

int sign(int value) { return (value > 0) - (value < 0); }

TEST_CASE("compare_natural: digits count by their value") {
  const std::vector<std::string> ordered = {"",
                                            "a",
                                            "a1",
                                            "a1b",
                                            "a2",
                                            "a10",
                                            "a10b2",
                                            "a10b10",
                                            "b",
                                            "frame_9.jpg",
                                            "frame_10.jpg",
                                            "frame_100000000000000000000000.jpg",
                                            "frame_200000000000000000000000.jpg"};
  for (std::size_t i = 0; i < ordered.size(); ++i) {
    for (std::size_t j = 0; j < ordered.size(); ++j) {
      CAPTURE(ordered[i]);
      CAPTURE(ordered[j]);
      CHECK(sign(compare_natural(ordered[i], ordered[j])) == sign(static_cast<int>(i) - static_cast<int>(j)));
    }
  }
}

TEST_CASE("compare_natural: leading zeros do not count") {
  CHECK(compare_natural("a007", "a7") == 0);
  CHECK(compare_natural("a007", "a8") < 0);
  CHECK(compare_natural("a000", "a0") == 0);
}

TEST_CASE("compare_natural: bytes beyond ASCII come last") {
  CHECK(compare_natural("a\xC3\xBC", "az") > 0);
  CHECK(compare_natural("a\xC3\xBC", "a1") > 0);
}

TEST_CASE("time_in_name: dates and epochs are found wherever they stand") {
  const Utc zone;
  struct Case {
    const char* name;
    WallTime time;
  };
  const long long day = 1'763'733'839;  // 2025-11-21 14:03:59
  const Case cases[] = {
      {"2025-11-21_14-03-59.jpg", utc(day)},
      {"2025-11-21_14-03-59.250.jpg", utc(day, 250'000)},
      {"2025-11-21_14-03-59_250.jpg", utc(day, 250'000)},
      {"2025-11-21T14:03:59Z.jpg", utc(day)},
      {"20251121T140359Z.jpg", utc(day)},
      {"20251121_140359.jpg", utc(day)},
      {"20251121140359.jpg", utc(day)},
      {"20251121140359250.jpg", utc(day, 250'000)},
      {"20251121140359250123.jpg", utc(day, 250'123)},
      {"cam1-2025.11.21 14.03.59.jpg", utc(day)},
      {"front_20251121-140359-03.jpg", utc(day)},
      {"IMG_20251121_140359123.jpeg", utc(day, 123'000)},
      {"1763733839.jpg", utc(day)},
      {"1763733839.25.jpg", utc(day, 250'000)},
      {"frame-1763733839250.jpg", utc(day, 250'000)},
      {"1763733839250123.jpg", utc(day, 250'123)},
      {"1763733839250123999.jpg", utc(day, 250'123)},
      {"cam2_1763733839.jpg", utc(day)},
      {"0_1763733839.jpg", utc(day)},
      {"2024-02-29_00-00-00.jpg", utc(1'709'164'800)},
  };
  for (const Case& one : cases) {
    CAPTURE(one.name);
    const auto time = time_in_name(one.name);
    CHECK(time.has_value());
    if (time) CHECK(time->time_since_epoch().count() == one.time.time_since_epoch().count());
  }
}

TEST_CASE("time_in_name: other numbers are no time") {
  const Utc zone;
  for (const char* name :
       {"", "x.jpg", "frame_000042.jpg", "frame_12345678.jpg", "2025-11-21.jpg", "20251121.jpg",
        "2025-13-21_14-03-59.jpg", "2025-11-32_14-03-59.jpg", "2025-11-21_24-03-59.jpg", "2025-11-21_14-60-59.jpg",
        "0163733839.jpg", "123456789012.jpg", "12345678901234567890.jpg"}) {
    CAPTURE(name);
    CHECK_FALSE(time_in_name(name).has_value());
  }
}

TEST_CASE("time_in_name: a day that the month does not have is no time") {
  const Utc zone;
  CHECK_FALSE(time_in_name("2025-02-30_00-00-00.jpg").has_value());
}

}  // namespace
