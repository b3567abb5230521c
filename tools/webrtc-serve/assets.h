// The page of webrtc-serve, compiled in from web/webrtc-serve/ and what it shares.
#pragma once

#include "http/site.h"

namespace fp {

[[nodiscard]] http::Assets webrtc_serve_assets();

}  // namespace fp
