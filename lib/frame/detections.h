// X-Detections of a frame whose picture was cut, turned or scaled.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "jpeg/geometry.h"

namespace fp {

/// The JSON of X-Detections (mjpeg-frames(5)) with its places moved as the picture's were: `objects[].box`, [x, y, w,
/// h], cut to the picture, and `objects[].keypoints`, [[x, y, c], ...]. Objects whose box lies outside go; keypoints
/// that do stay, since their order says what they are. Everything else is kept, in its order; numbers get at most two
/// decimals.
///
/// Nothing when `json` is no object, or has other things where those should be, or is nested deeper than 32.
[[nodiscard]] std::optional<std::string> map_detections(std::string_view json, const jpeg::Geometry& geometry);

}  // namespace fp
