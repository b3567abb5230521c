// Pictures to JPEG with libjpeg-turbo.
#pragma once

#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "jpeg/picture.h"
#include "jpeg/planes.h"

namespace fp::jpeg {

/// Somebody else's full-range BT.601 YCbCr. The chroma planes have their sides rounded up. Where a side is odd and
/// chroma is halved along it, the luma plane must be readable one sample further: libjpeg-turbo looks there.
struct PlaneView {
  Size size;
  Sampling sampling = Sampling::Yuv420;
  std::array<const std::uint8_t*, 3> data{};
  std::array<int, 3> stride_bytes{};
};

/// One compressor, kept warm with its output buffer (twice the raw picture is reserved, touched as far as the JPEGs
/// reach). One thread at a time.
class Encoder {
 public:
  Encoder();
  /// `quality_percent` 1 to 100. Errors: Unsupported (libjpeg-turbo's own words).
  [[nodiscard]] Result<Blob> encode(const Picture& picture, int quality_percent);
  /// With the sampling that the planes have; their padding must be filled.
  [[nodiscard]] Result<Blob> encode(const Planes& planes, int quality_percent);
  [[nodiscard]] Result<Blob> encode_planes(const PlaneView& planes, int quality_percent);
  enum class Order { Rgb, Bgr };
  /// `pixels` holds rows of `size.width_px` * 3 bytes, `stride_bytes` apart (0: close together); chroma is halved both
  /// ways.
  [[nodiscard]] Result<Blob> encode_rgb(ByteView pixels, Size size, int quality_percent, Order order = Order::Rgb,
                                        int stride_bytes = 0);

 private:
  struct Destroy {
    void operator()(void* handle) const;
  };
  template <typename Compress>
  Result<Blob> compress(Size size, int sampling, Compress compress);

  std::unique_ptr<void, Destroy> handle_;
  Buffer out_;
};

}  // namespace fp::jpeg
