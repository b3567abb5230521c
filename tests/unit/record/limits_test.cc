#include "record/limits.h"

#include <doctest/doctest.h>

namespace {

using namespace fp;
using namespace fp::record;
using namespace std::chrono_literals;

TEST_CASE("limits: a small m is minutes, a large M is bytes") {
  const auto minutes = parse_limits("10m").value();
  CHECK(minutes.time == 10min);
  CHECK_FALSE(minutes.bytes);
  const auto bytes = parse_limits("10M").value();
  CHECK(bytes.bytes == 10u << 20);
  CHECK_FALSE(bytes.time);
}

TEST_CASE("limits: both stand with a comma between them, in either order") {
  for (const char* const text : {"7d,50G", "50G,7d"}) {
    const auto limits = parse_limits(text).value();
    CHECK(limits.time == 168h);
    CHECK(limits.bytes == 50ull << 30);
  }
}

TEST_CASE("limits: times and sizes are read with fractions and longer units") {
  CHECK(parse_time("1.5h") == 90min);
  CHECK(parse_time("250ms") == 250ms);
  CHECK(parse_size("1.5K") == 1536u);
  CHECK(parse_size("2GiB") == 2ull << 30);
  CHECK(parse_size("3MB") == 3u << 20);
}

TEST_CASE("limits: what is no time and no size is refused, and so are two of a kind") {
  for (const char* const text :
       {"", "10", "m", "-1s", "10m,", "10m,5s", "1G,2G", "0s", "0.1ms", "1e3s", "1x", "99999999T", "10 m", "inf s"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_limits(text).has_value());
  }
}

}  // namespace
