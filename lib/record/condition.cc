#include "record/condition.h"

#include <algorithm>

#include "base/text.h"
#include "frame/bounded_json.h"

namespace fp::record {

Result<Condition> Condition::parse(std::string_view text) {
  Condition condition;
  const auto refuse = [&] {
    return fail({Error::Kind::Unsupported, 0,
                 "'" + printable(text) + "' is no condition: write person, person>0.5, or *>=0.8 for anything"});
  };
  const auto at = text.find_first_of("<>=");
  condition.label_ = std::string(trim(text.substr(0, at)));
  if (condition.label_.empty()) return refuse();
  if (at == std::string_view::npos) return condition;
  std::string_view rest = text.substr(at);
  const bool above = rest.front() == '>';
  if (rest.front() == '=') return refuse();
  rest.remove_prefix(1);
  const bool equal = rest.starts_with('=');
  if (equal) rest.remove_prefix(1);
  const auto number = parse_double(trim(rest));
  if (!number || *number < 0 || *number > 1) return refuse();
  condition.confidence_ = *number;
  if (above) {
    condition.compare_ = equal ? Compare::AtLeast : Compare::Above;
  } else {
    condition.compare_ = equal ? Compare::AtMost : Compare::Below;
  }
  return condition;
}

bool Condition::holds(std::string_view label, double confidence) const {
  if (label_ != "*" && label_ != label) return false;
  switch (compare_) {
    case Compare::Above:
      return confidence > confidence_;
    case Compare::AtLeast:
      return confidence >= confidence_;
    case Compare::Below:
      return confidence < confidence_;
    case Compare::AtMost:
      break;
  }
  return confidence <= confidence_;
}

namespace {

bool holds_in(std::span<const Condition> conditions, std::string_view json) {
  const auto detections = parse_object(json);
  if (!detections) return false;
  const auto objects = detections->find("objects");
  if (objects == detections->end() || !objects->is_array()) return false;
  return std::any_of(objects->begin(), objects->end(), [&](const auto& object) {
    if (!object.is_object()) return false;
    const auto label = object.find("label");
    const auto confidence = object.find("confidence");
    if (label == object.end() || !label->is_string()) return false;
    if (confidence == object.end() || !confidence->is_number()) return false;
    const auto& name = label->template get_ref<const std::string&>();
    const double number = confidence->template get<double>();
    return std::any_of(conditions.begin(), conditions.end(), [&](const Condition& c) { return c.holds(name, number); });
  });
}

}  // namespace

bool any_holds(std::span<const Condition> conditions, const Frame& frame) {
  return std::any_of(frame.extra.begin(), frame.extra.end(), [&](const Header& header) {
    return equal_ignoring_case(header.name, "X-Detections") && holds_in(conditions, header.value);
  });
}

}  // namespace fp::record
