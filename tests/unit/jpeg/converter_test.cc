#include "jpeg/converter.h"

#include <doctest/doctest.h>

#include "jpeg/resample.h"
#include "support/jpegs.h"
#include "support/libjpeg.h"
#include "support/planes.h"

namespace {

using namespace fp;
using jpeg::Converter;
using jpeg::Rect;
using jpeg::Sampling;
using jpeg::Size;
using jpeg::Turn;
using jpeg::Wishes;
using How = jpeg::Converter::How;

Blob picture(Size size, Sampling sampling = Sampling::Yuv420, int quality = 95) {
  return jpeg::Encoder().encode(test::make_planes(size, sampling), quality).value();
}
jpeg::Planes decoded(const Blob& jpeg) { return jpeg::Decoder().decode(jpeg.view(), {16384, 16384}).value(); }
Size size_of(const Converter::Outcome& outcome) {
  jpeg::Walker walker;
  walker.walk(outcome.jpeg.view());
  return {walker.info().width_px, walker.info().height_px};
}
Size planned(Size from, const Wishes& wishes) { return plan(from, wishes).value().to; }

TEST_CASE("plan: one side keeps the proportions, both are obeyed, and only both enlarge") {
  CHECK(planned({1280, 720}, {.width_px = 640}) == Size{640, 360});
  CHECK(planned({1280, 720}, {.height_px = 360}) == Size{640, 360});
  CHECK(planned({1280, 720}, {.width_px = 333}) == Size{333, 187});
  CHECK(planned({1280, 720}, {.width_px = 2000}) == Size{1280, 720});
  CHECK(planned({1280, 720}, {.height_px = 2000}) == Size{1280, 720});
  CHECK(planned({1280, 720}, {.width_px = 100, .height_px = 2000}) == Size{100, 2000});
  CHECK(planned({16384, 1}, {.width_px = 2}) == Size{2, 1});
}

TEST_CASE("plan: sizes are those after cutting and turning") {
  CHECK(planned({1280, 720}, {.turn = Turn::by_degrees(90)}) == Size{720, 1280});
  CHECK(planned({1280, 720}, {.turn = Turn::by_degrees(90), .width_px = 360}) == Size{360, 640});
  CHECK(planned({1280, 720}, {.crop = Rect{0, 0, 100, 50}, .width_px = 50}) == Size{50, 25});
  CHECK(planned({1280, 720}, {.width_px = 640, .half = true}) == Size{320, 180});
  CHECK(planned({1, 1}, {.half = true}) == Size{1, 1});
}

TEST_CASE("plan: a cut that reaches over the picture is cut itself, and one beside it is an error") {
  CHECK(jpeg::plan({100, 50}, {.crop = Rect{90, 40, 100, 100}}).value().crop == Rect{90, 40, 10, 10});
  CHECK(jpeg::plan({100, 50}, {.crop = Rect{100, 0, 1, 1}}).error().kind == Error::Kind::Unsupported);
}

TEST_CASE("plan: an outcome of too many pixels is refused") {
  CHECK(jpeg::plan({100, 50}, {.width_px = 16384, .height_px = 16384}).error().kind == Error::Kind::TooLarge);
}

TEST_CASE("Converter: nothing to do gives the very bytes") {
  Converter converter;
  const Blob jpeg = picture({64, 48});
  for (const Wishes& wishes : {Wishes{},
                               {.width_px = 64},
                               {.width_px = 100},
                               {.width_px = 64, .height_px = 48},
                               {.crop = Rect{0, 0, 99, 99}}}) {
    const auto outcome = converter.convert(jpeg, wishes);
    REQUIRE(outcome.has_value());
    CHECK(outcome->how == How::Untouched);
    CHECK(outcome->jpeg.data() == jpeg.data());
  }
  const auto gray = converter.convert(picture({64, 48}, Sampling::Gray), {.gray = true});
  CHECK(gray.value().how == How::Untouched);
}

TEST_CASE("Converter: turns without loss where MCUs are whole, and says why where they are not") {
  Converter converter;
  const auto whole = converter.convert(picture({64, 48}), {.turn = Turn::by_degrees(90)});
  REQUIRE(whole.has_value());
  CHECK(whole->how == How::Lossless);
  CHECK(size_of(*whole) == Size{48, 64});
  const auto partial = converter.convert(picture({64, 40}), {.turn = Turn::by_degrees(90)});
  REQUIRE(partial.has_value());
  CHECK(partial->how == How::Encoded);
  CHECK(partial->why == "a height of 40 is no multiple of 16");
  CHECK(size_of(*partial) == Size{40, 64});
}

TEST_CASE("Converter: encoding again shows the same as without loss") {
  Converter converter;
  for (const Turn turn : test::all_turns()) {
    for (const Sampling sampling : test::kSamplings) {
      CAPTURE(static_cast<int>(sampling));
      CAPTURE(turn.transpose);
      const Blob jpeg = picture({96, 64}, sampling, 98);
      const auto lossless = converter.convert(jpeg, {.turn = turn});
      const auto encoded = converter.convert(jpeg, {.turn = turn, .quality_percent = 98});
      REQUIRE(lossless.has_value());
      REQUIRE(encoded.has_value());
      CHECK(encoded->how == How::Encoded);
      const jpeg::Planes a = decoded(lossless->jpeg);
      const jpeg::Planes b = decoded(encoded->jpeg);
      // What 4:1:1 becomes is decoded by way of RGB, which has not all the colours of YCbCr.
      if (a.sampling() != b.sampling()) continue;
      CHECK(test::difference(a, b) <= 4);
    }
  }
}

TEST_CASE("Converter: shrinking shows the same picture smaller, exactly of the size that was asked for") {
  Converter converter;
  for (const Sampling sampling : test::kSamplings) {
    const Blob jpeg = picture({320, 240}, sampling, 98);
    for (const Size to : {Size{160, 120}, {161, 121}, {100, 75}, {37, 200}, {41, 1}, {1, 1}}) {
      CAPTURE(static_cast<int>(sampling));
      CAPTURE(to.width_px);
      const auto outcome =
          converter.convert(jpeg, {.width_px = to.width_px, .height_px = to.height_px, .quality_percent = 98});
      REQUIRE(outcome.has_value());
      REQUIRE(size_of(*outcome) == to);
      if (to.width_px > 20 && to.height_px > 20) {
        CHECK(test::difference(decoded(outcome->jpeg), test::make_planes(to, sampling)) <= 8);
      }
    }
  }
}

TEST_CASE("Converter: what is cut out, turned and scaled lies where the geometry says") {
  Converter converter;
  const jpeg::Planes before = test::make_planes({320, 240}, Sampling::Gray);
  const auto outcome = converter.convert(
      picture({320, 240}, Sampling::Gray, 98),
      {.crop = Rect{33, 21, 200, 100}, .turn = Turn::by_degrees(90), .width_px = 40, .quality_percent = 98});
  REQUIRE(outcome.has_value());
  REQUIRE(size_of(*outcome) == Size{40, 80});
  const jpeg::Planes after = decoded(outcome->jpeg);
  for (const auto& [x, y] : {std::pair{60, 40}, {133, 71}, {220, 110}}) {
    const jpeg::Point place = outcome->geometry.map({x + 0.5, y + 0.5});
    CHECK(std::abs(after.row(0, static_cast<int>(place.y))[static_cast<int>(place.x)] - before.row(0, y)[x]) <= 4);
  }
}

TEST_CASE("Converter: gray is without loss alone, and part of encoding with a size") {
  Converter converter;
  const auto alone = converter.convert(picture({70, 50}), {.gray = true});
  CHECK(alone.value().how == How::Lossless);
  CHECK(decoded(alone->jpeg).sampling() == Sampling::Gray);
  const auto sized = converter.convert(picture({70, 50}), {.width_px = 35, .gray = true});
  CHECK(sized.value().how == How::Encoded);
  CHECK(decoded(sized->jpeg).sampling() == Sampling::Gray);
}

TEST_CASE("Converter: quality, text and rare samplings encode again, and are named") {
  Converter converter;
  const auto why = [&](const Blob& jpeg, const Wishes& wishes) { return converter.convert(jpeg, wishes).value().why; };
  const Blob jpeg = picture({64, 48});
  CHECK(why(jpeg, {.quality_percent = 50}) == "another quality");
  CHECK(why(jpeg, {.text = "x"}) == "text in the picture");
  CHECK(why(jpeg, {.width_px = 32}) == "another size");
  const Blob rare = Blob::copy_of(as_bytes(test::make_libjpeg({.luma_across = 3, .luma_down = 1})));
  CHECK(why(rare, {.turn = Turn::by_degrees(90)}) == "colours are sampled in an unusual way");
}

TEST_CASE("Converter: a lower quality takes fewer bytes") {
  Converter converter;
  const Blob jpeg = Blob::copy_of(as_bytes(test::make_libjpeg({.width_px = 320, .height_px = 240})));
  const auto size = [&](int quality) {
    return converter.convert(jpeg, {.quality_percent = quality}).value().jpeg.size();
  };
  CHECK(size(20) < size(60));
  CHECK(size(60) < size(95));
}

TEST_CASE("Converter: every size of a picture goes through every wish") {
  Converter converter;
  for (const Sampling sampling : test::kSamplings) {
    for (const Size size : {Size{1, 1}, {1, 9}, {9, 1}, {3, 2}, {8, 8}, {17, 33}}) {
      const Blob jpeg = picture(size, sampling);
      for (const Turn turn : test::all_turns()) {
        for (const Wishes& more : {Wishes{},
                                   {.width_px = 1},
                                   {.width_px = 40, .height_px = 50},
                                   {.half = true},
                                   {.gray = true},
                                   {.text = "now"},
                                   {.crop = Rect{0, 0, 1, 1}}}) {
          CAPTURE(static_cast<int>(sampling));
          CAPTURE(size.width_px);
          Wishes wishes = more;
          wishes.turn = turn;
          const auto outcome = converter.convert(jpeg, wishes);
          REQUIRE(outcome.has_value());
          CHECK(size_of(*outcome) == outcome->geometry.to);
          CHECK(test::decode(as_text(outcome->jpeg.view())).warnings == 0);
        }
      }
    }
  }
}

TEST_CASE("Converter: a damaged picture is an error in every way it goes") {
  Converter converter;
  const std::string whole = test::make_libjpeg({.width_px = 320, .height_px = 240});
  jpeg::Walker walker;
  REQUIRE(walker.walk(as_bytes(whole)) == jpeg::Walker::Status::Done);
  const Blob cut = Blob::copy_of(as_bytes(whole.substr(0, walker.info().first_scan_offset + 400) + "\xFF\xD9"));
  for (const Wishes& wishes : {Wishes{.turn = Turn::by_degrees(90)}, {.width_px = 100}, {.gray = true}}) {
    const auto outcome = converter.convert(cut, wishes);
    REQUIRE_FALSE(outcome.has_value());
    CHECK(outcome.error().kind == Error::Kind::Malformed);
  }
}

}  // namespace
