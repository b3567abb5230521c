// The text that a frame says of itself: when, which, where.
#pragma once

#include <string>

#include "base/result.h"
#include "frame/frame.h"

namespace fp {

/// strftime(3) in local time, with three more: %{ms}, the milliseconds of the time, three digits; %{sequence};
/// %{camera}, the frame's camera, or nothing.
class CaptionFormat {
 public:
  CaptionFormat() = default;  ///< of no text
  /// Errors: Unsupported, in words for whoever typed it: another %{...}.
  [[nodiscard]] static Result<CaptionFormat> parse(std::string format);

  [[nodiscard]] bool empty() const { return format_.empty(); }
  /// One line, at most 255 bytes long: nothing, should strftime(3) make more of it. Control characters become spaces.
  [[nodiscard]] std::string of(const Frame& frame) const;

 private:
  std::string format_;
};

}  // namespace fp
