// What must have been detected for a frame to be an event: --when 'person>0.5'.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "frame/frame.h"

namespace fp::record {

/// An object with this label ("*": any) whose confidence compares so.
class Condition {
 public:
  /// "LABEL", "LABEL>0.5", also with >=, < and <=, and spaces around. Errors: Unsupported, saying how to write it.
  [[nodiscard]] static Result<Condition> parse(std::string_view text);
  [[nodiscard]] bool holds(std::string_view label, double confidence) const;

 private:
  enum class Compare { Above, AtLeast, Below, AtMost };
  std::string label_;
  Compare compare_ = Compare::AtLeast;
  double confidence_ = 0;
};

/// Whether one of the conditions holds for an object of the frame's X-Detections, any of them. What is no JSON of
/// mjpeg-frames(5) holds nothing.
[[nodiscard]] bool any_holds(std::span<const Condition> conditions, const Frame& frame);

}  // namespace fp::record
