#include "detect/delay_line.h"

#include <doctest/doctest.h>

#include <vector>

#include "support/fake_clock.h"
#include "support/make_frame.h"

using namespace fp;
using namespace fp::detect;
using namespace std::chrono_literals;
using fp::test::FakeClock;
using fp::test::make_frame;

namespace {

const std::string& small() {
  static const std::string jpeg = fp::test::make_jpeg(1);
  return jpeg;
}

FramePtr frame_of(std::uint64_t sequence) { return make_frame(sequence, small()); }

// Of a size in bytes; the line does not look into it.
FramePtr large_frame(std::uint64_t sequence, std::size_t bytes) {
  Frame frame;
  frame.jpeg = Blob::copy_of(as_bytes(std::string(bytes, 'x')));
  frame.sequence = sequence;
  return std::make_shared<const Frame>(std::move(frame));
}

// Looks at one frame for so long that the line's delay becomes that, and empties the line.
void slow_down(DelayLine& line, FakeClock& clock, std::chrono::milliseconds took) {
  line.push(frame_of(0), clock.steady());
  const auto look = line.begin_look();
  REQUIRE(look);
  clock.tick(took);
  REQUIRE(line.found(look->ticket, nullptr, clock.steady()));
  while (line.drain().frame) {
  }
}

// The X-Sequence of what leaves, or 0.
std::uint64_t sequence_of(const DelayLine::Leaving& leaving) { return leaving.frame ? leaving.frame->sequence : 0; }

std::vector<std::uint64_t> all_due(DelayLine& line, SteadyTime now) {
  std::vector<std::uint64_t> left;
  while (const auto leaving = line.pop(now).frame) left.push_back(leaving->sequence);
  return left;
}

}  // namespace

TEST_CASE("DelayLine: while nothing was looked at, a frame leaves as soon as it comes") {
  const FakeClock clock;
  DelayLine line;
  CHECK_FALSE(line.due());
  line.push(frame_of(1), clock.steady());
  CHECK(line.due() == clock.steady());
  const auto [frame, looked, changed] = line.pop(clock.steady());
  REQUIRE(frame);
  CHECK(frame->sequence == 1);
  CHECK_FALSE(looked);
  CHECK_FALSE(changed);
  CHECK_FALSE(line.pop(clock.steady()).frame);
}

TEST_CASE("DelayLine: the result leaves instead of its frame, behind those before and in front of those after") {
  FakeClock clock;
  DelayLine line;
  slow_down(line, clock, 200ms);
  const SteadyTime begin = clock.steady();
  for (std::uint64_t i = 1; i <= 3; ++i) {
    line.push(frame_of(i), clock.steady());
    if (i < 3) clock.tick(33ms);
  }
  const auto look = line.begin_look();
  REQUIRE(look);
  CHECK(look->frame->sequence == 3);
  CHECK(sequence_of(line.pop(begin + 199ms)) == 0);
  CHECK(sequence_of(line.pop(begin + 200ms)) == 1);
  CHECK(sequence_of(line.pop(begin + 200ms)) == 0);

  clock.tick(200ms);
  Frame result = *look->frame;
  result.extra.push_back({"X-Detections", "{}"});
  CHECK(line.found(look->ticket, std::make_shared<const Frame>(std::move(result)), clock.steady()));
  CHECK(sequence_of(line.pop(begin + 233ms)) == 2);
  CHECK(sequence_of(line.pop(begin + 265ms)) == 0);
  const auto third = line.pop(begin + 266ms);
  REQUIRE(third.frame);
  CHECK(third.looked);
  CHECK(third.changed);
  CHECK(third.frame->extra.size() == 1);
}

TEST_CASE("DelayLine: only the newest frame is looked at, and each once") {
  const FakeClock clock;
  DelayLine line;
  CHECK_FALSE(line.begin_look());
  line.push(frame_of(1), clock.steady());
  line.push(frame_of(2), clock.steady());
  const auto look = line.begin_look();
  REQUIRE(look);
  CHECK(look->frame->sequence == 2);
  CHECK_FALSE(line.begin_look());
  line.push(frame_of(3), clock.steady());
  CHECK(line.begin_look()->frame->sequence == 3);
}

TEST_CASE("DelayLine: the delay grows at once, shrinks slowly, and is never more than two seconds") {
  FakeClock clock;
  DelayLine line;
  slow_down(line, clock, 200ms);
  CHECK(line.delay() == 200ms);
  slow_down(line, clock, 100ms);
  CHECK(line.delay() < 200ms);
  CHECK(line.delay() >= 150ms);
  for (int i = 0; i < 200; ++i) slow_down(line, clock, 100ms);
  CHECK(line.delay() < 101ms);
  CHECK(line.delay() >= 100ms);
  slow_down(line, clock, 5000ms);
  CHECK(line.delay() == DelayLine::kMostDelay);
}

TEST_CASE("DelayLine: a frame that is being looked at is waited for, but for two seconds at most") {
  FakeClock clock;
  DelayLine line;
  const SteadyTime begin = clock.steady();
  line.push(frame_of(1), begin);
  const auto look = line.begin_look();
  REQUIRE(look);
  line.push(frame_of(2), begin + 33ms);
  CHECK_FALSE(line.pop(begin + 1999ms).frame);
  CHECK(line.due() == begin + 2s);
  const auto [frame, looked, changed] = line.pop(begin + 2s);
  REQUIRE(frame);
  CHECK(frame->sequence == 1);
  CHECK_FALSE(looked);
  CHECK_FALSE(changed);
  CHECK_FALSE(line.found(look->ticket, nullptr, begin + 2100ms));
  CHECK(sequence_of(line.pop(begin + 2100ms)) == 2);
}

TEST_CASE("DelayLine: when several are due at once the newest leaves, and the others are counted") {
  FakeClock clock;
  DelayLine line;
  slow_down(line, clock, 100ms);
  const SteadyTime begin = clock.steady();
  for (std::uint64_t i = 1; i <= 4; ++i) line.push(frame_of(i), begin + (i - 1) * 10ms);
  CHECK(all_due(line, begin + 125ms) == std::vector<std::uint64_t>{3});
  CHECK(line.dropped() == 2);
  CHECK(all_due(line, begin + 130ms) == std::vector<std::uint64_t>{4});
  CHECK(line.dropped() == 2);
}

TEST_CASE("DelayLine: what was looked at is not dropped in favour of a newer one") {
  FakeClock clock;
  DelayLine line;
  slow_down(line, clock, 100ms);
  const SteadyTime begin = clock.steady();
  line.push(frame_of(1), begin);
  const auto look = line.begin_look();
  REQUIRE(look);
  line.push(frame_of(2), begin + 10ms);
  line.push(frame_of(3), begin + 20ms);
  REQUIRE(line.found(look->ticket, nullptr, begin + 50ms));
  const auto first = line.pop(begin + 500ms);
  REQUIRE(first.frame);
  CHECK(first.frame->sequence == 1);
  CHECK(first.looked);
  CHECK_FALSE(first.changed);
  CHECK(all_due(line, begin + 500ms) == std::vector<std::uint64_t>{3});
  CHECK(line.dropped() == 1);
}

TEST_CASE("DelayLine: frames never leave in another order, whatever is looked at and for how long") {
  FakeClock clock;
  DelayLine line;
  std::optional<DelayLine::Look> look;
  SteadyTime done;
  std::uint64_t last = 0;
  std::uint64_t left = 0;
  std::uint64_t seen = 0;
  for (std::uint64_t i = 1; i <= 1000; ++i) {
    line.push(frame_of(i), clock.steady());
    if (!look && (look = line.begin_look())) done = clock.steady() + std::chrono::milliseconds(i * 37 % 400);
    if (look && clock.steady() >= done) {
      CHECK(line.found(look->ticket, look->frame, clock.steady()));
      look.reset();
    }
    while (true) {
      const auto [frame, looked, changed] = line.pop(clock.steady());
      if (!frame) break;
      CHECK(frame->sequence > last);
      last = frame->sequence;
      ++left;
      CHECK(looked == changed);
      if (looked) ++seen;
    }
    clock.tick(33ms);
  }
  CHECK(left + line.dropped() + 60 >= 1000);  // two seconds of frames may be in it still
  CHECK(seen > 50);
}

TEST_CASE("DelayLine: more than 64 MiB are not kept, the oldest go") {
  const FakeClock clock;
  DelayLine line;
  constexpr std::size_t kEach = 10u << 20;
  line.push(large_frame(1, kEach), clock.steady());
  const auto look = line.begin_look();
  REQUIRE(look);
  for (std::uint64_t i = 2; i <= 8; ++i) line.push(large_frame(i, kEach), clock.steady());
  CHECK(line.dropped() == 2);
  CHECK(sequence_of(line.drain()) == 3);
  CHECK_FALSE(line.found(look->ticket, nullptr, clock.steady()));
  // One that is larger than all of it still passes.
  line.push(large_frame(9, DelayLine::kMostBytes + 1), clock.steady());
  CHECK(sequence_of(line.drain()) == 9);
  CHECK_FALSE(line.drain().frame);
}

TEST_CASE("DelayLine: what is left at the end leaves in order, due or not") {
  FakeClock clock;
  DelayLine line;
  slow_down(line, clock, 1000ms);
  for (std::uint64_t i = 1; i <= 3; ++i) line.push(frame_of(i), clock.steady());
  for (std::uint64_t i = 1; i <= 3; ++i) CHECK(sequence_of(line.drain()) == i);
  CHECK_FALSE(line.drain().frame);
}

TEST_CASE("DelayLine: what is thrown away cannot be found any more") {
  const FakeClock clock;
  DelayLine line;
  line.push(frame_of(1), clock.steady());
  const auto look = line.begin_look();
  REQUIRE(look);
  line.clear();
  CHECK(line.dropped() == 1);
  CHECK_FALSE(line.found(look->ticket, nullptr, clock.steady()));
  CHECK_FALSE(line.due());
}
