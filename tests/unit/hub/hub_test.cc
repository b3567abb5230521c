#include "hub/hub.h"

#include <doctest/doctest.h>

#include <functional>
#include <vector>

#include "support/fake_clock.h"
#include "support/make_frame.h"

namespace {

using namespace fp;
using namespace std::chrono_literals;
using test::make_frame;

struct Viewer final : Subscriber {
  explicit Viewer(std::function<void()> then = {}) : on_frame(std::move(then)) {}
  void frame_arrived() override {
    ++told;
    if (on_frame) on_frame();
  }
  std::function<void()> on_frame;
  int told = 0;
};

struct Site {
  test::FakeClock clock;
  Hub hub{"front", "--next\r\n\r\n", clock};
};

FramePtr with_signal(std::uint64_t sequence, Signal signal) {
  Frame frame = *make_frame(sequence);
  frame.signal = signal;
  return std::make_shared<const Frame>(std::move(frame));
}

TEST_CASE("Hub: there is nothing before the first frame, then always the newest") {
  Site site;
  CHECK(site.hub.newest() == nullptr);
  CHECK(site.hub.newest_frame() == nullptr);
  for (std::uint64_t i = 0; i < 5; ++i) {
    site.hub.publish(make_frame(i));
    CHECK(site.hub.newest()->frame().sequence == i);
  }
}

TEST_CASE("Hub: what it publishes is counted, cards included") {
  Site site;
  site.hub.publish(make_frame(70));
  const std::uint64_t first = site.hub.newest()->index();
  site.hub.publish(with_signal(0, Signal::Card));
  site.hub.publish(make_frame(71));
  CHECK(site.hub.newest()->index() == first + 2);
}

TEST_CASE("Hub: a packet's origin is its index, or what it was in the hub that feeds this one") {
  Site site;
  site.hub.publish(make_frame(1));
  CHECK(site.hub.newest()->origin() == site.hub.newest()->index());
  site.hub.publish(make_frame(2), 70);
  CHECK(site.hub.newest()->index() == 2);
  CHECK(site.hub.newest()->origin() == 70);
  site.hub.show(make_frame(2), 71);
  CHECK(site.hub.newest()->origin() == 71);
}

TEST_CASE("Hub: viewers are told once that what was shown is to be seen no more") {
  struct Clearing final : Subscriber {
    void frame_arrived() override {}
    void hub_cleared() override { ++cleared; }
    int cleared = 0;
  } viewer;
  Site site;
  site.hub.attach(viewer);
  site.hub.clear();
  CHECK(viewer.cleared == 0);
  site.hub.publish(make_frame(1));
  site.hub.clear();
  site.hub.clear();
  CHECK(viewer.cleared == 1);
  site.hub.detach(viewer);
}

TEST_CASE("Hub: one that is alike marks frames the same way, and has none") {
  Site site;
  site.hub.publish(make_frame(1));
  const auto other = site.hub.alike();
  CHECK(other->newest() == nullptr);
  other->publish(make_frame(2));
  CHECK(other->camera() == "front");
  CHECK(other->newest()->advance_range().end == site.hub.newest()->advance_range().end);
}

TEST_CASE("Hub: a card is shown, and is no frame") {
  Site site;
  site.hub.publish(make_frame(1));
  site.clock.tick(5s);
  site.hub.publish(with_signal(9, Signal::Card));
  CHECK(site.hub.newest()->frame().sequence == 9);
  CHECK(site.hub.newest_frame()->frame().sequence == 1);
  CHECK(site.hub.arrived() == site.clock.steady() - 5s);
  CHECK(site.hub.figures().frames == 1);
}

TEST_CASE("Hub: a held frame is the newest frame, and not counted as fresh") {
  Site site;
  site.hub.publish(with_signal(1, Signal::Held));
  CHECK(site.hub.newest_frame()->frame().sequence == 1);
  CHECK(site.hub.figures().frames == 0);
}

TEST_CASE("Hub: counts frames, bytes and their age on arrival") {
  Site site;
  Frame frame = *make_frame(1);
  frame.received = frame.captured + 40ms;
  site.hub.publish(std::make_shared<const Frame>(frame));
  CHECK(site.hub.figures().frames == 1);
  CHECK(site.hub.figures().bytes == frame.jpeg.size());
  CHECK(site.hub.figures().age.most() == 40ms);
}

TEST_CASE("Hub: X-Camera says its name to every viewer") {
  Site site;
  site.hub.publish(make_frame(1));
  const auto pieces = site.hub.newest()->pieces(0, site.hub.newest()->length_range().end);
  const std::string header(static_cast<const char*>(pieces[0].iov_base), pieces[0].iov_len);
  CHECK(header.find("\r\nX-Camera: front\r\n") != std::string::npos);
}

TEST_CASE("Hub: tells every viewer of each frame, none that has left") {
  Site site;
  Viewer stays;
  Viewer leaves;
  site.hub.attach(stays);
  site.hub.attach(leaves);
  CHECK(site.hub.viewers() == 2);
  site.hub.publish(make_frame(1));
  site.hub.detach(leaves);
  CHECK(site.hub.viewers() == 1);
  site.hub.publish(make_frame(2));
  CHECK(stays.told == 2);
  CHECK(leaves.told == 1);
}

TEST_CASE("Hub: detaching one that is not attached changes nothing") {
  Site site;
  Viewer there;
  Viewer stranger;
  site.hub.attach(there);
  site.hub.detach(stranger);
  CHECK(site.hub.viewers() == 1);
}

TEST_CASE("Hub: a viewer may leave while it is told") {
  Site site;
  Viewer before;
  Viewer after;
  Viewer leaver([&] { site.hub.detach(leaver); });
  for (Viewer* viewer : {&before, &leaver, &after}) site.hub.attach(*viewer);
  for (std::uint64_t i = 0; i < 3; ++i) site.hub.publish(make_frame(i));
  CHECK(before.told == 3);
  CHECK(after.told == 3);
  CHECK(leaver.told == 1);
  CHECK(site.hub.viewers() == 2);
}

TEST_CASE("Hub: a viewer that another one sends away is told no more") {
  Site site;
  Viewer first;
  Viewer second;
  first.on_frame = [&] { site.hub.detach(second); };
  second.on_frame = [&] { site.hub.detach(first); };
  site.hub.attach(first);
  site.hub.attach(second);
  site.hub.publish(make_frame(1));
  CHECK(first.told + second.told == 1);
  CHECK(site.hub.viewers() == 1);
}

TEST_CASE("Hub: who comes while others are told hears of the next frame") {
  Site site;
  std::vector<std::unique_ptr<Viewer>> newcomers;
  Viewer host([&] {
    newcomers.push_back(std::make_unique<Viewer>());
    site.hub.attach(*newcomers.back());
  });
  site.hub.attach(host);
  for (std::uint64_t i = 0; i < 20; ++i) site.hub.publish(make_frame(i));
  CHECK(host.told == 20);
  CHECK(site.hub.viewers() == 21);
  CHECK(newcomers[0]->told == 19);
  CHECK(newcomers[19]->told == 0);
}

TEST_CASE("Hub: a viewer may leave and come again while it is told") {
  Site site;
  Viewer restless([&] {
    site.hub.detach(restless);
    site.hub.attach(restless);
  });
  site.hub.attach(restless);
  for (std::uint64_t i = 0; i < 3; ++i) site.hub.publish(make_frame(i));
  CHECK(restless.told == 3);
  CHECK(site.hub.viewers() == 1);
}

TEST_CASE("Hub: viewers take turns at being told first") {
  Site site;
  std::vector<int> firsts(3);
  bool told = false;
  std::vector<std::unique_ptr<Viewer>> viewers;
  for (int i = 0; i < 3; ++i) {
    viewers.push_back(std::make_unique<Viewer>([&, i] {
      if (!std::exchange(told, true)) ++firsts[static_cast<std::size_t>(i)];
    }));
    site.hub.attach(*viewers.back());
  }
  for (std::uint64_t i = 0; i < 9; ++i) {
    told = false;
    site.hub.publish(make_frame(i));
  }
  CHECK(firsts == std::vector{3, 3, 3});
}

TEST_CASE("Hub: with a trace, each frame notes when it came and went") {
  Site site;
  site.hub.trace({"mjpeg-serve", false});
  Frame frame = *make_frame(1);
  frame.trace = "camgrab=1.000000";
  frame.received = site.clock.wall();
  site.clock.tick(2ms);
  site.hub.publish(std::make_shared<const Frame>(frame));
  const auto pieces = site.hub.newest()->pieces(0, site.hub.newest()->length_range().end);
  const std::string header(static_cast<const char*>(pieces[0].iov_base), pieces[0].iov_len);
  CHECK(header.find("X-Trace: camgrab=1.000000;mjpeg-serve=1763688000.000000/1763688000.002000\r\n") !=
        std::string::npos);
}

}  // namespace
