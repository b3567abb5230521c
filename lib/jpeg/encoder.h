// Pictures to JPEG with libjpeg-turbo.
#pragma once

#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "jpeg/picture.h"

namespace fp::jpeg {

/// One compressor, kept warm. One thread at a time.
class Encoder {
 public:
  Encoder();
  /// `quality_percent` 1 to 100. Errors: Unsupported (libjpeg-turbo's own words).
  [[nodiscard]] Result<Blob> encode(const Picture& picture, int quality_percent);
  /// `rgb` holds rows of `size.width_px` * 3 bytes; chroma is halved both ways.
  [[nodiscard]] Result<Blob> encode_rgb(ByteView rgb, Size size, int quality_percent);

 private:
  struct Destroy {
    void operator()(void* handle) const;
  };
  std::unique_ptr<void, Destroy> handle_;
};

}  // namespace fp::jpeg
