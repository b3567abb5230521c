#include "jpeg/png.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "support/libjpeg.h"
#include "support/pngs.h"

namespace {

using namespace fp;
using namespace fp::jpeg;

using test::make_png;

TEST_CASE("png_to_jpeg: a picture keeps its size and its colour") {
  Encoder encoder;
  const auto jpeg = png_to_jpeg(as_bytes(make_png(31, 17, 200, 60, 30)), encoder, 90);
  REQUIRE(jpeg.has_value());
  const auto seen = test::decode(as_text(jpeg->view()));
  CHECK(seen.width_px == 31);
  CHECK(seen.height_px == 17);
  REQUIRE(seen.rgb.size() > 3);
  CHECK(std::abs(seen.rgb[0] - 200) <= 6);
  CHECK(std::abs(seen.rgb[1] - 60) <= 6);
  CHECK(std::abs(seen.rgb[2] - 30) <= 6);
}

TEST_CASE("png_to_jpeg: what is transparent becomes black") {
  Encoder encoder;
  const auto jpeg = png_to_jpeg(as_bytes(make_png(16, 16, 255, 255, 255, 0)), encoder, 90);
  REQUIRE(jpeg.has_value());
  const auto seen = test::decode(as_text(jpeg->view()));
  REQUIRE_FALSE(seen.rgb.empty());
  CHECK(seen.rgb[0] <= 4);
}

TEST_CASE("read_png: colour and opacity come as they were written") {
  const auto picture = read_png(as_bytes(make_png(3, 2, 10, 200, 30, 128)));
  REQUIRE(picture.has_value());
  CHECK(picture->size == Size{3, 2});
  REQUIRE(picture->pixels.size() == 24);
  CHECK(std::vector<std::uint8_t>(picture->pixels.begin() + 20, picture->pixels.end()) ==
        std::vector<std::uint8_t>{10, 200, 30, 128});
}

TEST_CASE("read_png: what is cut off, damaged or too large is refused as when it becomes a JPEG") {
  const std::string png = make_png(8, 8, 1, 2, 3);
  CHECK(read_png(as_bytes(png).first(png.size() - 9)).error().text.starts_with("cut off after"));
  std::string damaged = png;
  damaged[20] = static_cast<char>(damaged[20] ^ 0x55);
  CHECK(read_png(as_bytes(damaged)).error().kind == Error::Kind::Malformed);
  CHECK(read_png(as_bytes(make_png(16385, 1, 1, 2, 3))).error().kind == Error::Kind::TooLarge);
  CHECK_FALSE(read_png({}).has_value());
}

TEST_CASE("png_to_jpeg: cut off at any byte it is neither whole nor a picture, and says so") {
  Encoder encoder;
  const std::string png = make_png(8, 8, 1, 2, 3);
  for (std::size_t size = 8; size + 8 < png.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(is_whole_png(as_bytes(png).first(size)));
    const auto jpeg = png_to_jpeg(as_bytes(png).first(size), encoder, 90);
    REQUIRE_FALSE(jpeg.has_value());
    CHECK(jpeg.error().text == "cut off after " + std::to_string(size) + " bytes");
  }
}

TEST_CASE("png_to_jpeg: a damaged picture is malformed") {
  Encoder encoder;
  std::string png = make_png(8, 8, 1, 2, 3);
  png[20] = static_cast<char>(png[20] ^ 0x55);  // inside IHDR: its checksum does not hold any more
  const auto jpeg = png_to_jpeg(as_bytes(png), encoder, 90);
  REQUIRE_FALSE(jpeg.has_value());
  CHECK(jpeg.error().kind == Error::Kind::Malformed);
  CHECK(jpeg.error().text.starts_with("png: "));
}

TEST_CASE("png_to_jpeg: a picture larger than JPEG allows is refused") {
  Encoder encoder;
  const auto jpeg = png_to_jpeg(as_bytes(make_png(16385, 1, 1, 2, 3)), encoder, 90);
  REQUIRE_FALSE(jpeg.has_value());
  CHECK(jpeg.error().kind == Error::Kind::TooLarge);
  CHECK(jpeg.error().text.find("16385x1") != std::string::npos);
}

TEST_CASE("is_png: knows the signature, and nothing else") {
  CHECK(is_png(as_bytes(make_png(1, 1, 0, 0, 0))));
  CHECK_FALSE(is_png(as_bytes("\x89PNG")));
  CHECK_FALSE(is_png(as_bytes("GIF89a--")));
  CHECK_FALSE(is_png({}));
}

TEST_CASE("is_whole_png: a chunk length that points far away ends the search") {
  std::string png = make_png(4, 4, 1, 2, 3);
  png[8] = '\xFF';  // IHDR announces 4 GB
  CHECK_FALSE(is_whole_png(as_bytes(png)));
}

}  // namespace
