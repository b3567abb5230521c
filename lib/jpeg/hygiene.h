// What a source does to each JPEG before anybody else sees it.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "jpeg/walker.h"

namespace fp::jpeg {

struct Clean {
  Blob jpeg;
  Info info;                      ///< of `jpeg`
  std::size_t padding_bytes = 0;  ///< cut off behind EOI
  bool tables_inserted = false;
};

/// Checks a JPEG by walking its segments, cuts what follows EOI, and inserts the standard Huffman tables (ITU-T T.81
/// annex K.3) in front of the first scan where a baseline picture has none, as UVC cameras send them. The bytes stay
/// where they are unless tables had to go in.
/// Errors: Malformed; a picture that merely stops too early says "cut off after N bytes".
[[nodiscard]] Result<Clean> clean(const Blob& jpeg);

/// The same for a JPEG that was walked already (`info` is what the walk found, `jpeg` ends at EOI).
[[nodiscard]] Blob with_huffman_tables(const Blob& jpeg, const Info& info);
/// Whether the picture needs the standard tables put in: baseline or extended Huffman coding without a DHT segment.
[[nodiscard]] bool lacks_huffman_tables(const Info& info);

/// The four standard tables as one DHT segment, marker included.
[[nodiscard]] ByteView standard_huffman_tables();

}  // namespace fp::jpeg
