#include "serve/detections_of.h"

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace fp {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kDeepest = 32;  // writing JSON is recursive: no stack for 64 KiB of brackets

std::vector<const std::string*> texts_of(const Frame& frame) {
  std::vector<const std::string*> texts;
  for (const Header& header : frame.extra) {
    if (equal_ignoring_case(header.name, "X-Detections")) texts.push_back(&header.value);
  }
  return texts;
}

std::optional<Json> parsed(const std::string& text) {
  bool too_deep = false;
  const auto watch = [&](int depth, Json::parse_event_t, Json&) {
    too_deep = too_deep || depth > kDeepest;
    return !too_deep;
  };
  Json json = Json::parse(text, watch, /*allow_exceptions=*/false);
  if (too_deep || !json.is_object()) return std::nullopt;
  return json;
}

}  // namespace

std::vector<Json> detections_of(const Frame& frame) {
  std::vector<Json> all;
  for (const std::string* text : texts_of(frame)) {
    if (auto json = parsed(*text)) all.push_back(std::move(*json));
  }
  return all;
}

std::optional<Json> last_detections(const Frame& frame) {
  const auto texts = texts_of(frame);
  return texts.empty() ? std::nullopt : parsed(*texts.back());
}

bool adds_detections(const Frame& made, const Frame& from) {
  const auto now = texts_of(made);
  const auto before = texts_of(from);
  return now.size() > before.size() || (!now.empty() && *now.back() != *before.back());
}

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace fp
