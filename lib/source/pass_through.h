// A camera's MJPEG on its way to whoever reads it: copied once, cleaned, and checked to its last code.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "frame/skips.h"
#include "jpeg/hygiene.h"
#include "jpeg/scan_check.h"

namespace fp {

/// Byte for byte, once the segments hang together and the scan decodes; see jpeg::clean() for what is cut off or put
/// in. One thread.
class PassThrough {
 public:
  struct Passed {
    Blob jpeg;
    jpeg::Info info;           ///< of `jpeg`
    std::optional<Skip> skip;  ///< why there is no `jpeg`: Truncated, Corrupt, NotJpeg
  };
  /// `bytes` is a driver's memory: it is copied before anybody looks at it, so that what was checked is what goes on.
  [[nodiscard]] Passed pass(ByteView bytes);

 private:
  jpeg::ScanCheck scan_check_;
};

}  // namespace fp
