// How /stream and /wall are framed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace fp {

enum class FramingMode {
  Length,   ///< Content-Length and X- headers, CRLF with the frame: what programs need
  Advance,  ///< no length, the next part's complete headers right behind each JPEG: what browsers need
};

/// The boundary of advance framing: 64 random bits, since nothing but the boundary tells such a reader where a JPEG
/// ends, and the bytes of a JPEG could forge one that is known.
[[nodiscard]] std::string make_advance_boundary();
/// "--B CRLF Content-Type: image/jpeg CRLF CRLF": goes in front of the first frame and behind each.
[[nodiscard]] std::string advance_headers(const std::string& boundary);

}  // namespace fp
