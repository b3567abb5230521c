#include "serve/detection_json.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "base/text.h"

namespace fp {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kDeepest = 32;  // writing JSON is recursive: no stack for 64 KiB of brackets

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

}  // namespace

std::string detections_json(const Frame& frame) {
  return Json(detections_of(frame)).dump(-1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace);
}

std::optional<std::string> detection_error(const Frame& frame) {
  std::optional<std::string> text;
  for (const Json& json : detections_of(frame)) {
    const auto error = json.find("error");
    if (error != json.end() && error->is_string()) text = error->get<std::string>();
  }
  return text;
}

}  // namespace fp
