#include "serve/feed.h"

#include <doctest/doctest.h>

#include "support/fake_clock.h"
#include "support/io.h"
#include "support/loops.h"
#include "support/make_frame.h"

namespace {

using namespace fp;
using namespace std::chrono_literals;

struct Watcher final : Subscriber {
  void frame_arrived() override {
    ++told;
    if (then) then();
  }
  int told = 0;
  std::function<void()> then;
};

// A camera whose source says nothing: the test speaks through its hub.
struct Site {
  Site() {
    CameraOptions front{"front", parse_source("fd:" + std::to_string(pair.read.get()), "camgrab").value(), false};
    camera = std::make_shared<Camera>(loop, clock, front, options, "", Report(), std::function<void()>());
  }
  bool run_until(const std::function<bool()>& holds) { return test::run_until(loop, holds); }
  void publish(std::uint64_t sequence) {
    camera->hub().publish(test::make_frame(sequence, test::make_jpeg(1, 320, 240)));
  }
  // Waits until the feed has this frame.
  void await(const Feed& feed, std::uint64_t sequence) {
    REQUIRE(run_until([&] { return feed.hub().newest() && feed.hub().newest()->frame().sequence == sequence; }));
  }
  test::FakeClock clock;
  Loop loop;
  ServeOptions options;
  test::Pair pair = test::make_socketpair();
  VariantPool pool{loop, 2};
  std::shared_ptr<Camera> camera;
};

TEST_CASE("Feed: without a wish it is the camera's own hub, and no thread runs") {
  Site site;
  Feed feed(*site.camera, site.pool);
  REQUIRE(feed.choose({}));
  CHECK(&feed.hub() == &site.camera->hub());
  CHECK(site.camera->watchers() == 1);
  CHECK(site.pool.threads() == 0);
}

TEST_CASE("Feed: its subscriber goes along from one variant to the other, and the one that is left ends") {
  Site site;
  Watcher watcher;
  const Pacer pacer(0);
  Feed feed(*site.camera, site.pool);
  REQUIRE(feed.choose({.width_px = 160}));
  feed.attach(watcher, pacer);
  site.publish(1);
  site.await(feed, 1);
  REQUIRE(feed.choose({.width_px = 80}));
  site.publish(2);
  site.await(feed, 2);
  CHECK(feed.newer_than(0)->frame().picture.width_px == 80);
  CHECK(watcher.told >= 2);
  REQUIRE(site.camera->variants().all().size() == 1);
  CHECK(site.camera->variants().all()[0]->key() == VariantKey{.width_px = 80});
  REQUIRE(feed.choose({}));
  CHECK(&feed.hub() == &site.camera->hub());
  CHECK(site.run_until([&] { return site.pool.threads() == 0; }));
}

TEST_CASE("Feed: may leave a variant while that is telling it of a frame") {
  Site site;
  Watcher watcher;
  const Pacer pacer(0);
  Feed feed(*site.camera, site.pool);
  REQUIRE(feed.choose({.quality_percent = 50}));
  feed.attach(watcher, pacer);
  int quality = 50;
  watcher.then = [&] { (void)feed.choose({.quality_percent = ++quality}); };
  for (std::uint64_t i = 1; i <= 20; ++i) {
    const int told = watcher.told;
    site.publish(i);
    REQUIRE(site.run_until([&] { return watcher.told > told; }));
  }
  CHECK(feed.key().quality_percent == quality);
  CHECK(site.run_until([&] { return site.camera->variants().all().size() == 1; }));
}

TEST_CASE("Feed: never gives a frame that is older than the one that was taken, in whatever variant") {
  Site site;
  Watcher watcher;
  const Pacer pacer(0);
  Feed feed(*site.camera, site.pool);
  feed.attach(watcher, pacer);
  std::uint64_t taken = 0;
  std::uint64_t last = 0;
  for (std::uint64_t i = 1; i <= 200; ++i) {
    site.publish(i);
    if (i % 7 == 0) REQUIRE(feed.choose({.quality_percent = static_cast<int>(30 + i % 4 * 10)}));
    ::ev_run(site.loop.raw(), EVRUN_NOWAIT);
    if (const PacketPtr packet = feed.newer_than(taken)) {
      CHECK(packet->frame().sequence > last);
      last = packet->frame().sequence;
      taken = packet->origin();
    }
  }
}

TEST_CASE("Feed: whoever comes to a variant that has slept does not get its old frame") {
  Site site;
  Watcher slow;
  Pacer one_a_minute(1.0 / 60);
  Feed sleepy(*site.camera, site.pool);
  REQUIRE(sleepy.choose({.width_px = 160}));
  sleepy.attach(slow, one_a_minute);
  site.publish(1);
  site.await(sleepy, 1);
  one_a_minute.passed(site.clock.steady());
  site.publish(2);
  CHECK(sleepy.hub().newest()->frame().sequence == 1);
  Watcher watcher;
  const Pacer pacer(0);
  Feed feed(*site.camera, site.pool);
  REQUIRE(feed.choose({.width_px = 160}));
  feed.attach(watcher, pacer);
  CHECK(feed.newer_than(0) == nullptr);
  site.await(feed, 2);
  CHECK(feed.newer_than(0)->frame().sequence == 2);
}

TEST_CASE("Feed: stays where it is when there is no room for another variant") {
  Site site;
  std::vector<std::unique_ptr<Feed>> others;
  for (int i = 1; i <= 8; ++i) {
    others.push_back(std::make_unique<Feed>(*site.camera, site.pool));
    REQUIRE(others.back()->choose({.quality_percent = i}));
  }
  Feed feed(*site.camera, site.pool);
  CHECK_FALSE(feed.choose({.quality_percent = 50}));
  CHECK(&feed.hub() == &site.camera->hub());
  CHECK(feed.choose({.quality_percent = 8}));
}

TEST_CASE("Feed: keeps the camera until its variant has gone") {
  Site site;
  auto feed = std::make_unique<Feed>(*site.camera, site.pool);
  REQUIRE(feed->choose({.width_px = 160}));
  site.publish(1);
  const std::weak_ptr<Camera> camera = site.camera;
  site.camera.reset();
  CHECK_FALSE(camera.expired());
  REQUIRE(feed->choose({}));
  feed.reset();
  CHECK(site.run_until([&] { return camera.expired(); }));
}

}  // namespace
