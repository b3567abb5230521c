// Decoded pictures for tests, and how far apart two are.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "jpeg/geometry.h"
#include "jpeg/planes.h"

namespace fp::test {

inline std::uint8_t byte_of(double value) { return static_cast<std::uint8_t>(std::lround(value)); }

/// Soft slopes, other ones in each plane and direction: what scaling and turning must bring to the right place.
inline jpeg::Planes make_planes(jpeg::Size size, jpeg::Sampling sampling) {
  jpeg::Planes planes(size, sampling);
  for (int index = 0; index < planes.count(); ++index) {
    const jpeg::Size shown = planes.layout().shown(index);
    for (int y = 0; y < shown.height_px; ++y) {
      for (int x = 0; x < shown.width_px; ++x) {
        const double across = (x + 0.5) / shown.width_px;
        const double down = (y + 0.5) / shown.height_px;
        planes.row(index, y)[x] = byte_of(index == 0 ? 30 + 150 * across + 50 * down * down
                                                     : 60 + (index == 1 ? 120 * across : 40 * across + 90 * down));
      }
    }
  }
  planes.pad_edges();
  return planes;
}

/// The largest difference of two samples in the same place, padding left out; 256 for pictures of another make.
inline int difference(const jpeg::Planes& a, const jpeg::Planes& b) {
  if (a.size() != b.size() || a.sampling() != b.sampling()) return 256;
  int most = 0;
  for (int index = 0; index < a.count(); ++index) {
    const jpeg::Size shown = a.layout().shown(index);
    for (int y = 0; y < shown.height_px; ++y) {
      for (int x = 0; x < shown.width_px; ++x) {
        most = std::max(most, std::abs(a.row(index, y)[x] - b.row(index, y)[x]));
      }
    }
  }
  return most;
}

inline constexpr jpeg::Sampling kSamplings[] = {jpeg::Sampling::Yuv444, jpeg::Sampling::Yuv422, jpeg::Sampling::Yuv420,
                                                jpeg::Sampling::Gray,   jpeg::Sampling::Yuv440, jpeg::Sampling::Yuv411};

/// All eight.
inline std::vector<jpeg::Turn> all_turns() {
  std::vector<jpeg::Turn> turns;
  for (const bool x : {false, true}) {
    for (const bool y : {false, true}) {
      for (const bool transpose : {false, true}) turns.push_back({x, y, transpose});
    }
  }
  return turns;
}

}  // namespace fp::test
