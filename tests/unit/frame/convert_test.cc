#include "frame/convert.h"

#include <doctest/doctest.h>

#include "support/make_frame.h"

namespace {

using namespace fp;

FramePtr with_headers(std::vector<Header> headers) {
  Frame frame = *test::make_frame(7, test::make_jpeg(1, 320, 240));
  frame.extra = std::move(headers);
  frame.trace = "camgrab=1.000000";
  frame.signal = Signal::Held;
  return std::make_shared<const Frame>(std::move(frame));
}

TEST_CASE("convert_frame: the picture changes, and all that is known about it stays") {
  jpeg::Converter converter;
  const FramePtr frame = with_headers({{"X-Own", "kept"}});
  const auto converted = convert_frame(converter, frame, {.width_px = 160});
  REQUIRE(converted);
  CHECK(converted->how == jpeg::Converter::How::Encoded);
  CHECK(converted->frame->picture.width_px == 160);
  CHECK(converted->frame->picture.height_px == 120);
  CHECK(converted->frame->sequence == 7);
  CHECK(converted->frame->captured == frame->captured);
  CHECK(converted->frame->signal == Signal::Held);
  CHECK(converted->frame->trace == "camgrab=1.000000");
  REQUIRE(converted->frame->extra.size() == 1);
  CHECK(converted->frame->extra[0].value == "kept");
}

TEST_CASE("convert_frame: where there is nothing to do it is the very frame") {
  jpeg::Converter converter;
  const FramePtr frame = with_headers({});
  const auto converted = convert_frame(converter, frame, {.width_px = 640});
  REQUIRE(converted);
  CHECK(converted->how == jpeg::Converter::How::Untouched);
  CHECK(converted->frame == frame);
}

TEST_CASE("convert_frame: X-Detections moves with the picture, and goes when it cannot be read") {
  jpeg::Converter converter;
  const FramePtr frame = with_headers({{"x-detections", R"({"objects":[{"label":"cat","box":[100,40,20,10]}]})"}});
  const auto half = convert_frame(converter, frame, {.width_px = 160});
  REQUIRE(half);
  CHECK_FALSE(half->detections_dropped);
  REQUIRE(half->frame->extra.size() == 1);
  CHECK(half->frame->extra[0].value == R"({"objects":[{"label":"cat","box":[50,20,10,5]}]})");

  const auto odd =
      convert_frame(converter, with_headers({{"X-Detections", "what"}, {"X-Own", "kept"}}), {.width_px = 160});
  REQUIRE(odd);
  CHECK(odd->detections_dropped);
  REQUIRE(odd->frame->extra.size() == 1);
  CHECK(odd->frame->extra[0].name == "X-Own");
}

TEST_CASE("convert_frame: X-Detections stays as it is when only the quality changes") {
  jpeg::Converter converter;
  const auto converted = convert_frame(converter, with_headers({{"X-Detections", "what"}}), {.quality_percent = 30});
  REQUIRE(converted);
  REQUIRE(converted->frame->extra.size() == 1);
  CHECK(converted->frame->extra[0].value == "what");
}

TEST_CASE("convert_frame: a damaged picture is an error") {
  jpeg::Converter converter;
  std::string jpeg = test::make_jpeg(1, 320, 240);
  jpeg.resize(jpeg.size() / 2);
  Frame frame = *with_headers({});
  frame.jpeg = Blob::copy_of(as_bytes(jpeg));
  const auto converted = convert_frame(converter, std::make_shared<const Frame>(frame), {.width_px = 160});
  REQUIRE_FALSE(converted);
  CHECK(converted.error().kind == Error::Kind::Malformed);
}

}  // namespace
