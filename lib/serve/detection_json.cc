#include "serve/detection_json.h"

#include <nlohmann/json.hpp>

#include "serve/detections_of.h"

namespace fp {

using Json = nlohmann::ordered_json;

std::string detections_json(const Frame& frame) {
  return Json(detections_of(frame)).dump(-1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace);
}

std::optional<std::string> detection_error(const Frame& frame) {
  const std::optional<Json> json = last_detections(frame);
  const Json* const error = json && json->contains("error") ? &json->at("error") : nullptr;
  if (error == nullptr || !error->is_string() || error->get_ref<const std::string&>().empty()) return std::nullopt;
  return error->get<std::string>();
}

}  // namespace fp
