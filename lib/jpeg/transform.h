// JPEG to JPEG without decoding it to pixels: whole blocks of coefficients are moved, so that nothing is lost.
#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "jpeg/geometry.h"
#include "jpeg/planes.h"

namespace fp::jpeg {

/// Why `geometry` (which must not scale) cannot be done without loss, in words for people; "" when it can: an offset of
/// a cut must lie between MCUs, and a side that comes to lie at the left or the top must end with a whole one, for a
/// partial one cannot be begun with (as for `jpegtran -perfect`). A side that stays at the right or the bottom may end
/// anywhere. `gray`: chroma is thrown away with it, so that turning has smaller MCUs to move.
[[nodiscard]] std::string lossy_because(const Geometry& geometry, Sampling sampling, bool gray);

/// One transformer, kept warm. One thread at a time.
class Transformer {
 public:
  Transformer();
  /// Cuts, then turns, then throws chroma away if `gray`; the result is baseline, with the standard Huffman tables. All
  /// APPn and COM segments are kept, as they are: an EXIF orientation too.
  /// Errors: Malformed, where lossy_because() would not be empty, also for every warning of libjpeg-turbo except
  /// padding in front of EOI; TooLarge.
  [[nodiscard]] Result<Blob> apply(const Blob& jpeg, const Geometry& geometry, bool gray);

 private:
  struct Step {
    Rect crop;  ///< 0x0: none
    Turn turn;
    bool gray = false;
  };
  [[nodiscard]] Result<Blob> transform(const Blob& jpeg, const Step& step);
  struct Destroy {
    void operator()(void* handle) const;
  };
  std::unique_ptr<void, Destroy> handle_;
};

}  // namespace fp::jpeg
