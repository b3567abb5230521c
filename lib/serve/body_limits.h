// Which requests may carry a picture.
#pragma once

#include <cstddef>

#include "http/message.h"

namespace fp {

/// How large the body of `request` may be, in bytes, where a frame may have `max_frame_bytes`: a frame for POST
/// /detect_once, one in base64 and JSON around it for POST /api/fit/stream, 64 KiB for all others.
[[nodiscard]] std::size_t body_limit(const http::Request& request, std::size_t max_frame_bytes);

}  // namespace fp
