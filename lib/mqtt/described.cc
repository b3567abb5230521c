#include "mqtt/described.h"

#include <cctype>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "frame/bounded_json.h"

namespace fp::mqtt {
namespace {

using Json = nlohmann::ordered_json;

std::string line_of(const Json& json) {
  return json.dump(-1, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace);
}

// Home Assistant takes letters, digits, '-' and '_'.
std::string id_of(std::string text) {
  for (char& c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-') c = '_';
  }
  return text;
}

std::string object_id(const Url& url, const std::string& name) {
  return id_of("framepipe_" + (url.prefix.empty() ? name : url.prefix + "_" + name));
}

}  // namespace

std::optional<std::string> detections_message(const Frame& frame, const std::string& name) {
  Json all = Json::array();
  for (const Header& header : frame.extra) {
    if (!equal_ignoring_case(header.name, "X-Detections")) continue;
    if (auto json = parse_object(header.value)) all.push_back(std::move(*json));
  }
  if (all.empty()) return std::nullopt;
  Json message;
  message["camera"] = name;
  message["timestamp"] = std::chrono::duration<double>(frame.captured.time_since_epoch()).count();
  message["sequence"] = frame.sequence;
  message["width"] = frame.picture.width_px;
  message["height"] = frame.picture.height_px;
  message["detections"] = std::move(all);
  return line_of(message);
}

std::string discovery_topic(const std::string& discovery_prefix, const Url& url, const std::string& name) {
  return discovery_prefix + "/camera/" + object_id(url, name) + "/config";
}

std::string discovery_message(const Url& url, const std::string& name, const std::string& version) {
  const std::string id = object_id(url, name);
  Json message;
  message["name"] = name;
  message["unique_id"] = id;
  message["topic"] = url.topic(name, "frame");
  message["availability_topic"] = url.topic(name, "status");
  message["payload_available"] = "online";
  message["payload_not_available"] = "offline";
  message["json_attributes_topic"] = url.topic(name, "detections");
  message["device"] = {{"identifiers", {id}}, {"name", name}, {"manufacturer", "framepipe"}, {"sw_version", version}};
  message["origin"] = {{"name", "framepipe"}, {"sw_version", version}};
  return line_of(message);
}

}  // namespace fp::mqtt
