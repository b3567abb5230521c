// What detectors said of a frame, for those who ask for JSON.
#pragma once

#include <optional>
#include <string>

#include "frame/frame.h"

namespace fp {

/// All X-Detections of a frame that can be read, as one JSON array of objects in their order; "[]" when there is none.
/// Written anew, in ASCII and on one line: what a camera sends is no text to paste into an answer. What is no object,
/// or is nested deeper than 32, is left out.
[[nodiscard]] std::string detections_json(const Frame& frame);

/// Why the picture could not be worked on: "error" of its last X-Detections, if that is text and not empty.
[[nodiscard]] std::optional<std::string> detection_error(const Frame& frame);

}  // namespace fp
