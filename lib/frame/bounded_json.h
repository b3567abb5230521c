// JSON of strangers, as it stands in X-Detections.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>

namespace fp {

/// The object that `text` is, its members in their order. Nothing when it is anything else, or nested deeper than 32:
/// writing JSON is recursive, and 64 KiB of brackets would take all of the stack.
[[nodiscard]] std::optional<nlohmann::ordered_json> parse_object(std::string_view text);

}  // namespace fp
