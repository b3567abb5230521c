#include "rtc/i420.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "jpeg/resample.h"

namespace fp::rtc {
namespace {

constexpr int kSmallest = 16;

int even(int side) { return std::max(2, side & ~1); }

// To 219 and 224 steps, in 1/65536: a multiplication and a shift, which compilers do sixteen at a time.
constexpr unsigned kLuma = 219 * 65536 / 255;
constexpr unsigned kChroma = 224 * 65536 / 255;
constexpr unsigned kHalf = 32768;
std::uint8_t luma(unsigned full) { return static_cast<std::uint8_t>(16 + ((full * kLuma + kHalf) >> 16U)); }
// 128 stays 128: the mean is of 0 to 255, so that 16 + 128 * 224 / 255 lies between two values.
std::uint8_t chroma(unsigned full) {
  return static_cast<std::uint8_t>((full * kChroma + (128 * (65536 - kChroma)) + kHalf) >> 16U);
}

// Back again; what lies outside the range of video is cut.
constexpr std::array<std::uint8_t, 256> full_range(int zero, int steps) {
  std::array<std::uint8_t, 256> table{};
  for (int value = 0; value < 256; ++value) {
    const int middle = zero == 16 ? 0 : 128;
    const int scaled = (value - zero) * 255;
    const int full = middle + (scaled + (scaled < 0 ? -steps / 2 : steps / 2)) / steps;
    table.at(static_cast<std::size_t>(value)) = static_cast<std::uint8_t>(std::clamp(full, 0, 255));
  }
  return table;
}
constexpr auto kFullLuma = full_range(16, 219);
constexpr auto kFullChroma = full_range(128, 224);

void draw_luma(const jpeg::Planes& from, const I420View::Plane& to, int width_px, int height_px) {
  for (int y = 0; y < height_px; ++y) {
    const std::uint8_t* const in = from.row(0, y);
    std::uint8_t* const out = to.bytes + y * to.stride;
    for (int x = 0; x < width_px; ++x) out[x] = luma(in[x]);
  }
}

// `width_px` and `height_px` of samples that come out. Divisors of `from` are 1, 2 or 4 to a luma sample; of what comes
// out 2: the mean of two, the same, or the same twice.
void draw_chroma(const jpeg::Planes& from, int index, const I420View::Plane& to, int width_px, int height_px) {
  const int across = jpeg::chroma_divisor_x(from.sampling());
  const int down = jpeg::chroma_divisor_y(from.sampling());
  for (int y = 0; y < height_px; ++y) {
    const int first = 2 * y / down;
    const std::uint8_t* const upper = from.row(index, first);
    const std::uint8_t* const lower = down == 1 ? from.row(index, first + 1) : upper;
    std::uint8_t* const out = to.bytes + y * to.stride;
    for (int x = 0; x < width_px; ++x) {
      const int left = 2 * x / across;
      const int right = across == 1 ? left + 1 : left;
      const unsigned sum = static_cast<unsigned>(upper[left]) + upper[right] + lower[left] + lower[right];
      out[x] = chroma((sum + 2) / 4);
    }
  }
}

void fill(const I420View::Plane& plane, int width_px, int height_px, std::uint8_t value) {
  for (int y = 0; y < height_px; ++y)
    std::memset(plane.bytes + y * plane.stride, value, static_cast<std::size_t>(width_px));
}

void draw_bars(const I420View& to) {
  fill(to.planes[0], to.size.width_px, to.size.height_px, 16);
  for (std::size_t index = 1; index < 3; ++index)
    fill(to.planes.at(index), to.size.width_px / 2, to.size.height_px / 2, 128);
}

}  // namespace

jpeg::Size encoded_size(jpeg::Size size, const std::optional<jpeg::Size>& wanted) {
  const jpeg::Size base = wanted.value_or(size);
  return {std::max(kSmallest, even(base.width_px)), std::max(kSmallest, even(base.height_px))};
}

jpeg::Size fitted_size(jpeg::Size size, jpeg::Size to) {
  const jpeg::Size cut{even(size.width_px), even(size.height_px)};
  if (cut == to) return to;
  const double scale =
      std::min(static_cast<double>(to.width_px) / size.width_px, static_cast<double>(to.height_px) / size.height_px);
  const auto side = [scale](int from, int most) {
    return std::min(most, even(static_cast<int>(std::lround(from * scale))));
  };
  return {side(size.width_px, to.width_px), side(size.height_px, to.height_px)};
}

void draw_i420(const jpeg::Planes& picture, const I420View& to) {
  const jpeg::Size inner = fitted_size(picture.size(), to.size);
  const jpeg::Size from = picture.size();
  const bool as_it_is = inner.width_px == (from.width_px & ~1) && inner.height_px == (from.height_px & ~1);
  std::optional<jpeg::Planes> scaled;
  if (!as_it_is) {
    scaled = jpeg::resample(picture, {0, 0, static_cast<double>(from.width_px), static_cast<double>(from.height_px)},
                            {}, inner);
  }
  const jpeg::Planes& shown = scaled ? *scaled : picture;
  if (!(inner == to.size)) draw_bars(to);
  const int left = (to.size.width_px - inner.width_px) / 2 & ~1;
  const int top = (to.size.height_px - inner.height_px) / 2 & ~1;
  const auto at = [](const I420View::Plane& plane, int x, int y) {
    return I420View::Plane{plane.bytes + y * plane.stride + x, plane.stride};
  };
  draw_luma(shown, at(to.planes[0], left, top), inner.width_px, inner.height_px);
  for (int index = 1; index < 3; ++index) {
    const I420View::Plane plane = at(to.planes.at(static_cast<std::size_t>(index)), left / 2, top / 2);
    if (shown.sampling() == jpeg::Sampling::Gray) {
      fill(plane, inner.width_px / 2, inner.height_px / 2, 128);
    } else {
      draw_chroma(shown, index, plane, inner.width_px / 2, inner.height_px / 2);
    }
  }
}

jpeg::Planes read_i420(const I420Source& from) {
  jpeg::Planes planes(from.size, jpeg::Sampling::Yuv420);
  for (int index = 0; index < 3; ++index) {
    const auto plane = static_cast<std::size_t>(index);
    const jpeg::Size shown = planes.layout().shown(index);
    const auto& table = index == 0 ? kFullLuma : kFullChroma;
    for (int y = 0; y < shown.height_px; ++y) {
      const std::uint8_t* const in = from.planes.at(plane) + y * from.strides.at(plane);
      std::uint8_t* const out = planes.row(index, y);
      if (from.full) {
        std::memcpy(out, in, static_cast<std::size_t>(shown.width_px));
      } else {
        for (int x = 0; x < shown.width_px; ++x) out[x] = table[in[x]];
      }
    }
  }
  planes.pad_edges();
  return planes;
}

}  // namespace fp::rtc
