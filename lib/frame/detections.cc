#include "frame/detections.h"

#include <algorithm>
#include <cmath>

#include "frame/bounded_json.h"

namespace fp {
namespace {

using Json = nlohmann::ordered_json;

// 12 or 12.34.
Json number(double value) {
  const double rounded = std::round(value * 100) / 100;
  if (rounded == std::round(rounded) && std::abs(rounded) < 1e9) return static_cast<std::int64_t>(rounded);
  return rounded;
}

// The coordinates of real pictures; what is beyond this is no place, and could not be counted on to stay finite.
bool is_place(const Json& value) { return value.is_number() && std::abs(value.get<double>()) < 1e6; }

bool all_places(const Json& values, std::size_t count) {
  return values.is_array() && values.size() >= count &&
         std::all_of(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(count), is_place);
}

enum class Box { Kept, Outside, Invalid };

Box map_box(Json& box, const jpeg::Geometry& geometry) {
  if (!all_places(box, 4)) return Box::Invalid;
  const double x = box[0].get<double>();
  const double y = box[1].get<double>();
  const jpeg::Point a = geometry.map({x, y});
  const jpeg::Point b = geometry.map({x + box[2].get<double>(), y + box[3].get<double>()});
  const double width = geometry.to.width_px;
  const double height = geometry.to.height_px;
  const double left = std::clamp(std::min(a.x, b.x), 0.0, width);
  const double right = std::clamp(std::max(a.x, b.x), 0.0, width);
  const double top = std::clamp(std::min(a.y, b.y), 0.0, height);
  const double bottom = std::clamp(std::max(a.y, b.y), 0.0, height);
  if (std::max(a.x, b.x) < 0 || std::min(a.x, b.x) >= width || std::max(a.y, b.y) < 0 || std::min(a.y, b.y) >= height) {
    return Box::Outside;
  }
  box[0] = number(left);
  box[1] = number(top);
  box[2] = number(right - left);
  box[3] = number(bottom - top);
  return Box::Kept;
}

bool map_keypoints(Json& keypoints, const jpeg::Geometry& geometry) {
  if (!keypoints.is_array()) return false;
  for (Json& keypoint : keypoints) {
    if (!all_places(keypoint, 2)) return false;
    const jpeg::Point place = geometry.map({keypoint[0].get<double>(), keypoint[1].get<double>()});
    keypoint[0] = number(place.x);
    keypoint[1] = number(place.y);
  }
  return true;
}

}  // namespace

std::optional<std::string> map_detections(std::string_view json, const jpeg::Geometry& geometry) {
  auto parsed = parse_object(json);
  if (!parsed) return std::nullopt;
  Json& all = *parsed;
  const auto objects = all.find("objects");
  if (objects != all.end()) {
    if (!objects->is_array()) return std::nullopt;
    Json kept = Json::array();
    for (Json& object : *objects) {
      if (!object.is_object()) return std::nullopt;
      const auto box = object.find("box");
      const Box where = box == object.end() ? Box::Kept : map_box(*box, geometry);
      if (where == Box::Invalid) return std::nullopt;
      const auto keypoints = object.find("keypoints");
      if (keypoints != object.end() && !map_keypoints(*keypoints, geometry)) return std::nullopt;
      if (where == Box::Kept) kept.push_back(std::move(object));
    }
    *objects = std::move(kept);
  }
  return all.dump(-1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace);
}

}  // namespace fp
