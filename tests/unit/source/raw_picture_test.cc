#include "source/raw_picture.h"

#include <doctest/doctest.h>

#include <turbojpeg.h>

#include <algorithm>
#include <string>
#include <vector>

#include "jpeg/walker.h"

namespace {

using namespace fp;

struct Yuv {
  int y, u, v;
};

// A picture of two colours, left and right, in any layout.
std::vector<std::uint8_t> picture(const RawLayout& layout, Yuv left, Yuv right) {
  const int width = layout.size.width_px;
  const int height = layout.size.height_px;
  std::vector<std::uint8_t> bytes(raw_bytes(layout));
  const auto at = [&](int x) { return x < width / 2 ? left : right; };
  const auto put = [&](std::size_t where, int value) { bytes.at(where) = static_cast<std::uint8_t>(value); };
  const auto row_of = [](int row, int stride) {
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(stride);
  };
  const int stride = layout.stride_bytes;
  const auto luma_end = row_of(height, stride);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const Yuv c = at(x);
      const auto px = static_cast<std::size_t>(x);
      const auto pair = static_cast<std::size_t>(x / 2);
      switch (layout.format) {
        case RawFormat::Yuyv:
          put(row_of(y, stride) + 2 * px, c.y);
          put(row_of(y, stride) + 2 * px + 1, x % 2 == 0 ? c.u : c.v);
          break;
        case RawFormat::Yvyu:
          put(row_of(y, stride) + 2 * px, c.y);
          put(row_of(y, stride) + 2 * px + 1, x % 2 == 0 ? c.v : c.u);
          break;
        case RawFormat::Uyvy:
          put(row_of(y, stride) + 2 * px, x % 2 == 0 ? c.u : c.v);
          put(row_of(y, stride) + 2 * px + 1, c.y);
          break;
        case RawFormat::Nv12:
        case RawFormat::Nv21:
          put(row_of(y, stride) + px, c.y);
          put(luma_end + row_of(y / 2, stride) + 2 * pair, layout.format == RawFormat::Nv12 ? c.u : c.v);
          put(luma_end + row_of(y / 2, stride) + 2 * pair + 1, layout.format == RawFormat::Nv12 ? c.v : c.u);
          break;
        case RawFormat::Yu12:
        case RawFormat::Yv12: {
          put(row_of(y, stride) + px, c.y);
          const auto chroma = luma_end + row_of(y / 2, stride / 2) + pair;
          const auto second = row_of(height / 2, stride / 2);
          put(chroma, layout.format == RawFormat::Yu12 ? c.u : c.v);
          put(chroma + second, layout.format == RawFormat::Yu12 ? c.v : c.u);
          break;
        }
        case RawFormat::Yuv422p:
          put(row_of(y, stride) + px, c.y);
          put(luma_end + row_of(y, stride / 2) + pair, c.u);
          put(luma_end + row_of(height, stride / 2) + row_of(y, stride / 2) + pair, c.v);
          break;
        case RawFormat::Yuv444p:
          put(row_of(y, stride) + px, c.y);
          put(luma_end + row_of(y, stride) + px, c.u);
          put(2 * luma_end + row_of(y, stride) + px, c.v);
          break;
        case RawFormat::Grey:
          put(row_of(y, stride) + px, c.y);
          break;
        case RawFormat::Rgb3:
        case RawFormat::Bgr3:
          put(row_of(y, stride) + 3 * px, c.y);
          put(row_of(y, stride) + 3 * px + 1, c.u);
          put(row_of(y, stride) + 3 * px + 2, c.v);
          break;
      }
    }
  }
  return bytes;
}

struct Rgb {
  int r, g, b;
};
Rgb pixel(const Blob& jpeg, int width, int height, int x, int y) {
  const tjhandle handle = tjInitDecompress();
  std::vector<unsigned char> rgb(static_cast<std::size_t>(3 * width * height));
  REQUIRE(tjDecompress2(handle, jpeg.data(), static_cast<unsigned long>(jpeg.size()), rgb.data(), width, 0, height,
                        TJPF_RGB, 0) == 0);
  tjDestroy(handle);
  const auto* const at = &rgb[static_cast<std::size_t>(3 * (y * width + x))];
  return {at[0], at[1], at[2]};
}
bool near(const Rgb& a, const Rgb& b) {
  return std::abs(a.r - b.r) <= 5 && std::abs(a.g - b.g) <= 5 && std::abs(a.b - b.b) <= 5;
}

TEST_CASE("RawEncoder: each layout gives its colours, in limited and in full range, with and without a stride") {
  constexpr RawFormat kAll[] = {RawFormat::Yuyv, RawFormat::Uyvy,    RawFormat::Yvyu,
                                RawFormat::Nv12, RawFormat::Nv21,    RawFormat::Yu12,
                                RawFormat::Yv12, RawFormat::Yuv422p, RawFormat::Yuv444p};
  for (const RawFormat format : kAll) {
    for (const bool full_range : {false, true}) {
      for (const int extra : {0, 16}) {
        CAPTURE(name_of(format));
        CAPTURE(full_range);
        CAPTURE(extra);
        const bool packed = format == RawFormat::Yuyv || format == RawFormat::Uyvy || format == RawFormat::Yvyu;
        const RawLayout layout{format, {64, 32}, (packed ? 128 : 64) + extra, full_range};
        // BT.601: red is (81, 90, 240) in limited range, (76, 85, 255) in full; white is 235 and 255.
        const Yuv red = full_range ? Yuv{76, 85, 255} : Yuv{81, 90, 240};
        const Yuv white = full_range ? Yuv{255, 128, 128} : Yuv{235, 128, 128};
        RawEncoder encoder(95);
        const auto bytes = picture(layout, red, white);
        const auto jpeg = encoder.encode(ByteView(bytes), layout);
        REQUIRE(jpeg.has_value());
        CHECK(near(pixel(*jpeg, 64, 32, 8, 16), {254, 0, 0}));
        CHECK(near(pixel(*jpeg, 64, 32, 56, 16), {255, 255, 255}));
      }
    }
  }
}

TEST_CASE("RawEncoder: grey, RGB and BGR") {
  RawEncoder encoder(95);
  const RawLayout grey{RawFormat::Grey, {64, 32}, 64, false};
  auto jpeg = encoder.encode(ByteView(picture(grey, {16, 0, 0}, {235, 0, 0})), grey);
  REQUIRE(jpeg.has_value());
  CHECK(near(pixel(*jpeg, 64, 32, 8, 16), {0, 0, 0}));
  CHECK(near(pixel(*jpeg, 64, 32, 56, 16), {255, 255, 255}));
  jpeg::Walker walker;
  walker.walk(jpeg->view());
  CHECK(walker.info().components == 1);
  for (const RawFormat format : {RawFormat::Rgb3, RawFormat::Bgr3}) {
    const RawLayout layout{format, {64, 32}, 192, true};
    jpeg = encoder.encode(ByteView(picture(layout, {250, 20, 30}, {10, 200, 40})), layout);
    REQUIRE(jpeg.has_value());
    const bool rgb = format == RawFormat::Rgb3;
    CHECK(near(pixel(*jpeg, 64, 32, 8, 16), rgb ? Rgb{250, 20, 30} : Rgb{30, 20, 250}));
  }
}

TEST_CASE("RawEncoder: the range is stretched to black and white, and no further") {
  RawEncoder encoder(95);
  const RawLayout layout{RawFormat::Yuyv, {64, 32}, 128, false};
  // Below black and above white, as overshooting cameras send it.
  const auto jpeg = encoder.encode(ByteView(picture(layout, {0, 128, 128}, {255, 128, 128})), layout);
  REQUIRE(jpeg.has_value());
  CHECK(near(pixel(*jpeg, 64, 32, 8, 16), {0, 0, 0}));
  CHECK(near(pixel(*jpeg, 64, 32, 56, 16), {255, 255, 255}));
}

TEST_CASE("RawEncoder: planar pictures keep their sampling, packed ones become 4:2:0") {
  RawEncoder encoder(80);
  const auto factors = [&](RawFormat format, int stride) {
    const RawLayout layout{format, {64, 32}, stride, false};
    const auto jpeg = encoder.encode(ByteView(picture(layout, {81, 90, 240}, {235, 128, 128})), layout);
    REQUIRE(jpeg.has_value());
    jpeg::Walker walker;
    walker.walk(jpeg->view());
    return static_cast<int>(jpeg->view()[walker.info().sof_offset + 11]);
  };
  CHECK(factors(RawFormat::Yuyv, 128) == 0x22);
  CHECK(factors(RawFormat::Yuv422p, 64) == 0x21);
  CHECK(factors(RawFormat::Nv12, 64) == 0x22);
}

TEST_CASE("RawEncoder: odd sizes, and a picture that is too short") {
  for (const int width : {1, 7, 63}) {
    for (const int height : {1, 5, 31}) {
      for (const RawFormat format : {RawFormat::Yu12, RawFormat::Nv12, RawFormat::Yuv422p, RawFormat::Yuv444p,
                                     RawFormat::Grey, RawFormat::Yuyv, RawFormat::Rgb3}) {
        CAPTURE(width);
        CAPTURE(height);
        CAPTURE(name_of(format));
        const RawLayout layout{format, {width, height}, 0, false};
        std::vector<std::uint8_t> bytes(raw_bytes(layout), 128);
        RawEncoder encoder(80);
        CHECK(encoder.encode(ByteView(bytes), layout).has_value());
        CHECK_FALSE(encoder.encode(ByteView(bytes).first(bytes.size() - 1), layout).has_value());
      }
    }
  }
}

}  // namespace
