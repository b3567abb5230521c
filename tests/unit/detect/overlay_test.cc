#include "detect/overlay.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <set>

#include "support/planes.h"

using namespace fp;
using namespace fp::detect;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr Overlay kAll{true, true, true, true};
constexpr Overlay kBoxes{true, false, false, false};
constexpr Overlay kLabels{false, true, false, false};
constexpr Overlay kSkeleton{false, false, true, false};

Object boxed(const Box& box, const std::string& label = "person", double confidence = 0.91) {
  Object object;
  object.label = label;
  object.confidence = confidence;
  object.box = box;
  return object;
}

Detections found(std::vector<Object> objects) { return {"test", 1, std::move(objects), ""}; }

jpeg::Planes gray_picture(jpeg::Size size, jpeg::Sampling sampling) {
  jpeg::Planes planes(size, sampling);
  for (int index = 0; index < planes.count(); ++index) {
    const jpeg::Size padded = planes.layout().padded(index);
    std::fill_n(planes.plane(index), padded.width_px * padded.height_px, std::uint8_t{77});
  }
  return planes;
}

// The smallest rectangle in luma pixels around everything that differs, in any plane; 0x0: nothing.
jpeg::Rect changed(const jpeg::Planes& before, const jpeg::Planes& after) {
  int left = 1 << 20;
  int top = 1 << 20;
  int right = 0;
  int bottom = 0;
  for (int index = 0; index < before.count(); ++index) {
    const int across = index == 0 ? 1 : jpeg::chroma_divisor_x(before.sampling());
    const int down = index == 0 ? 1 : jpeg::chroma_divisor_y(before.sampling());
    const jpeg::Size shown = before.layout().shown(index);
    for (int y = 0; y < shown.height_px; ++y) {
      for (int x = 0; x < shown.width_px; ++x) {
        if (before.row(index, y)[x] == after.row(index, y)[x]) continue;
        left = std::min(left, x * across);
        top = std::min(top, y * down);
        right = std::max(right, (x + 1) * across);
        bottom = std::max(bottom, (y + 1) * down);
      }
    }
  }
  if (right == 0) return {};
  return {left, top, right - left, bottom - top};
}

// That a draw() changes.
jpeg::Rect drawn(jpeg::Size size, jpeg::Sampling sampling, const Detections& detections, const Overlay& overlay,
                 const Skeleton& skeleton = {}) {
  const jpeg::Planes before = gray_picture(size, sampling);
  jpeg::Planes after = before;
  draw(after, detections, skeleton, overlay);
  return changed(before, after);
}

bool has_colour(const jpeg::Planes& planes, int x, int y, jpeg::Colour colour) {
  if (planes.row(0, y)[x] != colour.y) return false;
  if (planes.count() == 1) return true;
  const int across = x / jpeg::chroma_divisor_x(planes.sampling());
  const int down = y / jpeg::chroma_divisor_y(planes.sampling());
  return planes.row(1, down)[across] == colour.cb && planes.row(2, down)[across] == colour.cr;
}

}  // namespace

TEST_CASE("draw: a box has its label's colour along its edges, whatever the sampling, and nothing else changes") {
  for (const jpeg::Sampling sampling : test::kSamplings) {
    CAPTURE(static_cast<int>(sampling));
    const jpeg::Planes before = gray_picture({1280, 720}, sampling);
    jpeg::Planes after = before;
    draw(after, found({boxed({100, 200, 300, 160})}), {}, kBoxes);
    const jpeg::Colour colour = colour_of("person");
    for (int x = 104; x < 396; ++x) {
      REQUIRE(has_colour(after, x, 200, colour));
      REQUIRE(has_colour(after, x, 359, colour));
    }
    for (int y = 204; y < 356; ++y) {
      REQUIRE(has_colour(after, 100, y, colour));
      REQUIRE(has_colour(after, 399, y, colour));
    }
    CHECK(changed(before, after) == jpeg::Rect{100, 200, 300, 160});
    for (int y = 212; y < 348; ++y) {
      for (int x = 112; x < 388; ++x) REQUIRE(has_colour(after, x, y, {77, 77, 77}));
    }
  }
}

TEST_CASE("draw: a box that does not lie on chroma samples changes no more than those it touches") {
  for (const jpeg::Sampling sampling : test::kSamplings) {
    const int across = jpeg::chroma_divisor_x(sampling);
    const int down = jpeg::chroma_divisor_y(sampling);
    for (int shift = 0; shift < 5; ++shift) {
      const jpeg::Rect rect =
          drawn({640, 480}, sampling, found({boxed({40.0 + shift, 60.0 + shift, 101, 33})}), kBoxes);
      CHECK(rect.x > 40 + shift - across);
      CHECK(rect.x <= 40 + shift);
      CHECK(rect.y > 60 + shift - down);
      CHECK(rect.x + rect.width_px >= 141 + shift);
      CHECK(rect.x + rect.width_px < 141 + shift + across);
      CHECK(rect.y + rect.height_px < 93 + shift + down);
    }
  }
}

TEST_CASE("draw: a label stands on its box, filled with its colour, and has letters in it") {
  const jpeg::Planes before = gray_picture({1280, 720}, jpeg::Sampling::Yuv420);
  jpeg::Planes after = before;
  draw(after, found({boxed({100, 200, 300, 160})}), {}, kLabels);
  const jpeg::Rect rect = changed(before, after);
  CHECK(rect.x == 100);
  CHECK(std::abs(rect.y + rect.height_px - 200) <= 1);
  CHECK(rect.height_px > 12);
  CHECK(rect.height_px < 40);
  CHECK(rect.width_px > 80);
  CHECK(rect.width_px < 180);
  CHECK(has_colour(after, rect.x, rect.y + 1, colour_of("person")));
  int letters = 0;
  const int ink = colour_of("person").y > 125 ? 0 : 255;
  for (int y = rect.y; y < rect.y + rect.height_px; ++y) {
    for (int x = rect.x; x < rect.x + rect.width_px; ++x) letters += std::abs(after.row(0, y)[x] - ink) < 40 ? 1 : 0;
  }
  CHECK(letters > 100);
}

TEST_CASE("draw: a label is moved into the picture, and cut where it is too long, but for the figure") {
  const jpeg::Size size{320, 240};
  for (const Box& box : {Box{-50, -50, 100, 100}, {300, 2, 100, 300}, {0, 230, 10, 10}, {310, 230, 10, 10}}) {
    const jpeg::Rect rect = drawn(size, jpeg::Sampling::Yuv444, found({boxed(box)}), kLabels);
    CHECK(rect.width_px > 40);
    CHECK(rect.height_px > 10);
  }
  const std::string name(300, 'W');
  const jpeg::Rect rect = drawn(size, jpeg::Sampling::Yuv444, found({boxed({10, 100, 50, 50}, name)}), kLabels);
  CHECK(rect.width_px > 300);
  CHECK(rect.width_px <= 320);
  CHECK(drawn({40, 40}, jpeg::Sampling::Yuv444, found({boxed({5, 5, 30, 30}, name)}), kLabels).width_px > 20);
}

TEST_CASE("draw: letters beyond ASCII are one '?' each, and control characters likewise") {
  const auto picture = [](const std::string& label) {
    jpeg::Planes planes = gray_picture({320, 240}, jpeg::Sampling::Gray);
    draw(planes, found({boxed({10, 100, 200, 50}, label)}), {}, kLabels);
    // The background's colour depends on the label, the letters' places do not.
    const int background = colour_of(label).y;
    std::string letters;
    for (int y = 80; y < 100; ++y) {
      for (int x = 10; x < 200; ++x) letters += planes.row(0, y)[x] == background ? '.' : '#';
    }
    return letters;
  };
  CHECK(picture("K\xC3\xA4se \xE2\x98\x83\n") == picture("K?se ??"));
}

TEST_CASE("draw: what was recognised without a place is named in the corner, one below the other") {
  Object word;
  word.label = "hello";
  word.confidence = 0.5;
  const jpeg::Rect one = drawn({640, 480}, jpeg::Sampling::Yuv420, found({word}), kAll);
  const jpeg::Rect two = drawn({640, 480}, jpeg::Sampling::Yuv420, found({word, word}), kAll);
  CHECK(one.x == 0);
  CHECK(one.y == 0);
  CHECK(std::abs(two.height_px - 2 * one.height_px) <= 2);
  CHECK(two.width_px == one.width_px);
}

TEST_CASE("draw: a pose without a box is named above its keypoints, and one without a sure keypoint is not") {
  Object pose;
  pose.label = "person";
  pose.keypoints = {{kNan, 0, 1}, {1e30, 1, 1}, {20, 20, 0.1}, {300, 400, 1}, {350, 300, 1}};
  const jpeg::Rect rect = drawn({640, 480}, jpeg::Sampling::Yuv444, found({pose}), kLabels);
  CHECK(rect.x == 300);
  CHECK(rect.y + rect.height_px == 300);
  pose.keypoints.resize(3);
  CHECK(drawn({640, 480}, jpeg::Sampling::Yuv444, found({pose}), kLabels) == jpeg::Rect{});
}

TEST_CASE("draw: bones join keypoints, dots mark them, and those that are guessed are left out") {
  const Skeleton bone{{{0, 1}}};
  Object pose;
  pose.label = "person";
  pose.box = Box{0, 0, 640, 480};
  pose.keypoints = {{100, 100, 0.9}, {300, 100, 0.31}, {500, 400, 0.29}};
  for (const jpeg::Sampling sampling : test::kSamplings) {
    CAPTURE(static_cast<int>(sampling));
    const jpeg::Planes before = gray_picture({640, 480}, sampling);
    jpeg::Planes after = before;
    draw(after, found({pose}), bone, kSkeleton);
    CHECK(has_colour(after, 200, 100, colour_of("person")));
    CHECK(after.row(0, 100)[100] == 240);
    CHECK(after.row(0, 100)[300] == 240);
    const jpeg::Rect rect = changed(before, after);
    CHECK(rect.x >= 88);
    CHECK(rect.y >= 88);
    CHECK(rect.x + rect.width_px <= 312);
    CHECK(rect.y + rect.height_px <= 112);
  }
  pose.keypoints[1].confidence = 0.1;  // without its other end a bone is not drawn either
  CHECK(drawn({640, 480}, jpeg::Sampling::Yuv420, found({pose}), kSkeleton, bone).width_px < 16);
  jpeg::Planes after = gray_picture({640, 480}, jpeg::Sampling::Yuv420);
  draw(after, found({pose}), bone, kSkeleton, /*least_keypoint=*/0.05);
  CHECK(has_colour(after, 200, 100, colour_of("person")));
  CHECK(after.row(0, 400)[500] == 240);
}

TEST_CASE("draw: a bone to a keypoint outside is cut at the edge") {
  Object pose;
  pose.keypoints = {{320, 240, 1}, {900, 240, 1}};
  const jpeg::Rect rect = drawn({640, 480}, jpeg::Sampling::Yuv444, found({pose}), kSkeleton, {{{0, 1}}});
  CHECK(rect.x + rect.width_px == 640);
  CHECK(rect.height_px < 12);
}

TEST_CASE("draw: an order that is not given draws nothing of its kind") {
  Object object = boxed({100, 100, 200, 200});
  object.keypoints = {{150, 150, 1}, {250, 250, 1}};
  const auto where = [&](const Overlay& overlay) {
    return drawn({640, 480}, jpeg::Sampling::Yuv444, found({object}), overlay, {{{0, 1}}});
  };
  CHECK(where({}) == jpeg::Rect{});
  CHECK(where({false, false, false, true}) == jpeg::Rect{});
  CHECK(where(kBoxes) == jpeg::Rect{100, 100, 200, 200});
  CHECK(where(kLabels).y + where(kLabels).height_px <= 101);
  CHECK(where(kSkeleton).y > 140);
}

TEST_CASE("draw: a box that is empty, negative, not finite or elsewhere draws nothing") {
  for (const Box& box : {Box{10, 10, 0, 10},
                         {10, 10, 10, 0},
                         {10, 10, -5, 5},
                         {kNan, 10, 10, 10},
                         {10, 10, kNan, 10},
                         {-kInfinity, 0, kInfinity, 10},
                         {700, 10, 10, 10},
                         {-20, 10, 10, 10},
                         {10, 1e30, 10, 1e30},
                         {-1e30, -1e30, 10, 10}}) {
    CAPTURE(box.x);
    CHECK(drawn({640, 480}, jpeg::Sampling::Yuv420, found({boxed(box)}), kAll) == jpeg::Rect{});
  }
}

TEST_CASE("draw: a huge box goes round the picture") {
  for (const Box& box : {Box{-1e30, -1e30, kInfinity, 3e30}, {-1, -1, 1e9, 1e9}}) {
    CHECK(drawn({640, 480}, jpeg::Sampling::Yuv420, found({boxed(box)}), kBoxes) == jpeg::Rect{0, 0, 640, 480});
  }
}

TEST_CASE("draw: no number and no size of picture does harm") {
  const double numbers[] = {0, -1, 3.7, 12, 1e5, -1e5, 1e30, -1e30, 1e308, kNan, kInfinity, -kInfinity};
  std::vector<Object> objects;
  for (const double a : numbers) {
    for (const double b : numbers) {
      Object object = boxed({a, b, b, a}, "x", a);
      object.keypoints = {{a, b, 1}, {b, a, b}, {2, 3, 1}, {a, a, a}};
      objects.push_back(object);
    }
  }
  const Skeleton skeleton{{{0, 1}, {0, 2}, {1, 2}, {2, 3}, {3, 400}}};
  for (const jpeg::Sampling sampling : test::kSamplings) {
    for (const jpeg::Size size : {jpeg::Size{1, 1}, {13, 7}, {7, 13}, {2, 300}, {641, 359}}) {
      jpeg::Planes planes = gray_picture(size, sampling);
      draw(planes, found(objects), skeleton, kAll);
      jpeg::Planes padded = planes;
      padded.pad_edges();
      CHECK(test::difference(planes, padded) == 0);
      CHECK(std::equal(planes.plane(0), planes.plane(0) + planes.stride(0), padded.plane(0)));
    }
  }
}

TEST_CASE("colour_of: the colour stays with the label, and is one of seven") {
  std::set<int> colours;
  for (int i = 0; i < 200; ++i) colours.insert(colour_of("label" + std::to_string(i)).y);
  CHECK(colours.size() == 7);
  CHECK(colour_of("person").y == colour_of("person").y);
}

TEST_CASE("parse_overlay: reads names and none, and says which there are") {
  CHECK(parse_overlay("boxes,labels,skeleton").value() == Overlay{true, true, true, false});
  CHECK(parse_overlay("garment, boxes").value() == Overlay{true, false, false, true});
  CHECK(parse_overlay("none").value() == Overlay{});
  CHECK(parse_overlay("none").value().nothing());
  for (const char* bad : {"", "box", "boxes,,labels", "none,boxes", "Boxes"}) {
    CAPTURE(bad);
    CHECK(parse_overlay(bad).error().text ==
          "overlay '" + std::string(bad) +
              "': may be boxes, labels, skeleton and garment, with commas between them, or none");
  }
}

TEST_CASE("with_orders: changes what is named, and leaves out what it does not know") {
  const Overlay usual{true, true, false, false};
  CHECK(with_orders(usual, "skeleton=1, garment = 1,boxes=0") == Overlay{false, true, true, true});
  CHECK(with_orders(usual, "") == usual);
  CHECK(with_orders(usual, "boxes=yes,labels,=,,x=1,labels=00") == usual);
}
