// The pictures that are measured on: 1280x720, 4:2:0.
#pragma once

#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "base/clock.h"
#include "jpeg/encoder.h"

namespace fp::bench {

inline constexpr jpeg::Size kSize{1280, 720};
inline constexpr int kQualityPercent = 80;

/// Slopes, edges, a little noise, and a bright square that begins 80 pixels to the left of `square_x`.
inline Blob make_picture(int square_x) {
  std::minstd_rand random(1);
  jpeg::Planes planes(kSize, jpeg::Sampling::Yuv420);
  for (int y = 0; y < kSize.height_px; ++y) {
    for (int x = 0; x < kSize.width_px; ++x) {
      const int edge = (x / 60 + y / 45) % 3 == 0 ? 60 : 0;
      const int noise = static_cast<int>((random() >> 8) % 12);
      const bool inside = std::abs(x - square_x) < 80 && std::abs(y - 360) < 80;
      planes.row(0, y)[x] = static_cast<std::uint8_t>(
          inside ? 250 : 30 + x * 80 / kSize.width_px + y * 40 / kSize.height_px + edge + noise);
      planes.row(1, y / 2)[x / 2] = static_cast<std::uint8_t>(90 + x * 70 / kSize.width_px);
      planes.row(2, y / 2)[x / 2] = static_cast<std::uint8_t>(90 + y * 70 / kSize.height_px);
    }
  }
  return jpeg::Encoder().encode(planes, kQualityPercent).value();
}

/// Two, with the square in different places.
inline const std::vector<Blob>& pictures() {
  static const std::vector<Blob> both = {make_picture(300), make_picture(420)};
  return both;
}

/// When the frames of a camera with 30 a second were taken.
inline WallTime time_of(std::int64_t frame) {
  return WallTime(std::chrono::milliseconds(1'763'688'000'000 + frame * 33));
}

}  // namespace fp::bench
