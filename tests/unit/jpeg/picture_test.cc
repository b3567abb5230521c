#include "jpeg/picture.h"

#include <doctest/doctest.h>

#include <numeric>

#include "jpeg/card.h"
#include "jpeg/encoder.h"
#include "support/libjpeg.h"

namespace {

using namespace fp;
using jpeg::Colour;
using jpeg::Picture;
using jpeg::Size;

const Colour kWhite = Colour::rgb(255, 255, 255);

int luma(const Picture& picture, int x, int y) { return picture.plane(0)[y * picture.stride(0) + x]; }

// How many pixels are brighter than half.
int bright(const Picture& picture) {
  int count = 0;
  for (int y = 0; y < picture.size().height_px; ++y) {
    for (int x = 0; x < picture.size().width_px; ++x) count += luma(picture, x, y) > 127 ? 1 : 0;
  }
  return count;
}

TEST_CASE("Colour: white, black and red are JFIF's") {
  CHECK(kWhite.y == 255);
  CHECK(kWhite.cb == 128);
  CHECK(kWhite.cr == 128);
  CHECK(Colour::rgb(0, 0, 0).y == 0);
  CHECK(Colour::rgb(255, 0, 0).y == 76);
  CHECK(Colour::rgb(255, 0, 0).cb == 85);
  CHECK(Colour::rgb(255, 0, 0).cr == 255);
}

TEST_CASE("Picture: begins black") {
  const Picture picture({16, 16});
  CHECK(bright(picture) == 0);
  CHECK(picture.plane(1)[0] == 128);
}

TEST_CASE("Picture: a rectangle is filled to its edges and not beyond") {
  Picture picture({16, 16});
  picture.fill(4, 6, 8, 2, kWhite);
  CHECK(bright(picture) == 16);
  CHECK(luma(picture, 4, 6) == 255);
  CHECK(luma(picture, 11, 7) == 255);
  CHECK(luma(picture, 3, 6) == 0);
  CHECK(luma(picture, 12, 6) == 0);
  CHECK(luma(picture, 4, 8) == 0);
}

TEST_CASE("Picture: what reaches over the edge is cut") {
  Picture picture({15, 9});
  picture.fill(-100, -100, 101, 101, kWhite);
  CHECK(bright(picture) == 1);
  picture.fill(14, 8, 1000, 1000, kWhite);
  CHECK(bright(picture) == 2);
  picture.fill(50, 50, 10, 10, kWhite);
  picture.fill(5, 5, -3, -3, kWhite);
  CHECK(bright(picture) == 2);
}

TEST_CASE("Picture: text is drawn where it was asked for, in dots of the scale") {
  Picture picture({64, 32});
  picture.text(10, 4, 2, kWhite, "-");  // five dots in the fourth of seven rows
  CHECK(bright(picture) == 5 * 2 * 2);
  CHECK(luma(picture, 10, 4 + 3 * 2) == 255);
  CHECK(luma(picture, 19, 4 + 3 * 2 + 1) == 255);
  CHECK(luma(picture, 20, 4 + 3 * 2) == 0);
}

TEST_CASE("Picture: small letters are drawn as capitals") {
  Picture small({64, 16});
  Picture capital({64, 16});
  small.text(0, 0, 1, kWhite, "camera");
  capital.text(0, 0, 1, kWhite, "CAMERA");
  CHECK(bright(small) == bright(capital));
  CHECK(bright(small) > 0);
}

TEST_CASE("Picture: an unknown letter is a box, not nothing") {
  Picture picture({16, 16});
  picture.text(0, 0, 1, kWhite, "\x01");
  CHECK(bright(picture) == 2 * 5 + 2 * 5);
}

TEST_CASE("Picture: text that reaches over the edge is cut") {
  Picture picture({20, 5});
  picture.text(-3, -2, 3, kWhite, "WWWWWWWWWWWW");
  CHECK(bright(picture) > 0);
}

TEST_CASE("draw_card: the title and the lines are there, in the middle") {
  const Picture empty = jpeg::draw_card({320, 240}, "", {});
  const Picture titled = jpeg::draw_card({320, 240}, "NO SIGNAL", {});
  const Picture both = jpeg::draw_card({320, 240}, "NO SIGNAL", {"front door"});
  CHECK(bright(empty) == 0);
  CHECK(bright(titled) > 100);
  CHECK(bright(both) > bright(titled));
}

TEST_CASE("draw_card: every size can be drawn and encoded") {
  jpeg::Encoder encoder;
  for (const Size size : {Size{1, 1}, {2, 2}, {3, 5}, {16, 16}, {641, 479}, {1, 2000}, {2000, 1}}) {
    CAPTURE(size.width_px);
    CAPTURE(size.height_px);
    const Picture card =
        jpeg::draw_card(size, "WAITING FOR THE FIRST FRAME", {"camera", "a longer line of text than fits"});
    CHECK(encoder.encode(card, 80).has_value());
  }
}

}  // namespace
