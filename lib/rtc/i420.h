// Decoded pictures as encoders of video take them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "jpeg/decoder.h"
#include "jpeg/planes.h"

namespace fp::rtc {

/// Room for 4:2:0 in three planes, somebody else's. Both sides are even.
struct I420View {
  struct Plane {
    std::uint8_t* bytes = nullptr;
    std::ptrdiff_t stride = 0;
  };
  jpeg::Size size;
  std::array<Plane, 3> planes;
};

/// The size in which a picture of `size` is encoded: `wanted`, or its own; both sides even (encoders of H.264 know no
/// others), the last column or row cut off, and at least 16.
[[nodiscard]] jpeg::Size encoded_size(jpeg::Size size, const std::optional<jpeg::Size>& wanted);

/// Fits `picture` into the middle of `to`, in its proportions, with black bars, and turns JPEG's full range into the
/// range that video has (BT.601: luma 16 to 235, chroma 16 to 240), which is what browsers take for granted.
void draw_i420(const jpeg::Planes& picture, const I420View& to);

/// The way back: full range again, unless `full` says that it is already. Planes of 4:2:0, ready for jpeg::Encoder.
struct I420Source {
  jpeg::Size size;  ///< any sides; chroma has half of them, rounded up
  std::array<const std::uint8_t*, 3> planes{};
  std::array<std::ptrdiff_t, 3> strides{};
  bool full = false;
};
[[nodiscard]] jpeg::Planes read_i420(const I420Source& from);

/// The part of `to` that draw_i420() fills with a picture of `size`; both sides even.
[[nodiscard]] jpeg::Size fitted_size(jpeg::Size size, jpeg::Size to);

}  // namespace fp::rtc
