// The viewer page, compiled in from web/.
#pragma once

#include "http/site.h"

namespace fp {

/// index.html as "/", the other files as "/assets/NAME".
[[nodiscard]] http::Assets viewer_assets();

}  // namespace fp
