#include "jpeg/decoder.h"

#include <doctest/doctest.h>

#include "jpeg/encoder.h"
#include "support/jpegs.h"
#include "support/libjpeg.h"
#include "support/planes.h"

namespace {

using namespace fp;
using jpeg::Decoder;
using jpeg::Planes;
using jpeg::Sampling;
using jpeg::Size;
using test::difference;
using test::make_libjpeg;
using test::make_planes;

Blob encoded(const Planes& planes, int quality = 95) { return jpeg::Encoder().encode(planes, quality).value(); }

// The JPEG with another size in its SOF segment.
std::string claiming(std::string jpeg, unsigned width, unsigned height) {
  jpeg::Walker walker;
  walker.walk(as_bytes(jpeg));
  const std::size_t at = walker.info().sof_offset + 5;
  jpeg[at] = static_cast<char>(height >> 8);
  jpeg[at + 1] = static_cast<char>(height & 0xFF);
  jpeg[at + 2] = static_cast<char>(width >> 8);
  jpeg[at + 3] = static_cast<char>(width & 0xFF);
  return jpeg;
}

TEST_CASE("Decoder and Encoder: pictures of every sampling and size come back as they went in") {
  Decoder decoder;
  for (const Sampling sampling : test::kSamplings) {
    for (const Size size : {Size{1, 1}, {3, 5}, {5, 3}, {17, 33}, {64, 48}, {129, 65}}) {
      CAPTURE(static_cast<int>(sampling));
      CAPTURE(size.width_px);
      const Planes planes = make_planes(size, sampling);
      const auto seen = decoder.decode(encoded(planes, 100).view(), size);
      REQUIRE(seen.has_value());
      CHECK(difference(*seen, planes) <= 3);
    }
  }
}

TEST_CASE("Decoder: reads the size and the sampling without decoding") {
  const auto header = Decoder().read_header(encoded(make_planes({123, 45}, Sampling::Yuv422)).view());
  REQUIRE(header.has_value());
  CHECK(header->size == Size{123, 45});
  CHECK(header->sampling == Sampling::Yuv422);
}

TEST_CASE("Decoder: decodes in the smallest of its sizes that is large enough") {
  Decoder decoder;
  const Blob jpeg = encoded(make_planes({640, 480}, Sampling::Yuv420));
  const auto size_for = [&](Size at_least) { return decoder.decode(jpeg.view(), at_least).value().size(); };
  CHECK(size_for({1, 1}) == Size{80, 60});
  CHECK(size_for({80, 60}) == Size{80, 60});
  CHECK(size_for({81, 60}) == Size{160, 120});
  CHECK(size_for({80, 61}) == Size{160, 120});
  CHECK(size_for({320, 240}) == Size{320, 240});
  CHECK(size_for({321, 1}) == Size{400, 300});
  CHECK(size_for({640, 480}) == Size{640, 480});
  CHECK(size_for({9999, 9999}) == Size{640, 480});
}

TEST_CASE("Decoder: a smaller picture shows the same, in every sampling and at odd sizes") {
  Decoder decoder;
  for (const Sampling sampling : test::kSamplings) {
    for (const Size size : {Size{320, 240}, {317, 241}, {97, 15}, {8, 8}, {24, 40}}) {
      const Blob jpeg = encoded(make_planes(size, sampling), 98);
      for (int eighths = 1; eighths <= 8; ++eighths) {
        CAPTURE(static_cast<int>(sampling));
        CAPTURE(size.width_px);
        CAPTURE(eighths);
        const Size wanted{(size.width_px * eighths + 7) / 8, (size.height_px * eighths + 7) / 8};
        const auto seen = decoder.decode(jpeg.view(), wanted);
        REQUIRE(seen.has_value());
        CHECK(seen->size().width_px >= wanted.width_px);
        if (size.width_px >= 97 && size.height_px >= 97) {
          CHECK(difference(*seen, make_planes(seen->size(), sampling)) <= 8);
        }
      }
    }
  }
}

TEST_CASE("Decoder: rare samplings and RGB are decoded by way of RGB") {
  Decoder decoder;
  const std::string plain = make_libjpeg({.quality = 95, .luma_across = 1, .luma_down = 1});
  const auto expected = decoder.decode(as_bytes(plain), {80, 48});
  REQUIRE(expected.has_value());
  for (const std::string& jpeg :
       {make_libjpeg({.quality = 95, .luma_across = 3, .luma_down = 1}), make_libjpeg({.quality = 95, .rgb = true})}) {
    const auto header = decoder.read_header(as_bytes(jpeg));
    REQUIRE(header.has_value());
    CHECK_FALSE(header->sampling.has_value());
    const auto seen = decoder.decode(as_bytes(jpeg), {80, 48});
    REQUIRE(seen.has_value());
    CHECK(seen->sampling() == Sampling::Yuv444);
    CHECK(seen->size() == Size{80, 48});
  }
  const auto rgb = decoder.decode(as_bytes(make_libjpeg({.quality = 95, .rgb = true})), {80, 48});
  Planes luma = *rgb;
  Planes wanted = *expected;
  luma.drop_chroma();
  wanted.drop_chroma();
  CHECK(difference(luma, wanted) <= 24);
}

TEST_CASE("Decoder: a picture of four colours is refused in words") {
  const auto seen = Decoder().decode(as_bytes(make_libjpeg({.cmyk = true})), {80, 48});
  REQUIRE_FALSE(seen.has_value());
  CHECK(seen.error().kind == Error::Kind::Unsupported);
}

TEST_CASE("Decoder: a picture that claims too many pixels is refused before they are allocated") {
  Decoder decoder;
  const std::string jpeg = make_libjpeg({});
  for (const auto& [width, height] : {std::pair{65535u, 65535u}, {16385u, 1u}, {1u, 16385u}, {16384u, 4097u}}) {
    CAPTURE(width);
    const auto seen = decoder.decode(as_bytes(claiming(jpeg, width, height)), {1, 1});
    REQUIRE_FALSE(seen.has_value());
    CHECK(seen.error().kind == Error::Kind::TooLarge);
    CHECK(seen.error().text.find(std::to_string(width) + "x" + std::to_string(height)) != std::string::npos);
  }
}

TEST_CASE("Decoder: a damaged picture is an error, not half a picture") {
  Decoder decoder;
  for (const bool progressive : {false, true}) {
    const std::string whole = make_libjpeg({.progressive = progressive, .width_px = 320, .height_px = 240});
    // Whole in its segments, with most of its entropy-coded bytes gone.
    jpeg::Walker walker;
    REQUIRE(walker.walk(as_bytes(whole)) == jpeg::Walker::Status::Done);
    const std::string cut = whole.substr(0, walker.info().first_scan_offset + 400) + "\xFF\xD9";
    const auto seen = decoder.decode(as_bytes(cut), {320, 240});
    REQUIRE_FALSE(seen.has_value());
    CHECK(seen.error().kind == Error::Kind::Malformed);
    CHECK(seen.error().text.starts_with("decode: "));
    CHECK(seen.error().text.find('\n') == std::string::npos);
  }
  CHECK_FALSE(decoder.decode(as_bytes(std::string("GIF89a")), {1, 1}).has_value());
  CHECK_FALSE(decoder.decode({}, {1, 1}).has_value());
}

TEST_CASE("Decoder: padding in front of EOI, which USB cameras leave there, is no damage") {
  Decoder decoder;
  for (const bool progressive : {false, true}) {
    const std::string whole = make_libjpeg({.progressive = progressive});
    const std::string padded = whole.substr(0, whole.size() - 2) + std::string(3, '\0') + "\xFF\xD9";
    const auto expected = decoder.decode(as_bytes(whole), {80, 48});
    const auto seen = decoder.decode(as_bytes(padded), {80, 48});
    REQUIRE(expected.has_value());
    REQUIRE(seen.has_value());
    CHECK(difference(*seen, *expected) == 0);
  }
}

TEST_CASE("Decoder: works on after an error") {
  Decoder decoder;
  REQUIRE_FALSE(decoder.decode(as_bytes(std::string("no JPEG")), {1, 1}).has_value());
  CHECK(decoder.decode(as_bytes(make_libjpeg({})), {80, 48}).has_value());
  // One of them in the middle of the header, one in the middle of the picture.
  const std::string whole = make_libjpeg({});
  for (const std::string& bad :
       {claiming(whole, 65535, 65535), whole.substr(0, 100), whole.substr(0, whole.size() / 2)}) {
    REQUIRE_FALSE(decoder.decode(as_bytes(bad), {1, 1}).has_value());
    CHECK(decoder.decode(as_bytes(whole), {80, 48}).has_value());
  }
}

TEST_CASE("Encoder: a quality that does not exist is an error in words") {
  jpeg::Encoder encoder;
  const auto result = encoder.encode(make_planes({16, 16}, Sampling::Yuv420), 101);
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().kind == Error::Kind::Unsupported);
  CHECK(encoder.encode(make_planes({16, 16}, Sampling::Yuv420), 50).has_value());
}

TEST_CASE("Planes: losing chroma leaves luma as it is, of an odd size too") {
  Planes planes = make_planes({17, 9}, Sampling::Yuv420);
  const Planes before = planes;
  planes.drop_chroma();
  CHECK(planes.sampling() == Sampling::Gray);
  for (int y = 0; y < 9; ++y) {
    for (int x = 0; x < 17; ++x) CHECK(planes.row(0, y)[x] == before.row(0, y)[x]);
  }
}

}  // namespace
