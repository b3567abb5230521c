#include "frame/bounded_json.h"

namespace fp {

std::optional<nlohmann::ordered_json> parse_object(std::string_view text) {
  using Json = nlohmann::ordered_json;
  constexpr int kDeepest = 32;
  bool too_deep = false;
  const auto watch = [&](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > kDeepest;
    return !too_deep;
  };
  Json json = Json::parse(text, watch, /*allow_exceptions=*/false);
  if (too_deep || !json.is_object()) return std::nullopt;
  return json;
}

}  // namespace fp
