// JPEG to planes with libjpeg-turbo, smaller at once where that is enough.
#pragma once

#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/result.h"
#include "jpeg/planes.h"

namespace fp::jpeg {

/// One decompressor, kept warm. One thread at a time.
class Decoder {
 public:
  struct Header {
    Size size;
    /// Nothing: a sampling that is rare (luma with less than chroma, say), or components that are R, G and B. Such
    /// pictures are decoded to 4:4:4 by way of RGB, and never transformed without loss.
    std::optional<Sampling> sampling;
  };

  Decoder();
  /// Reads the headers and allocates nothing for the picture.
  /// Errors: Malformed; TooLarge (not within_limits()); Unsupported (four components, as printers use).
  [[nodiscard]] Result<Header> read_header(ByteView jpeg);
  /// Decodes the whole picture in the smallest of the sizes n/8 (n from 1 to 8; sides rounded up) that is at least as
  /// wide and as high as `at_least`; in its own when that is larger. A smaller inverse DCT makes those sizes, at a
  /// fraction of the time. Planes come out padded.
  /// Errors: those of read_header(); Malformed also for every warning of libjpeg-turbo, so that what comes out is never
  /// half a picture, except for padding in front of EOI.
  [[nodiscard]] Result<Planes> decode(ByteView jpeg, Size at_least);

 private:
  void renew();
  [[nodiscard]] Result<Planes> decode_by_rgb(ByteView jpeg, Size size);
  struct Destroy {
    void operator()(void* handle) const;
  };
  std::unique_ptr<void, Destroy> handle_;
};

}  // namespace fp::jpeg
