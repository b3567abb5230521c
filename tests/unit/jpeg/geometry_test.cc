#include "jpeg/geometry.h"

#include <doctest/doctest.h>

namespace {

using namespace fp;
using jpeg::Geometry;
using jpeg::Point;
using jpeg::Turn;

bool same(Point a, double x, double y) { return a.x == doctest::Approx(x) && a.y == doctest::Approx(y); }

Geometry turned(Turn turn) {
  Geometry geometry = Geometry::none({40, 20});
  geometry.turn = turn;
  geometry.to = geometry.turned();
  return geometry;
}

TEST_CASE("Geometry: nothing moves nothing") {
  const Geometry geometry = Geometry::none({40, 20});
  CHECK(geometry.nothing());
  CHECK(same(geometry.map({3, 7}), 3, 7));
}

TEST_CASE("Geometry: turning clockwise by 90 degrees brings the left top to the right top") {
  const Geometry geometry = turned(Turn::by_degrees(90));
  CHECK(geometry.to == jpeg::Size{20, 40});
  CHECK(same(geometry.map({0, 0}), 20, 0));
  CHECK(same(geometry.map({40, 0}), 20, 40));
  CHECK(same(geometry.map({0, 20}), 0, 0));
}

TEST_CASE("Geometry: turning by 180 degrees exchanges opposite corners") {
  CHECK(same(turned(Turn::by_degrees(180)).map({1, 2}), 39, 18));
}

TEST_CASE("Geometry: turning by 270 degrees brings the right top to the left top") {
  const Geometry geometry = turned(Turn::by_degrees(270));
  CHECK(same(geometry.map({40, 0}), 0, 0));
  CHECK(same(geometry.map({0, 0}), 0, 40));
}

TEST_CASE("Geometry: a flip after a turn is one of what is seen then") {
  for (const int degrees : {0, 90, 180, 270}) {
    CAPTURE(degrees);
    const Geometry before = turned(Turn::by_degrees(degrees));
    const Point place = before.map({3, 5});
    CHECK(same(turned(before.turn.then_flip_horizontally()).map({3, 5}), before.to.width_px - place.x, place.y));
    CHECK(same(turned(before.turn.then_flip_vertically()).map({3, 5}), place.x, before.to.height_px - place.y));
  }
}

TEST_CASE("Geometry: a cut moves, and what is outside stays outside") {
  Geometry geometry = Geometry::none({40, 20});
  geometry.crop = {10, 5, 20, 10};
  geometry.to = geometry.turned();
  CHECK(geometry.cropped());
  CHECK(same(geometry.map({10, 5}), 0, 0));
  CHECK(same(geometry.map({5, 5}), -5, 0));
}

TEST_CASE("Geometry: cut, then turned, then scaled") {
  Geometry geometry = Geometry::none({40, 20});
  geometry.crop = {10, 5, 20, 10};
  geometry.turn = Turn::by_degrees(90);
  geometry.to = {20, 40};  // twice as large as 10x20
  CHECK(geometry.scaled());
  CHECK(same(geometry.map({10, 5}), 20, 0));
  CHECK(same(geometry.map({11, 5}), 20, 2));
}

}  // namespace
