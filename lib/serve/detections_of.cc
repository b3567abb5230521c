#include "serve/detections_of.h"

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace fp {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kDeepest = 32;  // writing JSON is recursive: no stack for 64 KiB of brackets

}  // namespace

std::vector<Json> detections_of(const Frame& frame) {
  std::vector<Json> all;
  for (const Header& header : frame.extra) {
    if (!equal_ignoring_case(header.name, "X-Detections")) continue;
    bool too_deep = false;
    const auto watch = [&](int depth, Json::parse_event_t, Json&) {
      too_deep = too_deep || depth > kDeepest;
      return !too_deep;
    };
    Json json = Json::parse(header.value, watch, /*allow_exceptions=*/false);
    if (!too_deep && json.is_object()) all.push_back(std::move(json));
  }
  return all;
}

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace fp
