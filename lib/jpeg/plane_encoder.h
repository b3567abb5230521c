// Planes of any sampling to JPEG with libjpeg-turbo.
#pragma once

#include <memory>

#include "base/bytes.h"
#include "base/result.h"
#include "jpeg/planes.h"

namespace fp::jpeg {

/// One compressor and its buffer, kept warm. One thread at a time.
class PlaneEncoder {
 public:
  PlaneEncoder();
  /// Baseline, with the standard Huffman tables and the sampling that the planes have. Their padding must be filled.
  /// `quality_percent` 1 to 100. Errors: Unsupported (libjpeg-turbo's own words).
  [[nodiscard]] Result<Blob> encode(const Planes& planes, int quality_percent);

 private:
  struct Destroy {
    void operator()(void* handle) const;
  };
  std::unique_ptr<void, Destroy> handle_;
  Buffer buffer_;
};

}  // namespace fp::jpeg
