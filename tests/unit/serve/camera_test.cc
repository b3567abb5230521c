#include "serve/camera.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <string>

#include "serve/snapshot.h"
#include "support/fake_clock.h"
#include "support/io.h"
#include "support/loops.h"
#include "support/make_frame.h"

namespace {

using namespace fp;
using namespace std::chrono_literals;

// A camera whose source is a descriptor that the test writes to.
struct Site {
  explicit Site(ServeOptions serve = {}) : options(serve) {}
  Camera& open(const std::string& spec, bool on_demand = false) {
    CameraOptions camera{"front", parse_source(spec, "camgrab").value(), on_demand};
    owned = std::make_shared<Camera>(loop, clock, camera, options, "", Report(), [this] { ++changes; });
    return *owned;
  }
  Camera& open() { return open("fd:" + std::to_string(pair.read.get())); }
  void send(std::uint64_t sequence) {
    Frame frame = *test::make_frame(sequence);
    frame.captured = clock.wall();
    REQUIRE(test::write_all(pair.write.get(), test::part_of(frame)));
  }
  bool run_until(const std::function<bool()>& holds) { return test::run_until(loop, holds); }
  // Sends a frame and waits until the hub has it.
  void feed(std::uint64_t sequence) {
    send(sequence);
    REQUIRE(run_until([&] {
      const PacketPtr& newest = owned->hub().newest_frame();
      return newest && newest->frame().sequence == sequence;
    }));
  }
  [[nodiscard]] Signal shown() const { return owned->hub().newest()->frame().signal; }

  test::FakeClock clock;
  Loop loop;
  ServeOptions options;
  test::Pair pair = test::make_socketpair();
  int changes = 0;
  std::shared_ptr<Camera> owned;
};

TEST_CASE("Camera: shows a card before the first frame, then the frame") {
  Site site;
  const Camera& camera = site.open();
  CHECK(site.shown() == Signal::Card);
  CHECK(std::string(name_of(camera.status())) == "waiting");
  CHECK(camera.reason() == "waiting for the first frame");
  site.feed(1);
  CHECK(site.shown() == Signal::Live);
  CHECK(std::string(name_of(camera.status())) == "live");
  CHECK(camera.fresh());
}

TEST_CASE("Camera: a picture that has grown stale gives way to a card of its size, and comes back") {
  Site site;
  Camera& camera = site.open();
  site.feed(1);
  site.clock.tick(11s);
  CHECK_FALSE(camera.fresh());
  REQUIRE(site.run_until([&] { return site.shown() == Signal::Card; }));
  CHECK(camera.hub().newest()->frame().picture.width_px == camera.hub().newest_frame()->frame().picture.width_px);
  CHECK(std::string(name_of(camera.status())) == "stalled");
  site.feed(2);
  CHECK(site.shown() == Signal::Live);
}

TEST_CASE("Camera: with stale 0 a picture never grows stale") {
  Site site(ServeOptions{.stale = 0ms, .trace = {}});
  const Camera& camera = site.open();
  site.feed(1);
  site.clock.tick(24h);
  CHECK(camera.fresh());
}

TEST_CASE("Camera: missing Huffman tables are put in for the browsers that need them") {
  Site site;
  Camera& camera = site.open();
  const FramePtr bare = test::make_frame(1, test::without_huffman_tables(test::make_jpeg(1)));
  REQUIRE(test::write_all(site.pair.write.get(), test::part_of(*bare)));
  REQUIRE(site.run_until([&] { return camera.hub().newest_frame() != nullptr; }));
  jpeg::Walker walker;
  REQUIRE(walker.walk(camera.hub().newest_frame()->frame().jpeg.view()) == jpeg::Walker::Status::Done);
  CHECK(walker.info().huffman_tables);
}

TEST_CASE("Camera: the end of its source is told once for good") {
  Site site;
  const Camera& camera = site.open();
  site.feed(1);
  site.pair.write.reset();
  CHECK(site.run_until([&] { return site.changes == 1; }));
  CHECK(camera.ended());
}

TEST_CASE("Camera: on demand, its source starts with the first viewer and stops after the last") {
  const test::TempDir folder;
  Site site(ServeOptions{.idle = 10ms, .trace = {}});
  Camera& camera = site.open("exec:echo $$ >> " + (folder / "starts") + "; exec sleep 1000", /*on_demand=*/true);
  CHECK(std::string(name_of(camera.status())) == "idle");
  CHECK(camera.opened() == 0);
  for (std::uint64_t i = 1; i <= 2; ++i) {
    {
      const Camera::Watch first(camera);
      const Camera::Watch second(camera);
      CHECK(camera.watchers() == 2);
      REQUIRE(site.run_until([&] {
        const std::string starts = test::read_file(folder / "starts");
        return std::count(starts.begin(), starts.end(), '\n') == static_cast<long>(i);
      }));
      CHECK(std::string(name_of(camera.status())) != "idle");
    }
    CHECK(site.run_until([&] { return camera.status() == CameraStatus::Idle; }));
    CHECK(camera.opened() == i);
  }
}

TEST_CASE("Camera: a source that cannot be opened ends the program, saying which camera") {
  Site site;
  try {
    site.open("/no/such/file");
    FAIL("opened");
  } catch (const Failure& failure) {
    CHECK(static_cast<int>(failure.code) == static_cast<int>(Exit::NoInput));
    CHECK(failure.text.find("camera front: /no/such/file: ") == 0);
  }
}

TEST_CASE("satisfies: nothing, and a stale picture, satisfy no wish") {
  Site site;
  Camera& camera = site.open();
  CHECK_FALSE(satisfies(camera, camera.hub().newest_frame(), {}, site.clock.wall()));
  site.feed(1);
  CHECK(satisfies(camera, camera.hub().newest_frame(), {}, site.clock.wall()));
  site.clock.tick(11s);
  CHECK_FALSE(satisfies(camera, camera.hub().newest_frame(), {}, site.clock.wall()));
}

TEST_CASE("satisfies: max_age asks for a picture no older than that") {
  Site site;
  Camera& camera = site.open();
  site.feed(1);
  site.clock.tick(500ms);
  const PacketPtr newest = camera.hub().newest_frame();
  CHECK(satisfies(camera, newest, {.max_age = 500ms, .after = {}, .known_etag = {}}, site.clock.wall()));
  CHECK_FALSE(satisfies(camera, newest, {.max_age = 499ms, .after = {}, .known_etag = {}}, site.clock.wall()));
}

TEST_CASE("satisfies: after asks for a picture behind that number") {
  Site site;
  Camera& camera = site.open();
  site.feed(7);
  const PacketPtr newest = camera.hub().newest_frame();
  CHECK(satisfies(camera, newest, {.max_age = {}, .after = 6, .known_etag = {}}, site.clock.wall()));
  CHECK_FALSE(satisfies(camera, newest, {.max_age = {}, .after = 7, .known_etag = {}}, site.clock.wall()));
}

}  // namespace
