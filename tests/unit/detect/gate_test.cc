#include "detect/gate.h"

#include <doctest/doctest.h>

#include "support/make_frame.h"

using namespace fp;
using namespace fp::detect;

namespace {

Frame frame_of(const std::string& camera, std::vector<Header> headers = {}) {
  Frame frame = *fp::test::make_frame(1);
  frame.camera = camera;
  frame.extra = std::move(headers);
  return frame;
}

const Header kOpen{"X-Gate", "open"};
const Header kClosed{"x-gate", "Closed"};
const Header kQuestion{"X-Request", "17"};
const Overlay kBoxes{true, false, false, false};

}  // namespace

TEST_CASE("header_of: the first of that name, in any case") {
  const Frame frame = frame_of("", {{"X-Other", "0"}, {"x-gate", "a"}, {"X-Gate", "b"}});
  REQUIRE(header_of(frame, "X-GATE") != nullptr);
  CHECK(*header_of(frame, "X-GATE") == "a");
  CHECK(header_of(frame, "X-Gat") == nullptr);
}

TEST_CASE("Gate: without --control-headers frames order nothing") {
  Gate gate(true, kBoxes, false);
  CHECK(gate.lets(frame_of("front", {kClosed})));
  CHECK(gate.overlay_for(frame_of("front", {{"X-Overlay", "boxes=0,labels=1"}})) == kBoxes);
  CHECK_FALSE(gate.is_one_off(frame_of("", {kQuestion})));
  gate.set(false);
  CHECK_FALSE(gate.lets(frame_of("front", {kOpen})));
}

TEST_CASE("Gate: an order holds for its camera from that frame on, and for no other") {
  Gate gate(false, {}, true);
  CHECK_FALSE(gate.lets(frame_of("front")));
  CHECK(gate.lets(frame_of("front", {kOpen})));
  CHECK(gate.lets(frame_of("front")));
  CHECK_FALSE(gate.lets(frame_of("back")));
  CHECK_FALSE(gate.lets(frame_of("")));
  CHECK_FALSE(gate.lets(frame_of("front", {kClosed})));
  CHECK_FALSE(gate.lets(frame_of("front")));
}

TEST_CASE("Gate: an order that is none changes nothing") {
  Gate gate(false, {}, true);
  CHECK(gate.lets(frame_of("front", {kOpen})));
  for (const char* nonsense : {"", "ajar", "1", "open closed"}) {
    CAPTURE(nonsense);
    CHECK(gate.lets(frame_of("front", {{"X-Gate", nonsense}})));
  }
}

TEST_CASE("Gate: the user's word is the last one, whatever cameras have ordered before") {
  Gate gate(true, {}, true);
  CHECK_FALSE(gate.lets(frame_of("front", {kClosed})));
  gate.set(true);
  CHECK(gate.lets(frame_of("front")));
  CHECK(gate.lets(frame_of("front", {kOpen})));
  gate.set(false);
  CHECK_FALSE(gate.open());
  CHECK_FALSE(gate.lets(frame_of("front")));
}

TEST_CASE("Gate: a one-off question orders for itself alone") {
  Gate gate(false, {}, true);
  CHECK(gate.is_one_off(frame_of("", {kQuestion})));
  CHECK_FALSE(gate.is_one_off(frame_of("front", {kQuestion})));
  CHECK_FALSE(gate.is_one_off(frame_of("")));
  CHECK(gate.lets(frame_of("", {kQuestion, kOpen})));
  CHECK_FALSE(gate.lets(frame_of("", {kQuestion})));
  CHECK_FALSE(gate.lets(frame_of("")));
}

TEST_CASE("Gate: the question of a camera is that camera's, and its order holds on") {
  Gate gate(false, {}, true);
  CHECK(gate.lets(frame_of("front", {kQuestion, kOpen})));
  CHECK(gate.lets(frame_of("front")));
}

TEST_CASE("Gate: X-Overlay changes what it names, for that frame") {
  Gate gate(true, kBoxes, true);
  CHECK(gate.overlay_for(frame_of("front", {{"X-Overlay", "skeleton=1"}})) == Overlay{true, false, true, false});
  CHECK(gate.overlay_for(frame_of("front", {{"X-Overlay", "boxes=0,labels=0,skeleton=0,garment=0"}})).nothing());
  CHECK(gate.overlay_for(frame_of("front")) == kBoxes);
}

TEST_CASE("Gate: orders of more than 256 cameras hold for their frame, and no memory is kept for them") {
  Gate gate(false, {}, true);
  for (int i = 0; i < 256; ++i) CHECK(gate.lets(frame_of("camera" + std::to_string(i), {kOpen})));
  CHECK(gate.lets(frame_of("one more", {kOpen})));
  CHECK_FALSE(gate.lets(frame_of("one more")));
  CHECK(gate.lets(frame_of("camera255")));
  CHECK_FALSE(gate.lets(frame_of("camera0", {kClosed})));
  CHECK_FALSE(gate.lets(frame_of("camera0")));
}
