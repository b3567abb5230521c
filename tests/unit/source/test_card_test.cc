#include "source/test_card.h"

#include <doctest/doctest.h>

#include "base/result.h"
#include "jpeg/hygiene.h"
#include "support/fake_clock.h"

namespace {

using namespace fp;
using namespace std::chrono_literals;

TestCard::Options small(double fps, bool every_frame = false) {
  return {.size = {64, 48}, .fps = fps, .quality_percent = 50, .every_frame = every_frame};
}

TEST_CASE("TestCard: a frame is due at once, and then one for each interval") {
  test::FakeClock clock;
  TestCard card(small(10), clock);
  std::uint64_t frames = 0;
  for (int ms = 0; ms < 2000; ++ms) {
    if (const FramePtr frame = card.advance()) CHECK(frame->sequence == frames++);
    clock.tick(1ms);
  }
  CHECK(frames == 20);
  CHECK(card.superseded() == 0);
}

TEST_CASE("TestCard: says when the next frame is due") {
  test::FakeClock clock;
  TestCard card(small(10), clock);
  const SteadyTime start = clock.steady();
  REQUIRE(card.advance() != nullptr);
  CHECK(card.wait().until == start + 100ms);
}

TEST_CASE("TestCard: asked a little late each time, it keeps its rate") {
  test::FakeClock clock;
  TestCard card(small(10), clock);
  int frames = 0;
  const SteadyTime end = clock.steady() + 10s;
  while (clock.steady() < end) {
    clock.tick(*card.wait().until - clock.steady() + 30ms);
    if (card.advance() != nullptr) ++frames;
  }
  CHECK(frames >= 99);
  CHECK(frames <= 101);
}

TEST_CASE("TestCard: late by whole frames, it skips their numbers and counts them") {
  test::FakeClock clock;
  TestCard card(small(10), clock);
  REQUIRE(card.advance()->sequence == 0);
  clock.tick(550ms);
  CHECK(card.advance()->sequence == 5);
  CHECK(card.superseded() == 4);
  CHECK(card.advance() == nullptr);
  clock.tick(50ms);
  CHECK(card.advance()->sequence == 6);
}

TEST_CASE("TestCard: with every_frame no number is skipped, however late") {
  test::FakeClock clock;
  TestCard card(small(10, true), clock);
  clock.tick(1s);
  for (std::uint64_t i = 0; i < 10; ++i) CHECK(card.advance()->sequence == i);
  CHECK(card.superseded() == 0);
}

TEST_CASE("TestCard: each frame is a whole JPEG of the size asked for, and differs from the last") {
  test::FakeClock clock;
  for (const jpeg::Size size : {jpeg::Size{640, 480}, {1, 1}, {3, 5}, {33, 17}}) {
    CAPTURE(size.width_px);
    TestCard card({.size = size}, clock);
    const FramePtr first = card.advance();
    REQUIRE(first != nullptr);
    const auto clean = jpeg::clean(first->jpeg);
    REQUIRE(clean.has_value());
    CHECK(clean->info.width_px == size.width_px);
    CHECK(first->picture.height_px == size.height_px);
    CHECK(first->captured == clock.wall());
    clock.tick(1s);
    if (size.width_px > 600) CHECK(as_text(card.advance()->jpeg.view()) != as_text(first->jpeg.view()));
  }
}

TEST_CASE("TestCard: a quality that cannot be is refused at the start") {
  const test::FakeClock clock;
  CHECK_THROWS_AS(TestCard({.size = {64, 48}, .quality_percent = 1000}, clock), Failure);
}

}  // namespace
