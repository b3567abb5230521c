#include "serve/variant.h"

#include <doctest/doctest.h>

#include "serve/variants.h"
#include "support/fake_clock.h"
#include "support/io.h"
#include "support/loops.h"
#include "support/make_frame.h"

namespace {

using namespace fp;
using namespace std::chrono_literals;

FramePtr frame_of(std::uint64_t sequence, Signal signal = Signal::Live, std::vector<Header> extra = {}) {
  static const std::string kJpeg = test::make_jpeg(1, 320, 240);
  Frame frame = *test::make_frame(sequence, kJpeg);
  frame.signal = signal;
  frame.extra = std::move(extra);
  return std::make_shared<const Frame>(std::move(frame));
}

FramePtr damaged(std::uint64_t sequence) {
  Frame frame = *frame_of(sequence);
  const std::string jpeg(as_text(frame.jpeg.view()));
  frame.jpeg = Blob::copy_of(as_bytes(jpeg.substr(0, jpeg.size() / 2)));
  return std::make_shared<const Frame>(std::move(frame));
}

struct Watcher final : Subscriber {
  explicit Watcher(const Hub& of) : hub(of) {}
  void frame_arrived() override {
    sequences.push_back(hub.newest()->frame().sequence);
    signals.push_back(hub.newest()->frame().signal);
  }
  void hub_closed() override { ++closed; }
  const Hub& hub;
  std::vector<std::uint64_t> sequences;
  std::vector<Signal> signals;
  int closed = 0;
};

// A camera's hub and its variants, without the camera.
struct Site {
  test::FakeClock clock;
  Loop loop;
  std::vector<std::string> said;
  VariantPool pool{loop, 2};
  std::shared_ptr<Hub> camera = std::make_shared<Hub>("front", "--next\r\n\r\n", clock);
  CameraVariants variants{clock, "front", [this](Severity, const std::string& text) { said.push_back(text); }};

  std::shared_ptr<Variant> get(const VariantKey& key) { return variants.get(pool, camera, key).value(); }
  bool run_until(const std::function<bool()>& holds) { return test::run_until(loop, holds); }
  // Shows it and waits until the variant has made of it what it can.
  void publish(const Variant& variant, FramePtr frame) {
    camera->publish(std::move(frame));
    settle(variant);
  }
  void settle(const Variant& variant) {
    REQUIRE(run_until([&] { return variant.idle(); }));
  }
};

TEST_CASE("Variant: frames come in the size that was asked for, with their sequence and headers") {
  Site site;
  const auto variant = site.get({.width_px = 160});
  site.publish(*variant, frame_of(5, Signal::Live, {{"X-Own", "kept"}}));
  REQUIRE(variant->hub().newest());
  const Frame& frame = variant->hub().newest()->frame();
  CHECK(frame.picture.width_px == 160);
  CHECK(frame.picture.height_px == 120);
  CHECK(frame.sequence == 5);
  CHECK(frame.extra.at(0).value == "kept");
  CHECK(variant->hub().camera() == "front");
  CHECK(variant->figures().encoded == 1);
}

TEST_CASE("Variant: X-Detections moves with the picture") {
  Site site;
  const auto variant = site.get({.width_px = 160});
  site.publish(*variant, frame_of(5, Signal::Live, {{"X-Detections", R"({"objects":[{"box":[100,40,20,10]}]})"}}));
  CHECK(variant->hub().newest()->frame().extra.at(0).value == R"({"objects":[{"box":[50,20,10,5]}]})");
}

TEST_CASE("Variant: takes up the frame that is there already") {
  Site site;
  site.camera->publish(frame_of(5));
  const auto variant = site.get({.width_px = 160});
  site.settle(*variant);
  REQUIRE(variant->hub().newest());
  CHECK(variant->hub().newest()->frame().sequence == 5);
}

TEST_CASE("Variant: a wish that changes nothing passes the very picture on, and counts no encode") {
  Site site;
  const auto variant = site.get({.width_px = 8192, .height_px = 8192});
  const FramePtr frame = frame_of(5);
  site.publish(*variant, frame);
  CHECK(variant->hub().newest()->frame_ptr() == frame);
  CHECK(variant->figures().encoded == 0);
}

TEST_CASE("Variant: its packets keep the origin that they have in the camera's hub") {
  Site site;
  site.camera->publish(frame_of(1));
  site.camera->publish(frame_of(2));
  const auto variant = site.get({.width_px = 160});
  site.settle(*variant);
  CHECK(variant->hub().newest()->index() == 1);
  CHECK(variant->hub().newest()->origin() == site.camera->newest()->index());
}

TEST_CASE("Variant: a frame keeps the hop of its camera's hub, once") {
  Site site;
  site.camera->trace({"mjpeg-serve", false});
  const auto variant = site.get({.width_px = 160});
  site.publish(*variant, frame_of(1));
  const Packet& packet = *variant->hub().newest();
  const auto header = packet.pieces(0, packet.length_range().end)[0];
  const std::string text(static_cast<const char*>(header.iov_base), header.iov_len);
  const auto hop = text.find("mjpeg-serve=");
  REQUIRE(hop != std::string::npos);
  CHECK(text.find("mjpeg-serve=", hop + 1) == std::string::npos);
}

TEST_CASE("Variant: cards and held frames are converted, and stay what they are") {
  Site site;
  const auto variant = site.get({.width_px = 160});
  Watcher watcher(variant->hub());
  variant->hub().attach(watcher);
  site.publish(*variant, frame_of(1));
  site.camera->show(frame_of(1, Signal::Held));
  site.settle(*variant);
  site.camera->show(frame_of(1, Signal::Card));
  site.settle(*variant);
  CHECK(watcher.signals == std::vector<Signal>{Signal::Live, Signal::Held, Signal::Card});
  CHECK(variant->hub().newest()->frame().picture.width_px == 160);
  CHECK(variant->hub().newest_frame()->frame().signal == Signal::Live);
  variant->hub().detach(watcher);
}

TEST_CASE("Variant: the last frame shown again as held is not encoded again") {
  Site site;
  const auto variant = site.get({.width_px = 160});
  site.publish(*variant, frame_of(1));
  Frame held = site.camera->newest_frame()->frame();
  held.signal = Signal::Held;
  for (int i = 0; i < 3; ++i) site.camera->show(std::make_shared<const Frame>(held));
  CHECK(variant->hub().newest()->frame().signal == Signal::Held);
  CHECK(variant->hub().newest()->frame().picture.width_px == 160);
  CHECK(variant->hub().newest()->origin() == site.camera->newest()->index());
  CHECK(variant->figures().encoded == 1);
}

TEST_CASE("Variant: a damaged frame that is shown again as held is not tried again") {
  Site site;
  const auto variant = site.get({.width_px = 160});
  site.publish(*variant, damaged(1));
  Frame held = site.camera->newest_frame()->frame();
  held.signal = Signal::Held;
  site.camera->show(std::make_shared<const Frame>(held));
  site.settle(*variant);
  CHECK(variant->figures().failed == 1);
  CHECK(variant->hub().newest() == nullptr);
}

TEST_CASE("Variant: a damaged frame is left out, counted, and said at most every ten seconds") {
  Site site;
  const auto variant = site.get({.width_px = 160});
  site.publish(*variant, frame_of(1));
  site.publish(*variant, damaged(2));
  site.publish(*variant, damaged(3));
  CHECK(variant->hub().newest()->frame().sequence == 1);
  CHECK(variant->figures().failed == 2);
  REQUIRE(site.said.size() == 1);
  CHECK(site.said[0].find("camera front: frame left out of w160: ") == 0);
  site.clock.tick(11s);
  site.publish(*variant, damaged(4));
  CHECK(site.said.size() == 2);
  site.publish(*variant, frame_of(5));
  CHECK(variant->hub().newest()->frame().sequence == 5);
}

TEST_CASE("Variant: a flood of frames gives the newest last, none twice and none out of order") {
  Site site;
  const auto variant = site.get({.width_px = 160});
  Watcher watcher(variant->hub());
  variant->hub().attach(watcher);
  for (std::uint64_t i = 1; i <= 300; ++i) site.camera->publish(frame_of(i));
  site.settle(*variant);
  REQUIRE_FALSE(watcher.sequences.empty());
  CHECK(std::is_sorted(watcher.sequences.begin(), watcher.sequences.end()));
  CHECK(std::adjacent_find(watcher.sequences.begin(), watcher.sequences.end()) == watcher.sequences.end());
  CHECK(watcher.sequences.back() == 300);
  CHECK(variant->figures().encoded + variant->figures().superseded == 300);
  variant->hub().detach(watcher);
}

TEST_CASE("Variant: hands on that the camera has been removed, and shows nothing after that") {
  Site site;
  const auto variant = site.get({.width_px = 160});
  Watcher watcher(variant->hub());
  variant->hub().attach(watcher);
  site.camera->publish(frame_of(1));
  site.camera->close();
  CHECK(watcher.closed == 1);
  site.settle(*variant);
  CHECK(watcher.sequences.empty());
  variant->hub().detach(watcher);
}

TEST_CASE("Variant: shows nothing any more when the camera's hub is cleared, not even what is at work") {
  Site site;
  const auto variant = site.get({.width_px = 160});
  site.publish(*variant, frame_of(1));
  site.camera->publish(frame_of(2));
  site.camera->clear();
  site.settle(*variant);
  CHECK(variant->hub().newest() == nullptr);
  site.publish(*variant, frame_of(3));
  CHECK(variant->hub().newest()->frame().sequence == 3);
}

TEST_CASE("Variant: converts only the frames that one of its paced viewers is due to get") {
  Site site;
  const auto variant = site.get({.width_px = 160});
  Pacer slow(1);
  Pacer faster(2);
  variant->join(slow);
  variant->join(faster);
  // Ten seconds of twenty frames a second; the viewers take what they are due.
  for (std::uint64_t i = 1; i <= 200; ++i) {
    site.camera->publish(frame_of(i));
    site.settle(*variant);
    const SteadyTime now = site.clock.steady();
    if (variant->hub().newest() && variant->hub().newest()->frame().sequence == i) {
      for (Pacer* pacer : {&slow, &faster}) {
        if (pacer->due(now)) pacer->passed(now);
      }
    }
    site.clock.tick(50ms);
  }
  CHECK(variant->figures().encoded >= 20);
  CHECK(variant->figures().encoded <= 31);
  variant->leave(faster);
  variant->leave(slow);
  // Nobody is paced: each frame.
  const std::uint64_t before = variant->figures().encoded;
  for (std::uint64_t i = 201; i <= 210; ++i) site.publish(*variant, frame_of(i));
  CHECK(variant->figures().encoded == before + 10);
}

TEST_CASE("Variant: a paced viewer gets the last frame of a burst, late") {
  Site site;
  const auto variant = site.get({.width_px = 160});
  Pacer pacer(100);
  variant->join(pacer);
  site.publish(*variant, frame_of(1));
  pacer.passed(site.clock.steady());
  site.publish(*variant, frame_of(2));
  CHECK(variant->figures().encoded == 1);
  CHECK(site.run_until([&] { return variant->hub().newest()->frame().sequence == 2; }));
  variant->leave(pacer);
}

TEST_CASE("CameraVariants: who asks for the same gets the same, and the last who leaves ends it") {
  Site site;
  auto one = site.get({.width_px = 160});
  auto other = site.get({.width_px = 160});
  CHECK(one == other);
  CHECK(site.camera->viewers() == 1);
  CHECK(site.variants.all().size() == 1);
  one.reset();
  CHECK(site.variants.all().size() == 1);
  other.reset();
  CHECK(site.variants.all().empty());
  CHECK(site.camera->viewers() == 0);
  CHECK(site.run_until([&] { return site.pool.threads() == 0; }));
}

TEST_CASE("CameraVariants: there are eight at most, and room again when one has gone") {
  Site site;
  std::vector<std::shared_ptr<Variant>> held;
  for (int i = 1; i <= 8; ++i) held.push_back(site.get({.quality_percent = i}));
  const auto ninth = site.variants.get(site.pool, site.camera, {.quality_percent = 9});
  REQUIRE_FALSE(ninth);
  CHECK(ninth.error().text.find("q1, q2") != std::string::npos);
  CHECK(site.variants.get(site.pool, site.camera, {.quality_percent = 8}).value() == held.back());
  held.erase(held.begin());
  CHECK(site.variants.get(site.pool, site.camera, {.quality_percent = 9}));
}

TEST_CASE("CameraVariants: what was encoded stays counted when the variant goes") {
  Site site;
  auto variant = site.get({.width_px = 160});
  site.publish(*variant, frame_of(1));
  site.publish(*variant, damaged(2));
  variant.reset();
  CHECK(site.variants.totals().encoded == 1);
  CHECK(site.variants.totals().failed == 1);
  CHECK(site.variants.totals().encode_time > 0ns);
}

TEST_CASE("Variant: may go while a frame is at work") {
  Site site;
  for (std::uint64_t i = 1; i <= 100; ++i) {
    const auto variant = site.get({.quality_percent = 50});
    site.camera->publish(frame_of(i));
  }
  CHECK(site.run_until([&] { return site.pool.threads() == 0; }));
}

}  // namespace
