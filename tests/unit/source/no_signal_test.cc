#include "source/no_signal.h"

#include <doctest/doctest.h>

#include "support/fake_clock.h"
#include "support/make_frame.h"

namespace {

using namespace fp;
using namespace std::chrono_literals;

TEST_CASE("NoSignal: hold repeats the last frame once a second, with its old time and number") {
  test::FakeClock clock;
  NoSignal no_signal(NoSignal::Policy::Hold, clock);
  CHECK_FALSE(no_signal.tick("gone"));  // before the first frame there is nothing to hold
  const FramePtr frame = test::make_frame(7);
  no_signal.seen(frame);
  CHECK_FALSE(no_signal.tick("gone"));
  clock.tick(1s);
  const FramePtr held = no_signal.tick("gone");
  REQUIRE(held);
  CHECK(held->signal == Signal::Held);
  CHECK(held->sequence == frame->sequence);
  CHECK(held->captured == frame->captured);
  CHECK(held->jpeg.data() == frame->jpeg.data());
  CHECK_FALSE(no_signal.tick("gone"));
  clock.tick(1s);
  CHECK(no_signal.tick("gone"));
  clock.tick(1s);
  CHECK_FALSE(no_signal.tick(""));  // no trouble
}

TEST_CASE("NoSignal: a card has the size of the last frame, and says that it is one") {
  test::FakeClock clock;
  NoSignal no_signal(NoSignal::Policy::Card, clock);
  clock.tick(1s);
  FramePtr card = no_signal.tick("/dev/video0: No such device");
  REQUIRE(card);
  CHECK(card->signal == Signal::Card);
  CHECK(card->picture.width_px == 640);
  no_signal.seen(test::make_frame(7));
  clock.tick(1s);
  card = no_signal.tick(std::string(300, 'x'));
  REQUIRE(card);
  CHECK(card->picture.width_px == test::make_frame(7)->picture.width_px);
}

TEST_CASE("NoSignal: none gives nothing") {
  test::FakeClock clock;
  NoSignal no_signal(NoSignal::Policy::None, clock);
  no_signal.seen(test::make_frame(1));
  clock.tick(5s);
  CHECK_FALSE(no_signal.tick("gone"));
}

}  // namespace
