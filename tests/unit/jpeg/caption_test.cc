#include "jpeg/caption.h"

#include <doctest/doctest.h>

#include "support/planes.h"

namespace {

using namespace fp;
using jpeg::Corner;
using jpeg::Planes;
using jpeg::Sampling;
using jpeg::Size;

Planes plain(Size size, std::uint8_t luma, Sampling sampling = Sampling::Yuv420) {
  Planes planes(size, sampling);
  for (int index = 0; index < planes.count(); ++index) {
    std::fill_n(planes.plane(index),
                static_cast<std::size_t>(planes.stride(index)) *
                    static_cast<std::size_t>(planes.layout().padded(index).height_px),
                index == 0 ? luma : std::uint8_t{90});
  }
  return planes;
}

struct Found {
  int light = 0;
  int dark = 0;
  jpeg::Rect box;  // around all that is not `background`
};
Found look(const Planes& planes, int background) {
  Found found;
  int left = planes.size().width_px;
  int top = planes.size().height_px;
  int right = 0;
  int bottom = 0;
  for (int y = 0; y < planes.size().height_px; ++y) {
    for (int x = 0; x < planes.size().width_px; ++x) {
      const int luma = planes.row(0, y)[x];
      if (luma == background) continue;
      ++(luma > 127 ? found.light : found.dark);
      left = std::min(left, x);
      right = std::max(right, x + 1);
      top = std::min(top, y);
      bottom = std::max(bottom, y + 1);
    }
  }
  found.box = {left, top, right - left, bottom - top};
  return found;
}

TEST_CASE("draw_caption: light letters on a dark box, on any ground") {
  for (const int ground : {0, 128, 255}) {
    CAPTURE(ground);
    Planes planes = plain({320, 240}, static_cast<std::uint8_t>(ground));
    draw_caption(planes, "12:34", Corner::BottomLeft);
    const Found found = look(planes, ground);
    CHECK(found.light > 50);
    CHECK(found.dark > found.light);
  }
}

TEST_CASE("draw_caption: stands in the corner that was asked for") {
  const auto box = [](Corner corner) {
    Planes planes = plain({320, 240}, 128);
    draw_caption(planes, "12:34", corner);
    return look(planes, 128).box;
  };
  CHECK(box(Corner::TopLeft).x == 0);
  CHECK(box(Corner::TopLeft).y == 0);
  const jpeg::Rect right = box(Corner::BottomRight);
  CHECK(right.x + right.width_px == 320);
  CHECK(right.y + right.height_px == 240);
  CHECK(box(Corner::TopRight).y == 0);
  CHECK(box(Corner::TopRight).x == right.x);
  CHECK(box(Corner::BottomLeft).y == right.y);
  CHECK(box(Corner::BottomLeft).x == 0);
}

TEST_CASE("draw_caption: grows with the picture, and shrinks where it would not fit") {
  const auto height = [](Size size, const char* line) {
    Planes planes = plain(size, 128);
    draw_caption(planes, line, Corner::TopLeft);
    return look(planes, 128).box.height_px;
  };
  const int small = height({320, 240}, "12:34");
  CHECK(height({1280, 960}, "12:34") == doctest::Approx(4 * small).epsilon(0.1));
  CHECK(height({1280, 960}, "a line of text that is much too long for so large letters, is it not") < 4 * small);
}

TEST_CASE("draw_caption: leaves no colour in the box, in any sampling") {
  for (const Sampling sampling : test::kSamplings) {
    CAPTURE(static_cast<int>(sampling));
    Planes planes = plain({64, 48}, 200, sampling);
    draw_caption(planes, "12:34", Corner::TopLeft);
    const jpeg::Rect box = look(planes, 200).box;
    for (int index = 1; index < planes.count(); ++index) {
      const int across = chroma_divisor_x(sampling);
      const int down = chroma_divisor_y(sampling);
      CHECK(planes.row(index, 0)[0] == 128);
      CHECK(planes.row(index, (box.height_px - 1) / down)[(box.width_px - 1) / across] == 128);
      CHECK(planes.row(index, 47 / down)[63 / across] == 90);
    }
  }
}

TEST_CASE("draw_caption: every size of a picture can be written on") {
  for (const Sampling sampling : test::kSamplings) {
    for (const Size size : {Size{1, 1}, {3, 5}, {5, 3}, {16, 16}, {17, 200}, {200, 17}, {641, 479}}) {
      for (const Corner corner : {Corner::TopLeft, Corner::TopRight, Corner::BottomLeft, Corner::BottomRight}) {
        CAPTURE(size.width_px);
        Planes planes = plain(size, 200, sampling);
        draw_caption(planes, std::string(300, 'W'), corner);
        CHECK(look(planes, 200).dark > 0);
      }
    }
  }
}

TEST_CASE("draw_caption: nothing is drawn for no text") {
  Planes planes = plain({64, 48}, 200);
  draw_caption(planes, "", Corner::TopLeft);
  CHECK(look(planes, 200).dark == 0);
}

}  // namespace
