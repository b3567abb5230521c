// The page, compiled in.
#pragma once

#include "http/site.h"

namespace fp {

/// web/webrtc-ingest, and what it uses of web/.
[[nodiscard]] http::Assets ingest_assets();

}  // namespace fp
