#include "detect/detection.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "frame/bounded_json.h"

namespace fp::detect {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMostRead = 512;  // objects of another detector, and keypoints of one

// Rounded: a hundredth of a pixel, a thousandth of certainty, are more than any model knows.
Json number(double value, double unit) {
  if (!std::isfinite(value) || std::abs(value) > 1e9) return 0;
  const double rounded = std::round(value / unit) * unit;
  if (rounded == std::round(rounded)) return static_cast<std::int64_t>(rounded);
  return std::round(value * std::round(1 / unit)) / std::round(1 / unit);
}

Json pixels(double value) { return number(value, 0.01); }
Json share(double value) { return number(value, 0.0001); }

Json json_of(const Object& object) {
  Json json = {{"label", object.label}, {"confidence", share(object.confidence)}};
  if (const auto& box = object.box) {
    json["box"] = {pixels(box->x), pixels(box->y), pixels(box->width_px), pixels(box->height_px)};
  }
  if (!object.keypoints.empty()) {
    Json& keypoints = json["keypoints"] = Json::array();
    for (const Keypoint& keypoint : object.keypoints) {
      keypoints.push_back({pixels(keypoint.x), pixels(keypoint.y), share(keypoint.confidence)});
    }
  }
  if (object.span) {
    const auto seconds = [](WallTime time) { return parse_double(format_timestamp(time)).value_or(0); };
    json["t_start"] = seconds(object.span->begin);
    json["t_end"] = seconds(object.span->end);
  }
  return json;
}

std::string dump(const Json& json) { return json.dump(-1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace); }

bool is_number(const Json& value) { return value.is_number() && std::isfinite(value.get<double>()); }

bool are_numbers(const Json& values, std::size_t least) {
  return values.is_array() && values.size() >= least && std::all_of(values.begin(), values.end(), is_number);
}

std::string text_in(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

double number_in(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && is_number(*found) ? found->get<double>() : 0;
}

Object object_of(const Json& json) {
  Object object;
  object.label = text_in(json, "label");
  object.confidence = number_in(json, "confidence");
  if (const auto box = json.find("box"); box != json.end() && are_numbers(*box, 4)) {
    object.box = Box{(*box)[0], (*box)[1], (*box)[2], (*box)[3]};
  }
  const auto keypoints = json.find("keypoints");
  if (keypoints == json.end() || !keypoints->is_array() || keypoints->size() > kMostRead) return object;
  for (const Json& keypoint : *keypoints) {
    // Their order says what they are: with one unreadable, none can be trusted.
    if (!are_numbers(keypoint, 2)) {
      object.keypoints.clear();
      break;
    }
    object.keypoints.push_back({keypoint[0], keypoint[1], keypoint.size() > 2 ? keypoint[2].get<double>() : 1.0});
  }
  return object;
}

}  // namespace

std::string to_json(const Detections& detections, std::size_t most_bytes) {
  Json json = {{"model", detections.model}, {"ms", number(detections.ms, 0.01)}};
  if (!detections.error.empty()) json["error"] = detections.error;
  std::vector<const Object*> best;
  best.reserve(detections.objects.size());
  for (const Object& object : detections.objects) best.push_back(&object);
  std::stable_sort(best.begin(), best.end(),
                   [](const Object* a, const Object* b) { return a->confidence > b->confidence; });
  std::string text = dump(json);
  text.pop_back();
  text += ",\"objects\":[";
  constexpr std::string_view kWhole = "]}";
  constexpr std::string_view kTruncated = "],\"truncated\":true}";
  for (std::size_t i = 0; i < best.size(); ++i) {
    const std::string object = (i > 0 ? "," : "") + dump(json_of(*best[i]));
    if (text.size() + object.size() + kTruncated.size() > most_bytes) return text.append(kTruncated);
    text += object;
  }
  return text.append(kWhole);
}

std::optional<Detections> parse_detections(std::string_view json) {
  const auto parsed = parse_object(json);
  if (!parsed) return std::nullopt;
  const Json& all = *parsed;
  const auto objects = all.find("objects");
  if (objects == all.end() || !objects->is_array()) return std::nullopt;
  Detections detections;
  detections.model = text_in(all, "model");
  detections.ms = number_in(all, "ms");
  detections.error = text_in(all, "error");
  for (const Json& object : *objects) {
    if (detections.objects.size() >= kMostRead) break;
    if (object.is_object()) detections.objects.push_back(object_of(object));
  }
  return detections;
}

}  // namespace fp::detect
