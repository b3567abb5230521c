// Base64, for pictures inside JSON: RFC 4648, section 4.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace fp {

/// With padding and without line breaks. Throws std::bad_alloc.
[[nodiscard]] std::string base64(ByteView bytes);

/// What `text` stands for; nothing unless it is whole: the alphabet with '+' and '/', padding to four, no white space,
/// no bits behind the last byte (RFC 4648, 3.2 to 3.5: one text for the same bytes). An empty text is no bytes.
/// Memory: three bytes for four of `text`. Throws std::bad_alloc.
[[nodiscard]] std::optional<Blob> base64_decode(std::string_view text);

}  // namespace fp
