// What X-Detections of a frame say, as values.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frame/frame.h"

namespace fp {

/// The JSON of each X-Detections header that is an object, in their order; what is none, or is nested deeper than 32,
/// is left out.
[[nodiscard]] std::vector<nlohmann::ordered_json> detections_of(const Frame& frame);
/// The JSON of the last X-Detections header; nothing when there is none, or it would be left out above.
[[nodiscard]] std::optional<nlohmann::ordered_json> last_detections(const Frame& frame);
/// Whether the last X-Detections header of `made` is one that `from` did not bring along: whoever made it has looked.
[[nodiscard]] bool adds_detections(const Frame& made, const Frame& from);
/// As one line; bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string text_of(const nlohmann::ordered_json& json);

}  // namespace fp
