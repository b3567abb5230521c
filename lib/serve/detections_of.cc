#include "serve/detections_of.h"

#include "base/text.h"
#include "frame/bounded_json.h"

namespace fp {
namespace {

using Json = nlohmann::ordered_json;

std::vector<const std::string*> texts_of(const Frame& frame) {
  std::vector<const std::string*> texts;
  for (const Header& header : frame.extra) {
    if (equal_ignoring_case(header.name, "X-Detections")) texts.push_back(&header.value);
  }
  return texts;
}

}  // namespace

std::vector<Json> detections_of(const Frame& frame) {
  std::vector<Json> all;
  for (const std::string* text : texts_of(frame)) {
    if (auto json = parse_object(*text)) all.push_back(std::move(*json));
  }
  return all;
}

std::optional<Json> last_detections(const Frame& frame) {
  const auto texts = texts_of(frame);
  return texts.empty() ? std::nullopt : parse_object(*texts.back());
}

bool adds_detections(const Frame& made, const Frame& from) {
  const auto now = texts_of(made);
  const auto before = texts_of(from);
  return now.size() > before.size() || (!now.empty() && *now.back() != *before.back());
}

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

}  // namespace fp
