#include "record/trigger.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "support/make_frame.h"

namespace {

using namespace fp;
using namespace fp::record;
using namespace std::chrono_literals;

using Numbers = std::vector<std::uint64_t>;

Timed timed(std::uint64_t second) {
  return {test::make_frame(second), SteadyTime(std::chrono::seconds(1000 + second))};
}

Numbers numbers(const std::deque<Timed>& frames) {
  Numbers numbers;
  for (const Timed& one : frames) numbers.push_back(one.frame->sequence);
  return numbers;
}

struct Site {
  // Frame by frame, a second apart; what is recorded, with 1000 for the end of an event.
  Numbers run(const std::string& holds) {
    Numbers recorded;
    for (std::size_t i = 0; i < holds.size(); ++i) {
      const auto step = trigger.take(timed(i), holds[i] == '!');
      if (step.end) recorded.push_back(1000);
      for (const std::uint64_t number : numbers(step.record)) recorded.push_back(number);
    }
    return recorded;
  }
  Ring::Budget budget;
  Trigger trigger{{.pre = 2s, .post = 3s}, budget};
};

TEST_CASE("Trigger: records from so long before an event to so long after it") {
  Site site;
  CHECK(site.run("......!........") == Numbers{4, 5, 6, 7, 8, 9, 1000});
}

TEST_CASE("Trigger: an event goes on as long as there is a reason") {
  Site site;
  CHECK(site.run("...!..!.!......") == Numbers{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 1000});
}

TEST_CASE("Trigger: what was recorded already is not recorded again before the next event") {
  Site site;
  CHECK(site.run("!....!") == Numbers{0, 1, 2, 3, 1000, 4, 5});
}

TEST_CASE("Trigger: without a reason nothing is recorded") {
  Site site;
  CHECK(site.run("..........").empty());
  CHECK_FALSE(site.trigger.recording());
}

TEST_CASE("Trigger: with no times only the frames themselves are recorded") {
  Ring::Budget budget;
  Trigger trigger({}, budget);
  CHECK(numbers(trigger.take(timed(1), false).record).empty());
  CHECK(numbers(trigger.take(timed(2), true).record) == Numbers{2});
  const auto step = trigger.take(timed(3), false);
  CHECK(step.end);
  CHECK(step.record.empty());
  CHECK(budget.bytes == 0);
}

TEST_CASE("Trigger: an event ends also when no more frames come") {
  Site site;
  site.run("!");
  CHECK(site.trigger.ends() == timed(3).at);
  CHECK_FALSE(site.trigger.over(timed(3).at));
  CHECK(site.trigger.over(timed(4).at));
  CHECK_FALSE(site.trigger.over(timed(5).at));
}

TEST_CASE("Trigger: times that go back end an event, and forget what was before") {
  Site site;
  site.run("...!");
  const auto step = site.trigger.take(timed(0), false);
  CHECK(step.end);
  CHECK(step.record.empty());
  Site other;
  other.run("....");
  CHECK(numbers(other.trigger.take(timed(1), true).record) == Numbers{1});
}

TEST_CASE("Ring: keeps what is younger than its time, and no more bytes than its budget") {
  Ring::Budget budget;
  Ring ring(10s, budget);
  for (std::uint64_t i = 0; i < 30; ++i) ring.push(timed(i));
  const std::size_t eleven = budget.bytes;
  CHECK(numbers(ring.take(timed(30).at)) == Numbers{20, 21, 22, 23, 24, 25, 26, 27, 28, 29});
  CHECK(budget.bytes == 0);
  budget.most_bytes = eleven / 2;
  for (std::uint64_t i = 0; i < 30; ++i) ring.push(timed(i));
  CHECK(numbers(ring.take(timed(30).at)) == Numbers{25, 26, 27, 28, 29});
  CHECK(budget.cut_short > 0);
}

TEST_CASE("Ring: many rings share a budget, and give it back when they go") {
  Ring::Budget budget;
  auto one = std::make_unique<Ring>(10s, budget);
  one->push(timed(1));
  budget.most_bytes = budget.bytes;
  Ring two(10s, budget);
  two.push(timed(1));
  CHECK(two.take(timed(1).at).empty());
  one.reset();
  two.push(timed(2));
  CHECK(two.take(timed(2).at).size() == 1);
}

}  // namespace
