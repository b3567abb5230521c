#include "jpeg/transform.h"

#include <doctest/doctest.h>

#include "support/jpegs.h"
#include "support/libjpeg.h"
#include "support/planes.h"

namespace {

using namespace fp;
using jpeg::Geometry;
using jpeg::Sampling;
using jpeg::Transformer;
using jpeg::Turn;
using test::Coefficients;
using test::make_libjpeg;
using test::read_coefficients;

Blob blob(const std::string& bytes) { return Blob::copy_of(as_bytes(bytes)); }
std::string text(const Blob& bytes) { return std::string(as_text(bytes.view())); }

Geometry turn_of(jpeg::Size size, Turn turn) {
  Geometry geometry = Geometry::none(size);
  geometry.turn = turn;
  geometry.to = geometry.turned();
  return geometry;
}
Geometry crop_of(jpeg::Size size, jpeg::Rect crop) {
  Geometry geometry = Geometry::none(size);
  geometry.crop = crop;
  geometry.to = geometry.turned();
  return geometry;
}

// What turning does to coefficients, from the definition of the DCT (ITU-T T.81 A.3.3): blocks trade places, a mirrored
// cosine of an odd frequency changes its sign, and rows and columns within a block are exchanged as outside.
Coefficients turned(const Coefficients& from, const Turn& turn) {
  Coefficients to;
  to.blocks_across = turn.transpose ? from.blocks_down : from.blocks_across;
  to.blocks_down = turn.transpose ? from.blocks_across : from.blocks_down;
  for (int y = 0; y < to.blocks_down; ++y) {
    for (int x = 0; x < to.blocks_across; ++x) {
      const int from_x = turn.transpose ? y : x;
      const int from_y = turn.transpose ? x : y;
      const short* const block = from.block(turn.flip_x ? from.blocks_across - 1 - from_x : from_x,
                                            turn.flip_y ? from.blocks_down - 1 - from_y : from_y);
      for (int v = 0; v < 8; ++v) {
        for (int u = 0; u < 8; ++u) {
          const int from_u = turn.transpose ? v : u;
          const int from_v = turn.transpose ? u : v;
          const bool negative = (turn.flip_x && from_u % 2 == 1) != (turn.flip_y && from_v % 2 == 1);
          const short value = block[8 * from_v + from_u];
          to.values.push_back(negative ? static_cast<short>(-value) : value);
        }
      }
    }
  }
  return to;
}

TEST_CASE("Transformer: turning moves coefficients and changes none, in every sampling") {
  Transformer transformer;
  for (const auto& [across, down, sampling] : {std::tuple{1, 1, Sampling::Yuv444},
                                               {2, 1, Sampling::Yuv422},
                                               {2, 2, Sampling::Yuv420},
                                               {1, 2, Sampling::Yuv440}}) {
    for (const bool progressive : {false, true}) {
      const std::string jpeg = make_libjpeg({.progressive = progressive,
                                             .restart_mcus = 3,
                                             .width_px = 96,
                                             .height_px = 48,
                                             .luma_across = across,
                                             .luma_down = down});
      const auto before = read_coefficients(jpeg);
      REQUIRE(before.size() == 3);
      for (const Turn turn : test::all_turns()) {
        CAPTURE(static_cast<int>(sampling));
        CAPTURE(turn.flip_x);
        CAPTURE(turn.flip_y);
        CAPTURE(turn.transpose);
        const Geometry geometry = turn_of({96, 48}, turn);
        REQUIRE(lossy_because(geometry, sampling, false).empty());
        const auto result = transformer.apply(blob(jpeg), geometry, false);
        REQUIRE(result.has_value());
        const auto after = read_coefficients(text(*result));
        REQUIRE(after.size() == 3);
        for (std::size_t i = 0; i < 3; ++i) CHECK(after[i] == turned(before[i], turn));
        CHECK(test::decode(text(*result)).width_px == geometry.to.width_px);
      }
    }
  }
}

TEST_CASE("Transformer: a cut between MCUs takes the coefficients as they are") {
  const std::string jpeg = make_libjpeg({.width_px = 96, .height_px = 64});
  const Geometry geometry = crop_of({96, 64}, {32, 16, 40, 21});
  REQUIRE(lossy_because(geometry, Sampling::Yuv420, false).empty());
  const auto result = Transformer().apply(blob(jpeg), geometry, false);
  REQUIRE(result.has_value());
  const auto seen = test::decode(text(*result));
  CHECK(seen.width_px == 40);
  CHECK(seen.height_px == 21);
  const auto before = read_coefficients(jpeg);
  const auto after = read_coefficients(text(*result));
  REQUIRE(after.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    const int left = i == 0 ? 4 : 2;
    const int top = i == 0 ? 2 : 1;
    for (int y = 0; y < after[i].blocks_down; ++y) {
      for (int x = 0; x < after[i].blocks_across; ++x) {
        CHECK(std::equal(after[i].block(x, y), after[i].block(x, y) + 64, before[i].block(left + x, top + y)));
      }
    }
  }
}

TEST_CASE("Transformer: what is cut out can be turned although the whole could not") {
  const std::string jpeg = make_libjpeg({.width_px = 90, .height_px = 50});
  Geometry geometry = crop_of({90, 50}, {16, 16, 32, 32});
  CHECK_FALSE(lossy_because(turn_of({90, 50}, Turn::by_degrees(90)), Sampling::Yuv420, false).empty());
  geometry.turn = Turn::by_degrees(90);
  REQUIRE(lossy_because(geometry, Sampling::Yuv420, false).empty());
  const auto result = Transformer().apply(blob(jpeg), geometry, false);
  REQUIRE(result.has_value());
  const auto cut = Transformer().apply(blob(jpeg), crop_of({90, 50}, {16, 16, 32, 32}), false);
  CHECK(read_coefficients(text(*result))[0] == turned(read_coefficients(text(*cut))[0], geometry.turn));
}

TEST_CASE("Transformer: gray throws chroma away and leaves luma's coefficients") {
  const std::string jpeg = make_libjpeg({.width_px = 40, .height_px = 24});
  const auto before = read_coefficients(jpeg);
  const auto result = Transformer().apply(blob(jpeg), Geometry::none({40, 24}), true);
  REQUIRE(result.has_value());
  const auto after = read_coefficients(text(*result));
  REQUIRE(after.size() == 1);
  CHECK(after[0].blocks_across == 5);
  for (int y = 0; y < 3; ++y) {
    for (int x = 0; x < 5; ++x) {
      CHECK(std::equal(after[0].block(x, y), after[0].block(x, y) + 64, before[0].block(x, y)));
    }
  }
}

TEST_CASE("Transformer: gray turns what colours could not") {
  const std::string jpeg = make_libjpeg({.width_px = 40, .height_px = 24});
  const Geometry geometry = turn_of({40, 24}, Turn::by_degrees(180));
  CHECK_FALSE(lossy_because(geometry, Sampling::Yuv420, false).empty());
  REQUIRE(lossy_because(geometry, Sampling::Yuv420, true).empty());
  CHECK(Transformer().apply(blob(jpeg), geometry, true).has_value());
}

TEST_CASE("Transformer: other segments are kept") {
  const std::string jpeg =
      test::with_thumbnail(make_libjpeg({.width_px = 32, .height_px = 32}), test::make_jpeg(2, 16, 16));
  const auto result = Transformer().apply(blob(jpeg), turn_of({32, 32}, Turn::by_degrees(90)), false);
  REQUIRE(result.has_value());
  CHECK(text(*result).find("Exif") != std::string::npos);
}

TEST_CASE("Transformer: segments larger than the picture are kept, too") {
  const std::string jpeg =
      test::with_thumbnail(make_libjpeg({.width_px = 16, .height_px = 16}), std::string(60'000, 'x'));
  const auto result = Transformer().apply(blob(jpeg), turn_of({16, 16}, Turn::by_degrees(90)), false);
  REQUIRE(result.has_value());
  CHECK(result->size() > 60'000);
}

TEST_CASE("lossy_because: names the side that does not end with a whole MCU, and only sides that move") {
  const auto why = [](Turn turn) { return lossy_because(turn_of({1920, 1080}, turn), Sampling::Yuv420, false); };
  CHECK(why(Turn::by_degrees(90)) == "a height of 1080 is no multiple of 16");
  CHECK(why(Turn::by_degrees(180)) == "a height of 1080 is no multiple of 16");
  CHECK(why(Turn::by_degrees(270)).empty());
  CHECK(why({.flip_x = true}).empty());
  CHECK(lossy_because(turn_of({1920, 1080}, Turn::by_degrees(90)), Sampling::Yuv422, false).empty());
  CHECK(lossy_because(crop_of({64, 64}, {8, 0, 16, 16}), Sampling::Yuv420, false) ==
        "a cut at an X of 8 is no multiple of 16");
  CHECK(lossy_because(crop_of({64, 64}, {0, 8, 16, 16}), Sampling::Yuv422, false).empty());
}

TEST_CASE("lossy_because: says what libjpeg-turbo says") {
  Transformer transformer;
  for (const int width : {32, 40, 33}) {
    for (const int height : {32, 40, 33}) {
      const std::string jpeg = make_libjpeg({.width_px = width, .height_px = height});
      for (const Turn turn : test::all_turns()) {
        for (const bool gray : {false, true}) {
          CAPTURE(width);
          CAPTURE(height);
          CAPTURE(gray);
          const Geometry geometry = turn_of({width, height}, turn);
          CHECK(lossy_because(geometry, Sampling::Yuv420, gray).empty() ==
                transformer.apply(blob(jpeg), geometry, gray).has_value());
        }
      }
    }
  }
}

TEST_CASE("Transformer: a damaged picture is an error, and the next one is not") {
  Transformer transformer;
  const std::string whole = make_libjpeg({.width_px = 320, .height_px = 240});
  jpeg::Walker walker;
  REQUIRE(walker.walk(as_bytes(whole)) == jpeg::Walker::Status::Done);
  const std::string cut = whole.substr(0, walker.info().first_scan_offset + 400) + "\xFF\xD9";
  const Geometry geometry = turn_of({320, 240}, Turn::by_degrees(90));
  const auto result = transformer.apply(blob(cut), geometry, false);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().kind == Error::Kind::Malformed);
  CHECK(transformer.apply(blob(whole), geometry, false).has_value());
}

TEST_CASE("Transformer: a camera's JPEG without Huffman tables is turned like one with them") {
  const std::string whole = make_libjpeg({.width_px = 32, .height_px = 32});
  const Geometry geometry = turn_of({32, 32}, Turn::by_degrees(90));
  const auto expected = Transformer().apply(blob(whole), geometry, false);
  const auto seen = Transformer().apply(blob(test::without_huffman_tables(whole)), geometry, false);
  REQUIRE(seen.has_value());
  CHECK(text(*seen) == text(*expected));
}

}  // namespace
