// The viewer page, compiled in from web/.
#pragma once

#include <map>
#include <string>

#include "serve/routes.h"

namespace fp {

/// index.html as "/", the other files as "/assets/NAME".
[[nodiscard]] std::map<std::string, Asset, std::less<>> viewer_assets();

}  // namespace fp
