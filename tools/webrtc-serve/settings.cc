#include "webrtc-serve/settings.h"

#include <spdlog/spdlog.h>

#include <nlohmann/json.hpp>

#include "frame/bounded_json.h"
#include "webrtc-serve/options.h"

namespace fp::webrtc_serve {

using nlohmann::ordered_json;

std::string Settings::json() const {
  ordered_json settings = {{"codec", name_of(encoder_.codec())}, {"bitrate_kbps", encoder_.bitrate_kbps()}};
  settings["size"] =
      options_.size
          ? ordered_json(std::to_string(options_.size->width_px) + "x" + std::to_string(options_.size->height_px))
          : ordered_json();
  settings["fps"] = options_.fps ? ordered_json(*options_.fps) : ordered_json();
  settings["viewers"] = sessions_.connected();
  settings["read_only"] = read_only_;
  settings["ice_servers"] = ordered_json::array();
  for (const std::string& url : ice_.public_urls()) settings["ice_servers"].push_back({{"urls", url}});
  return settings.dump();
}

http::Response Settings::change(const http::Request& request) {
  if (read_only_) return http::error_response(403, "nothing can be changed here (--read-only)");
  const auto body = parse_object(request.body);
  if (!body) return http::error_response(400, R"(the body is to be JSON: {"bitrate_kbps":800})");
  const bool plain = body->contains("bitrate_kbps");
  if (body->size() != 1 || (!plain && !body->contains("bitrate"))) {
    return http::error_response(400, R"(only the bitrate can be changed: {"bitrate_kbps":800})");
  }
  const ordered_json& value = body->begin().value();
  std::string text;
  if (value.is_number()) text = value.dump();
  if (value.is_string() && !plain) text = value.get<std::string>();
  const auto kbps = parse_kbps(text);
  if (!kbps) return http::error_response(400, kBitrateWords);
  if (*kbps != encoder_.bitrate_kbps()) spdlog::info("the bitrate is {} kbit/s now", *kbps);
  encoder_.set_bitrate(*kbps);
  return http::json_response(200, json());
}

}  // namespace fp::webrtc_serve
