#include "jpeg/encoder.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <vector>

#include "jpeg/hygiene.h"
#include "support/libjpeg.h"

namespace {

using namespace fp;
using jpeg::Colour;
using jpeg::Picture;
using jpeg::Size;

TEST_CASE("Encoder: pictures of every size come out whole and as large as they went in") {
  jpeg::Encoder encoder;
  for (const Size size : {Size{1, 1}, {3, 5}, {5, 3}, {16, 16}, {17, 33}, {640, 480}}) {
    CAPTURE(size.width_px);
    CAPTURE(size.height_px);
    const auto encoded = encoder.encode(Picture(size), 80);
    REQUIRE(encoded.has_value());
    const auto clean = jpeg::clean(*encoded);
    REQUIRE(clean.has_value());
    CHECK(clean->info.width_px == size.width_px);
    CHECK(clean->info.height_px == size.height_px);
    CHECK(clean->padding_bytes == 0);
    const auto seen = test::decode(as_text(encoded->view()));
    CHECK(seen.width_px == size.width_px);
    CHECK(seen.warnings == 0);
  }
}

TEST_CASE("Encoder: colours come out as they went in") {
  Picture picture({32, 32});
  picture.fill(0, 0, 32, 32, Colour::rgb(200, 60, 30));
  jpeg::Encoder encoder;
  const auto encoded = encoder.encode(picture, 95);
  REQUIRE(encoded.has_value());
  const auto seen = test::decode(as_text(encoded->view()));
  REQUIRE(seen.rgb.size() == 32 * 32 * 3);
  const std::size_t middle = (16 * 32 + 16) * 3;
  CHECK(std::abs(seen.rgb[middle] - 200) <= 4);
  CHECK(std::abs(seen.rgb[middle + 1] - 60) <= 4);
  CHECK(std::abs(seen.rgb[middle + 2] - 30) <= 4);
}

TEST_CASE("Encoder: RGB rows come out as they went in, also of odd sizes") {
  jpeg::Encoder encoder;
  for (const Size size : {Size{1, 1}, {3, 5}, {31, 17}}) {
    CAPTURE(size.width_px);
    const auto pixels = static_cast<std::size_t>(size.width_px) * static_cast<std::size_t>(size.height_px);
    std::vector<std::uint8_t> rgb;
    for (std::size_t i = 0; i < pixels; ++i) rgb.insert(rgb.end(), {30, 120, 210});
    const auto encoded = encoder.encode_rgb(rgb, size, 95);
    REQUIRE(encoded.has_value());
    const auto seen = test::decode(as_text(encoded->view()));
    REQUIRE(seen.rgb.size() == rgb.size());
    CHECK(std::abs(seen.rgb[0] - 30) <= 4);
    CHECK(std::abs(seen.rgb[1] - 120) <= 4);
    CHECK(std::abs(seen.rgb[2] - 210) <= 4);
  }
}

TEST_CASE("Encoder: a higher quality takes more bytes") {
  Picture picture({160, 120});
  picture.text(2, 2, 2, Colour::rgb(255, 255, 255), "THE QUICK FOX");
  jpeg::Encoder encoder;
  const auto low = encoder.encode(picture, 10);
  const auto high = encoder.encode(picture, 95);
  REQUIRE(low.has_value());
  REQUIRE(high.has_value());
  CHECK(high->size() > low->size());
}

TEST_CASE("Encoder: a quality that does not exist is an error in words") {
  jpeg::Encoder encoder;
  const auto encoded = encoder.encode(Picture({16, 16}), 101);
  REQUIRE_FALSE(encoded.has_value());
  CHECK(encoded.error().kind == Error::Kind::Unsupported);
  CHECK(encoded.error().text.starts_with("encode: "));
}

TEST_CASE("Encoder: works on after an error") {
  jpeg::Encoder encoder;
  REQUIRE_FALSE(encoder.encode(Picture({16, 16}), 101).has_value());
  CHECK(encoder.encode(Picture({16, 16}), 50).has_value());
}

}  // namespace
