#include "record/player.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "record/segment.h"
#include "support/fake_clock.h"
#include "support/io.h"
#include "support/make_frame.h"

namespace {

using namespace fp;
using namespace fp::record;
using namespace std::chrono_literals;

const WallTime kBegin{1000s};

struct Site {
  // A recording of frames captured so many milliseconds after kBegin; the sequence is those milliseconds.
  void record(const std::string& name, const std::vector<int>& times_ms, bool indexed = true) const {
    Segment segment = Segment::begin(temp.path(), name).value();
    for (const int ms : times_ms) {
      Frame frame = *test::make_frame(static_cast<std::uint64_t>(ms));
      frame.captured = kBegin + std::chrono::milliseconds(ms);
      REQUIRE(segment.add(frame));
    }
    REQUIRE(segment.finish());
    if (!indexed) std::filesystem::remove(index_of(temp / name));
  }
  Player play(const Player::Options& options = {}) {
    return Player::open(find_recordings({temp.path()}).value(), options, clock,
                        [this](Severity, const std::string& text) { said.push_back(text); })
        .value();
  }
  // What is given at once, in turn; ticks for as long as a frame is waited for.
  std::vector<std::uint64_t> rest(Player& player, std::size_t most = 100) {
    std::vector<std::uint64_t> numbers;
    while (!player.ended() && numbers.size() < most) {
      if (const FramePtr frame = player.advance()) {
        numbers.push_back(frame->sequence);
      } else {
        clock.tick(*player.wait().until - clock.steady());
      }
    }
    return numbers;
  }
  test::TempDir temp;
  test::FakeClock clock;
  std::vector<std::string> said;
};
using Numbers = std::vector<std::uint64_t>;

std::optional<Moment> after(std::chrono::milliseconds time) { return Moment{std::nullopt, time}; }

TEST_CASE("Player: gives each frame when it is due, as it was recorded") {
  Site site;
  site.record("a.mjpeg", {0, 100, 250});
  Player player = site.play();
  CHECK(player.advance()->sequence == 0);
  CHECK_FALSE(player.advance());
  site.clock.tick(99ms);
  CHECK_FALSE(player.advance());
  site.clock.tick(1ms);
  const FramePtr frame = player.advance();
  REQUIRE(frame);
  CHECK(frame->captured == kBegin + 100ms);
  CHECK(player.wait().until == site.clock.steady() + 150ms);
}

TEST_CASE("Player: plays faster and slower") {
  Site site;
  site.record("a.mjpeg", {0, 100});
  Player fast = site.play({.speed = 4});
  CHECK(fast.advance());
  CHECK(fast.wait().until == site.clock.steady() + 25ms);
  Player slow = site.play({.speed = 0.5});
  CHECK(slow.advance());
  CHECK(slow.wait().until == site.clock.steady() + 200ms);
  Player at_once = site.play({.speed = 0});
  CHECK(at_once.advance());
  CHECK(at_once.advance());
  CHECK(at_once.ended());
}

TEST_CASE("Player: shortens a gap between two recordings, but none within one") {
  Site site;
  site.record("a.mjpeg", {0, 60'000});
  site.record("b.mjpeg", {3600'000, 3600'100});
  Player player = site.play();
  CHECK(player.advance());
  CHECK(player.wait().until == site.clock.steady() + 60s);
  site.clock.tick(60s);
  CHECK(player.advance());
  CHECK(player.wait().until == site.clock.steady() + 2s);
  site.clock.tick(2s);
  CHECK(player.advance());
  CHECK(player.wait().until == site.clock.steady() + 100ms);
}

TEST_CASE("Player: does not wait where times go back") {
  Site site;
  site.record("a.mjpeg", {500, 100, 200});
  Player player = site.play();
  CHECK(player.advance());
  CHECK(player.advance()->sequence == 100);
  CHECK(player.wait().until == site.clock.steady() + 100ms);
}

TEST_CASE("Player: a reader that was away for long gets no burst of all that it missed") {
  Site site;
  site.record("a.mjpeg", {0, 100, 200, 300});
  Player player = site.play();
  CHECK(player.advance());
  site.clock.tick(1h);
  CHECK(player.advance()->sequence == 100);
  CHECK_FALSE(player.advance());
  CHECK(player.wait().until == site.clock.steady() + 100ms);
}

TEST_CASE("Player: begins and ends where it is told, with an index and without one") {
  for (const bool indexed : {true, false}) {
    CAPTURE(indexed);
    Site site;
    site.record("a.mjpeg", {0, 100, 200}, indexed);
    site.record("b.mjpeg", {300, 400, 500}, indexed);
    Player player = site.play({.speed = 0, .from = after(200ms), .to = after(400ms)});
    CHECK(site.rest(player) == Numbers{200, 300});
    Player absolute = site.play({.speed = 0, .from = Moment{kBegin + 350ms, {}}});
    CHECK(site.rest(absolute) == Numbers{400, 500});
  }
}

TEST_CASE("Player: with an index it reads nothing in front of the place where it begins") {
  Site site;
  site.record("a.mjpeg", {0, 100, 200});
  // Damaged in front, with the size as it was.
  std::string bytes = test::read_file(site.temp / "a.mjpeg");
  bytes.replace(0, 200, 200, 'x');
  test::write_file(site.temp / "a.mjpeg", bytes);
  Player player = site.play({.speed = 0, .from = after(100ms)});
  CHECK(site.rest(player) == Numbers{100, 200});
  CHECK(site.said.empty());
}

TEST_CASE("Player: plays again and again, and does not spin over one frame") {
  Site site;
  site.record("a.mjpeg", {0});
  Player player = site.play({.loop = true});
  CHECK(site.rest(player, 3) == Numbers{0, 0, 0});
  CHECK_FALSE(player.advance());
  CHECK_FALSE(player.ended());
}

TEST_CASE("Player: with new times frames are stamped and counted as they are given") {
  Site site;
  site.record("a.mjpeg", {500, 600});
  Player player = site.play({.now = true});
  const WallTime now = site.clock.wall();
  CHECK(player.advance()->captured == now);
  site.clock.tick(100ms);
  const FramePtr frame = player.advance();
  CHECK(frame->captured == now + 100ms);
  CHECK(frame->sequence == 1);
}

TEST_CASE("Player: a damaged recording gives what is whole in it, and it is said") {
  Site site;
  site.record("a.mjpeg", {0, 100, 200});
  std::string bytes = test::read_file(site.temp / "a.mjpeg");
  bytes.resize(bytes.size() - 20);
  test::write_file(site.temp / "a.mjpeg", bytes);
  Player player = site.play({.speed = 0});
  CHECK(site.rest(player) == Numbers{0, 100});
  REQUIRE(site.said.size() == 1);
  CHECK(site.said[0].find("1 truncated") != std::string::npos);
}

TEST_CASE("Player: goes on with the next when a recording has been removed meanwhile") {
  Site site;
  site.record("a.mjpeg", {0});
  site.record("b.mjpeg", {100});
  site.record("c.mjpeg", {200});
  auto recordings = find_recordings({site.temp.path()}).value();
  std::filesystem::remove(site.temp / "b.mjpeg");
  Player player = Player::open(std::move(recordings), {.speed = 0}, site.clock, [&](Severity, const std::string& text) {
                    site.said.push_back(text);
                  }).value();
  CHECK(site.rest(player) == Numbers{0, 200});
  CHECK(site.said.size() == 1);
}

TEST_CASE("Player: nothing to play is an error") {
  Site site;
  site.record("a.mjpeg", {0});
  const auto recordings = find_recordings({site.temp.path()}).value();
  CHECK_FALSE(Player::open(recordings, {.from = after(1s)}, site.clock, {}).has_value());
}

}  // namespace
