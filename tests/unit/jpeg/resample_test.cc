#include "jpeg/resample.h"

#include <doctest/doctest.h>

#include "support/planes.h"

namespace {

using namespace fp;
using jpeg::Planes;
using jpeg::Region;
using jpeg::Sampling;
using jpeg::Size;
using jpeg::Turn;
using test::difference;
using test::make_planes;

Region whole(Size size) { return {0, 0, static_cast<double>(size.width_px), static_cast<double>(size.height_px)}; }
Planes turned(const Planes& planes, Turn turn) {
  return resample(planes, whole(planes.size()), turn, turn.of(planes.size()));
}

TEST_CASE("resample: a picture that stays as it is stays exact") {
  for (const Sampling sampling : test::kSamplings) {
    for (const Size size : {Size{1, 1}, {2, 3}, {17, 9}, {64, 48}}) {
      CAPTURE(static_cast<int>(sampling));
      CAPTURE(size.width_px);
      const Planes planes = make_planes(size, sampling);
      CHECK(difference(turned(planes, {}), planes) == 0);
    }
  }
}

TEST_CASE("resample: each turn puts each luma sample where Geometry says") {
  const Planes planes = make_planes({7, 5}, Sampling::Yuv420);
  for (const Turn turn : test::all_turns()) {
    jpeg::Geometry geometry = jpeg::Geometry::none(planes.size());
    geometry.turn = turn;
    geometry.to = geometry.turned();
    const Planes result = turned(planes, turn);
    REQUIRE(result.size() == geometry.to);
    for (int y = 0; y < 5; ++y) {
      for (int x = 0; x < 7; ++x) {
        const jpeg::Point place = geometry.map({x + 0.5, y + 0.5});
        CHECK(result.row(0, static_cast<int>(place.y))[static_cast<int>(place.x)] == planes.row(0, y)[x]);
      }
    }
  }
}

TEST_CASE("resample: a turn and its inverse leave whole chroma samples exact") {
  for (const Sampling sampling : {Sampling::Yuv444, Sampling::Yuv422, Sampling::Yuv420, Sampling::Gray}) {
    const Planes planes = make_planes({32, 16}, sampling);
    const Planes there = turned(planes, Turn::by_degrees(90));
    CHECK(difference(turned(there, Turn::by_degrees(270)), planes) == 0);
  }
}

TEST_CASE("resample: exchanging rows and columns exchanges the names of 4:2:2 and 4:4:0, and makes 4:2:0 of 4:1:1") {
  const Turn transpose{.flip_x = false, .flip_y = false, .transpose = true};
  CHECK(turned(make_planes({16, 8}, Sampling::Yuv422), transpose).sampling() == Sampling::Yuv440);
  CHECK(turned(make_planes({16, 8}, Sampling::Yuv440), transpose).sampling() == Sampling::Yuv422);
  CHECK(turned(make_planes({16, 8}, Sampling::Yuv411), transpose).sampling() == Sampling::Yuv420);
}

TEST_CASE("resample: chroma keeps its place when a picture of an odd size is flipped") {
  // The middle of a chroma sample that covered two columns covers two others now: half a sample away.
  const Planes planes = make_planes({65, 33}, Sampling::Yuv420);
  const Planes twice = turned(turned(planes, {.flip_x = true, .flip_y = true}), {.flip_x = true, .flip_y = true});
  CHECK(difference(twice, planes) <= 4);
}

TEST_CASE("resample: a flat surface stays flat, whatever the sizes") {
  for (const Size to : {Size{1, 1}, {3, 2}, {31, 77}, {100, 1}, {200, 150}}) {
    CAPTURE(to.width_px);
    Planes planes({100, 75}, Sampling::Yuv420);
    for (int index = 0; index < 3; ++index) {
      std::fill_n(planes.plane(index),
                  static_cast<std::size_t>(planes.stride(index)) *
                      static_cast<std::size_t>(planes.layout().padded(index).height_px),
                  static_cast<std::uint8_t>(201 - index));
    }
    const Planes result = resample(planes, whole(planes.size()), {}, to);
    REQUIRE(result.size() == to);
    for (int index = 0; index < 3; ++index) {
      const Size padded = result.layout().padded(index);
      for (int y = 0; y < padded.height_px; ++y) {
        for (int x = 0; x < padded.width_px; ++x) REQUIRE(result.row(index, y)[x] == 201 - index);
      }
    }
  }
}

TEST_CASE("resample: slopes stay slopes, in their place, smaller and larger") {
  for (const Sampling sampling : test::kSamplings) {
    for (const Size to : {Size{80, 60}, {111, 77}, {160, 121}, {200, 50}, {400, 300}}) {
      CAPTURE(static_cast<int>(sampling));
      CAPTURE(to.width_px);
      const Planes result = resample(make_planes({160, 120}, sampling), whole({160, 120}), {}, to);
      CHECK(difference(result, make_planes(to, sampling)) <= 5);
    }
  }
}

TEST_CASE("resample: nothing outside the region is seen") {
  Planes planes({40, 40}, Sampling::Gray);
  for (int y = 10; y < 30; ++y) std::fill_n(planes.row(0, y) + 10, 20, std::uint8_t{255});
  for (const Size to : {Size{20, 20}, {7, 7}, {50, 50}}) {
    const Planes result = resample(planes, {10, 10, 20, 20}, {}, to);
    int least = 255;
    for (int y = 0; y < to.height_px; ++y) {
      for (int x = 0; x < to.width_px; ++x) least = std::min<int>(least, result.row(0, y)[x]);
    }
    CHECK(least == 255);
  }
}

TEST_CASE("resample: a cut at an odd place keeps luma exact") {
  const Planes planes = make_planes({40, 30}, Sampling::Yuv420);
  const Planes result = resample(planes, {3, 5, 11, 7}, {}, {11, 7});
  for (int y = 0; y < 7; ++y) {
    for (int x = 0; x < 11; ++x) CHECK(result.row(0, y)[x] == planes.row(0, y + 5)[x + 3]);
  }
}

TEST_CASE("resample: one sample becomes a surface") {
  Planes planes({1, 1}, Sampling::Yuv420);
  planes.plane(0)[0] = 77;
  planes.pad_edges();
  const Planes result = resample(planes, whole({1, 1}), {}, {300, 2});
  CHECK(result.row(0, 1)[299] == 77);
}

}  // namespace
