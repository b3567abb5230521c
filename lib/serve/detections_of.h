// What X-Detections of a frame say, as values.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "frame/frame.h"

namespace fp {

/// The JSON of each X-Detections header that is an object, in their order; what is none, or is nested deeper than 32,
/// is left out.
[[nodiscard]] std::vector<nlohmann::ordered_json> detections_of(const Frame& frame);
/// As one line; bytes that are not UTF-8 become U+FFFD.
[[nodiscard]] std::string text_of(const nlohmann::ordered_json& json);

}  // namespace fp
