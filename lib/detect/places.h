// Where scripts/install-onnxruntime and scripts/install-models put things, seen from a program.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fp::detect {

/// The paths at which `name` ("libonnxruntime.so.1") may be, the likeliest first: $FRAMEPIPE_LIB_DIR, a user's own
/// ($XDG_DATA_HOME/framepipe, ~/.local/share/framepipe), lib/framepipe beside the bin/ that the program is in,
/// /usr/local/lib/framepipe, /usr/lib/framepipe.
[[nodiscard]] std::vector<std::string> library_places(std::string_view name);

/// The same for a model: models/ in the first two, share/framepipe/models in the others.
[[nodiscard]] std::vector<std::string> model_places(std::string_view name);

/// The first of them that can be read; "" when none can.
[[nodiscard]] std::string first_readable(const std::vector<std::string>& paths);

}  // namespace fp::detect
