#include "frame/skips.h"

#include <doctest/doctest.h>

#include <set>
#include <vector>

namespace {

using namespace fp;
using namespace std::chrono_literals;

TEST_CASE("Skips: every reason has a name of its own") {
  std::set<std::string> names;
  for (std::size_t i = 0; i < kSkipReasons; ++i) names.insert(name_of(static_cast<Skip>(i)));
  CHECK(names.size() == kSkipReasons);
}

TEST_CASE("Skips: are described by reason, with the bytes; nothing is an empty text") {
  Skips skips;
  CHECK(skips.describe().empty());
  for (int i = 0; i < 3; ++i) skips.add(Skip::Truncated);
  skips.add(Skip::Junk);
  skips.bytes = 5200;
  CHECK(skips.describe() == "1 junk, 3 truncated (5.2 KB in all)");
}

TEST_CASE("Skips: what was added can be taken away again") {
  Skips a;
  a.add(Skip::Empty);
  a.bytes = 10;
  Skips b = a;
  b.add(Skip::TooLarge);
  b.bytes = 25;
  b -= a;
  CHECK(b.total() == 1);
  CHECK(b.of(Skip::TooLarge) == 1);
  CHECK(b.bytes == 15);
  b += a;
  CHECK(b.total() == 2);
}

TEST_CASE("SkipReporter: says the first skip at once and the next ones together, ten seconds later") {
  std::vector<std::string> said;
  SkipReporter reporter("camera", [&](Severity, const std::string& text) { said.push_back(text); });
  Skips skips;
  const SteadyTime start{1h};
  reporter.update(skips, start);
  CHECK(said.empty());
  skips.add(Skip::Corrupt);
  reporter.update(skips, start);
  REQUIRE(said.size() == 1);
  CHECK(said[0] == "camera: skipped 1 corrupt (0 B in all)");
  for (int i = 0; i < 9; ++i) {
    skips.add(Skip::Corrupt);
    reporter.update(skips, start + i * 1s);
  }
  CHECK(said.size() == 1);
  reporter.update(skips, start + 10s);
  REQUIRE(said.size() == 2);
  CHECK(said[1] == "camera: skipped 9 corrupt (0 B in all)");
  reporter.update(skips, start + 60s);
  CHECK(said.size() == 2);
}

}  // namespace
