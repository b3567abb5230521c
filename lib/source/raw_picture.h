// Uncompressed pictures, as cameras and YUV4MPEG2 give them, to JPEG.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "jpeg/encoder.h"

namespace fp {

/// Named as in the kernel's "Image formats" (V4L2_PIX_FMT_*). The packed ones have two bytes a pixel, NV12 and NV21 a
/// luma plane and one with the two chroma samples in turn, the others three planes behind one another.
enum class RawFormat { Yuyv, Uyvy, Yvyu, Nv12, Nv21, Yu12, Yv12, Yuv422p, Yuv444p, Grey, Rgb3, Bgr3 };

struct RawLayout {
  RawFormat format = RawFormat::Yuyv;
  jpeg::Size size;
  int stride_bytes = 0;     ///< of the first plane; 0: close together. Chroma planes follow from it, as in V4L2
  bool full_range = false;  ///< luma 0 to 255, as JFIF has it; else 16 to 235 (ITU-R BT.601), which is stretched
  friend bool operator==(const RawLayout&, const RawLayout&) = default;
};

/// How many bytes a picture of this layout has.
[[nodiscard]] std::size_t raw_bytes(const RawLayout& layout);
[[nodiscard]] const char* name_of(RawFormat format);  ///< "yuyv", as --format has it
[[nodiscard]] std::optional<RawFormat> parse_raw_format(std::string_view name);

/// A JPEG encoder for one layout after the other: from the planes, with no detour through RGB. Planar pictures keep
/// their sampling; of the packed ones, 4:2:2, chroma is averaged to 4:2:0. Keeps one picture's planes. One thread at a
/// time.
class RawEncoder {
 public:
  explicit RawEncoder(int quality_percent) : quality_percent_(quality_percent) {}
  /// Errors: Malformed when `raw` is too short for its layout; Unsupported (libjpeg-turbo's own words).
  [[nodiscard]] Result<Blob> encode(ByteView raw, const RawLayout& layout);

 private:
  jpeg::PlaneView unpack_packed(ByteView raw, const RawLayout& layout, int stride);
  jpeg::PlaneView unpack_semi_planar(ByteView raw, const RawLayout& layout, int stride);
  jpeg::PlaneView planar(ByteView raw, const RawLayout& layout, int stride);
  std::uint8_t* room(std::size_t index, int width, int height);

  int quality_percent_;
  jpeg::Encoder encoder_;
  std::array<std::vector<std::uint8_t>, 3> planes_;
  std::vector<std::uint8_t> below_;  // the chroma of a row on its way into the one above
};

}  // namespace fp
