#include "serve/filtered.h"

#include <doctest/doctest.h>

#include <csignal>
#include <cstdio>

#include "serve/feed.h"
#include "support/filter_children.h"
#include "support/io.h"
#include "support/loops.h"
#include "support/make_frame.h"

namespace {

using namespace fp;
using namespace std::chrono_literals;

struct Watcher final : Subscriber {
  void frame_arrived() override { ++told; }
  void hub_closed() override { closed = true; }
  int told = 0;
  bool closed = false;
};

// A camera whose source says nothing: the test speaks through its hub. Its filter answers while the file `go` is there.
struct Site {
  // `stale`: the frames of tests are old: no card may come in between.
  explicit Site(bool open = true, std::chrono::milliseconds stale = 0ms) {
    options.stale = stale;
    CameraOptions front{"front", parse_source("fd:" + std::to_string(pair.read.get()), "camgrab").value(), false};
    camera = std::make_shared<Camera>(loop, clock, front, options, "", Report(), std::function<void()>());
    if (open) go();
    const std::string program =
        "for header, picture in frames():\n"
        "    while not os.path.exists('" +
        children.path("go") +
        "'): time.sleep(.005)\n"
        "    write(picture, 'X-Seen: ' + header.get('x-overlay', 'as it is'), *again(header))\n";
    filter = std::make_unique<Filter>(
        loop, clock, FilterOptions{.name = "detect", .command = children.python(program), .timeout = test::kPatience},
        Report());
  }
  void go() const { test::write_file(children.path("go"), ""); }
  bool run_until(const std::function<bool()>& holds) { return test::run_until(loop, holds); }
  void publish(std::uint64_t sequence) {
    camera->hub().publish(test::make_frame(sequence, test::make_jpeg(static_cast<int>(sequence), 320, 240)));
  }
  void show(Signal signal, const FramePtr& of) {
    auto frame = std::make_shared<Frame>(*of);
    frame->signal = signal;
    camera->hub().show(std::move(frame));
  }
  void await(const Feed& feed, std::uint64_t sequence) {
    REQUIRE(run_until([&] { return feed.hub().newest() && feed.hub().newest()->frame().sequence == sequence; }));
  }
  SystemClock clock;
  Loop loop;
  ServeOptions options;
  test::Pair pair = test::make_socketpair();
  test::FilterChildren children;
  VariantPool pool{loop, 2};
  std::unique_ptr<Filter> filter;
  std::shared_ptr<Camera> camera;
};

bool filtered(const Frame& frame) { return !frame.extra.empty() && frame.extra[0].name == "X-Seen"; }

TEST_CASE("FilteredCamera: viewers get the filter's frames, as the camera's") {
  Site site;
  Watcher watcher;
  const Pacer pacer(0);
  Feed feed(*site.camera, site.pool, {site.filter.get(), ""});
  feed.attach(watcher, pacer);
  site.publish(1);
  site.await(feed, 1);
  const Packet& packet = *feed.hub().newest();
  CHECK(packet.frame().camera == "front");
  CHECK(filtered(packet.frame()));
  CHECK(packet.origin() == site.camera->hub().newest()->origin());
  CHECK(watcher.told == 1);
  CHECK(site.camera->watchers() == 1);
}

TEST_CASE("FilteredCamera: nothing is asked while nobody wants frames") {
  Site site;
  const Feed feed(*site.camera, site.pool, {site.filter.get(), ""});
  for (std::uint64_t i = 1; i <= 5; ++i) {
    site.publish(i);
    ::ev_run(site.loop.raw(), EVRUN_NOWAIT);
  }
  CHECK(site.filter->figures().questions == 0);
}

TEST_CASE("FilteredCamera: a slow filter is asked about the newest frame alone") {
  Site site(/*open=*/false);
  Watcher watcher;
  const Pacer pacer(0);
  Feed feed(*site.camera, site.pool, {site.filter.get(), ""});
  feed.attach(watcher, pacer);
  site.publish(1);
  REQUIRE(site.run_until([&] { return std::string(site.filter->status()) != "ready"; }));
  for (std::uint64_t i = 2; i <= 9; ++i) site.publish(i);
  site.go();
  site.await(feed, 9);
  CHECK(watcher.told == 2);
  CHECK(site.filter->figures().questions == 2);
}

TEST_CASE(
    "FilteredCamera: while too many questions wait it is refused, and asks again in a while, also without a frame") {
  Site site(/*open=*/false);
  std::vector<std::unique_ptr<Filter::Question>> crowd;
  const auto fill = [&](std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      crowd.push_back(
          site.filter->ask([] { return test::make_frame(1, test::make_jpeg(1)); }, {}, [](const FilterResult&) {}));
    }
  };
  fill(1);
  REQUIRE(site.run_until([&] { return crowd[0]->begun(); }));
  fill(Filter::kMostWaiting);
  Watcher watcher;
  const Pacer pacer(0);
  Feed feed(*site.camera, site.pool, {site.filter.get(), ""});
  feed.attach(watcher, pacer);
  site.publish(2);
  REQUIRE(site.run_until([&] { return site.filter->figures().failed == 1; }));
  CHECK(site.filter->figures().questions == crowd.size() + 1);
  crowd.clear();
  site.go();
  site.await(feed, 2);
}

TEST_CASE("FilteredCamera: a viewer of few frames makes the filter work on few") {
  Site site;
  Watcher watcher;
  Pacer pacer(1.0 / 60);
  Feed feed(*site.camera, site.pool, {site.filter.get(), ""});
  feed.attach(watcher, pacer);
  site.publish(1);
  site.await(feed, 1);
  pacer.passed(site.clock.steady());
  for (std::uint64_t i = 2; i <= 9; ++i) site.publish(i);
  for (int i = 0; i < 20; ++i) ::ev_run(site.loop.raw(), EVRUN_NOWAIT);
  CHECK(site.filter->figures().questions == 1);
}

TEST_CASE("FilteredCamera: a variant stands on the filter's frames") {
  Site site;
  Watcher watcher;
  const Pacer pacer(0);
  Feed feed(*site.camera, site.pool, {site.filter.get(), "boxes=1"});
  REQUIRE(feed.choose({.width_px = 160}));
  feed.attach(watcher, pacer);
  site.publish(1);
  site.await(feed, 1);
  CHECK(feed.hub().newest()->frame().picture.width_px == 160);
  CHECK(filtered(feed.hub().newest()->frame()));
  CHECK(site.camera->variants().all().empty());
}

TEST_CASE("FilteredCamera: each overlay has frames of its own, and equal ones share theirs") {
  Site site;
  const auto boxes = site.camera->filtered(*site.filter, "boxes=1");
  const auto plain = site.camera->filtered(*site.filter, "");
  CHECK(boxes != plain);
  CHECK(site.camera->filtered(*site.filter, "boxes=1") == boxes);
  site.publish(1);
  std::vector<std::string> seen;
  const auto told = [&](const FilterRunResult& result) { seen.push_back(result->frame->extra[0].value); };
  const FilteredCamera::Once one(*boxes, 0, std::nullopt, told);
  const FilteredCamera::Once other(*plain, 0, std::nullopt, told);
  REQUIRE(site.run_until([&] { return seen.size() == 2; }));
  CHECK(seen == std::vector<std::string>{"boxes=1", "as it is"});
}

TEST_CASE(
    "FilteredCamera: a frame that was on its way when it was asked for is passed over, the one behind it is not") {
  Site site;
  const auto shared = site.camera->filtered(*site.filter, "");
  std::vector<std::uint64_t> seen;
  const auto told = [&](const FilterRunResult& result) { seen.push_back(result->frame->sequence); };
  // Later than any frame of this site: its clock is behind.
  const FilteredCamera::Once once(*shared, 0, site.clock.wall() + std::chrono::hours(1), told);
  site.publish(1);
  for (int i = 0; i < 20; ++i) ::ev_run(site.loop.raw(), EVRUN_NOWAIT);
  CHECK(site.filter->figures().questions == 0);
  site.publish(2);
  REQUIRE(site.run_until([&] { return !seen.empty(); }));
  CHECK(seen == std::vector<std::uint64_t>{2});
}

TEST_CASE("FilteredCamera: all who wait for one frame are answered by one run, with a frame that came after they did") {
  Site site(/*open=*/false);
  const auto shared = site.camera->filtered(*site.filter, "");
  site.publish(1);
  std::vector<std::unique_ptr<FilteredCamera::Once>> all;
  int first = 0;
  int second = 0;
  const auto add = [&](std::uint64_t beyond, std::uint64_t least, int& count) {
    all.push_back(std::make_unique<FilteredCamera::Once>(*shared, beyond, std::nullopt,
                                                         [&, least](const FilterRunResult& result) {
                                                           REQUIRE(result);
                                                           CHECK(result->frame->sequence >= least);
                                                           CHECK(result->took.count() > 0);
                                                           ++count;
                                                         }));
  };
  for (int i = 0; i < 10; ++i) add(0, 1, first);
  REQUIRE(site.run_until([&] { return std::string(site.filter->status()) != "ready"; }));
  // The run that is under way is on a frame from before.
  const std::uint64_t newest = site.camera->hub().newest_frame()->index();
  for (int i = 0; i < 10; ++i) add(newest, 2, second);
  site.go();
  REQUIRE(site.run_until([&] { return first == 10; }));
  CHECK(second == 0);
  site.publish(2);
  REQUIRE(site.run_until([&] { return second == 10; }));
  CHECK(site.filter->figures().questions == 2);
}

TEST_CASE("FilteredCamera: a card reaches its viewers unfiltered, and what was under way does not cover it") {
  Site site(/*open=*/false);
  Watcher watcher;
  const Pacer pacer(0);
  Feed feed(*site.camera, site.pool, {site.filter.get(), ""});
  feed.attach(watcher, pacer);
  site.publish(1);
  REQUIRE(site.run_until([&] { return std::string(site.filter->status()) != "ready"; }));
  site.show(Signal::Card, test::make_frame(1));
  REQUIRE(feed.hub().newest());
  CHECK(feed.hub().newest()->frame().signal == Signal::Card);
  site.go();
  REQUIRE(site.run_until([&] { return site.filter->figures().answered == 1; }));
  CHECK(feed.hub().newest()->frame().signal == Signal::Card);
  site.publish(2);
  site.await(feed, 2);
  CHECK(filtered(feed.hub().newest()->frame()));
}

TEST_CASE("FilteredCamera: the last frame shown again is shown as the filter made it") {
  Site site;
  Watcher watcher;
  const Pacer pacer(0);
  Feed feed(*site.camera, site.pool, {site.filter.get(), ""});
  feed.attach(watcher, pacer);
  site.publish(1);
  site.await(feed, 1);
  site.show(Signal::Held, site.camera->hub().newest_frame()->frame_ptr());
  CHECK(feed.hub().newest()->frame().signal == Signal::Held);
  CHECK(filtered(feed.hub().newest()->frame()));
  CHECK(site.filter->figures().questions == 1);
}

TEST_CASE("FilteredCamera: whoever comes while the last frame is shown again sees that, unfiltered") {
  Site site;
  site.publish(1);
  site.show(Signal::Held, site.camera->hub().newest_frame()->frame_ptr());
  const auto shared = site.camera->filtered(*site.filter, "");
  REQUIRE(shared->hub().newest());
  CHECK(shared->hub().newest()->frame().signal == Signal::Held);
}

TEST_CASE("FilteredCamera: while the filter is down its last picture does not stay for ever: a card takes its place") {
  Site site(/*open=*/true, 1s);
  site.filter = std::make_unique<Filter>(
      site.loop, site.clock,
      FilterOptions{.name = "detect",
                    .command = "[ -e " + site.children.path("go") + " ] || { echo no model >&2; exit 69; }; exec cat",
                    .timeout = 1000ms},
      Report());
  Watcher watcher;
  const Pacer pacer(0);
  Feed feed(*site.camera, site.pool, {site.filter.get(), ""});
  feed.attach(watcher, pacer);
  std::uint64_t sequence = 0;
  // The camera goes on all the time.
  const auto run_until_shown = [&](Signal signal) {
    return site.run_until([&] {
      auto frame = std::make_shared<Frame>(*test::make_frame(++sequence, test::make_jpeg(1, 320, 240)));
      frame->captured = frame->received = site.clock.wall();
      site.camera->hub().publish(std::move(frame));
      return feed.hub().newest() && feed.hub().newest()->frame().signal == signal;
    });
  };
  REQUIRE(run_until_shown(Signal::Live));
  const std::uint64_t before = feed.hub().newest()->origin();
  REQUIRE(std::remove(site.children.path("go").c_str()) == 0);
  REQUIRE(::kill(site.filter->pid(), SIGKILL) == 0);
  REQUIRE(run_until_shown(Signal::Card));
  CHECK(feed.hub().newest()->origin() > before);
  CHECK(feed.hub().newest()->frame().picture.width_px == 320);
  site.go();
  CHECK(run_until_shown(Signal::Live));
}

TEST_CASE("FilteredCamera: a removed camera ends its viewers, and those who wait are told") {
  Site site(/*open=*/false);
  Watcher watcher;
  const Pacer pacer(0);
  Feed feed(*site.camera, site.pool, {site.filter.get(), ""});
  feed.attach(watcher, pacer);
  site.publish(1);
  std::string text;
  const FilteredCamera::Once once(*feed.filtered(), 0, std::nullopt,
                                  [&](const FilterRunResult& result) { text = result.error().text; });
  site.camera->retire();
  CHECK(watcher.closed);
  CHECK(text == "camera front has been removed");
}

TEST_CASE("FilteredCamera: one that nobody holds any more ends, also while the filter works for it") {
  Site site(/*open=*/false);
  Watcher watcher;
  const Pacer pacer(0);
  auto feed = std::make_unique<Feed>(*site.camera, site.pool, FilterWish{site.filter.get(), ""});
  feed->attach(watcher, pacer);
  site.publish(1);
  REQUIRE(site.run_until([&] { return std::string(site.filter->status()) != "ready"; }));
  const std::weak_ptr<FilteredCamera> shared = feed->filtered();
  feed.reset();
  CHECK(shared.expired());
  site.go();
  CHECK(site.run_until([&] { return std::string(site.filter->status()) == "ready"; }));
  CHECK(site.filter->figures().answered == 0);
}

}  // namespace
