// What a page sends as a picture, made fit for everybody behind us.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "jpeg/encoder.h"
#include "jpeg/scan_check.h"
#include "jpeg/walker.h"

namespace fp::ingest {

struct Picture {
  Blob jpeg;
  jpeg::Info info;  ///< of `jpeg`
};

/// One thread at a time.
class PictureReader {
 public:
  static constexpr int kPngQuality = 90;
  /// Of a PNG, whose 32 MiB could hold far more; 4K has half of it.
  static constexpr std::uint64_t kMostPngPixels = 16u << 20;

  /// A JPEG whose segments hang together and whose scan decodes, cleaned as sources do it (jpeg::clean); its bytes stay
  /// where they are. Errors: Malformed ("no JPEG and no PNG", "cut off ...", "damaged").
  [[nodiscard]] Result<Picture> jpeg(std::vector<std::uint8_t> bytes);
  /// A PNG decoded and encoded. Errors: Malformed, TooLarge.
  [[nodiscard]] Result<Picture> png(ByteView bytes);

 private:
  jpeg::ScanCheck scan_check_;
  jpeg::Encoder encoder_;
};

}  // namespace fp::ingest
