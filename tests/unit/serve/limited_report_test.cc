#include "serve/limited_report.h"

#include <doctest/doctest.h>

#include <vector>

#include "support/fake_clock.h"
#include "support/io.h"

namespace {

using namespace fp;
using namespace std::chrono_literals;

struct Site {
  void lines(int count) {
    for (int i = 0; i < count; ++i) report.line("line");
  }
  test::FakeClock clock;
  Loop loop;
  std::vector<std::string> said;
  LimitedReport report{loop, clock, "filter a: ", [this](Severity, const std::string& text) { said.push_back(text); }};
};

TEST_CASE("LimitedReport: a few lines are passed on, with the prefix") {
  Site site;
  site.lines(LimitedReport::kMostLines);
  site.report.settle();
  CHECK(site.said == std::vector<std::string>(LimitedReport::kMostLines, "filter a: line"));
}

TEST_CASE("LimitedReport: of many within a second, the rest is counted, and said by itself") {
  Site site;
  site.lines(LimitedReport::kMostLines + 5);
  CHECK(site.said.size() == LimitedReport::kMostLines);
  CHECK(test::eventually([&] {
    ::ev_run(site.loop.raw(), EVRUN_NOWAIT);
    return site.said.size() == LimitedReport::kMostLines + 1;
  }));
  CHECK(site.said.back() == "filter a: 5 lines more within a second, left out here");
}

TEST_CASE("LimitedReport: the next second has lines of its own, behind the count of the one before") {
  Site site;
  site.lines(LimitedReport::kMostLines + 1);
  site.clock.tick(1s);
  site.lines(1);
  REQUIRE(site.said.size() == LimitedReport::kMostLines + 2);
  CHECK(site.said[LimitedReport::kMostLines] == "filter a: 1 line more within a second, left out here");
  CHECK(site.said.back() == "filter a: line");
}

}  // namespace
