#include "serve/detection_json.h"

#include <nlohmann/json.hpp>

#include "serve/detections_of.h"

namespace fp {

using Json = nlohmann::ordered_json;

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
