// What was found in a frame, and its JSON: X-Detections of mjpeg-frames(5).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace fp::detect {

/// In pixels of the frame; (0, 0) is the outer corner of the first one. What a model claims is kept as it is, so it may
/// reach beyond the picture.
struct Box {
  double x = 0;
  double y = 0;
  double width_px = 0;
  double height_px = 0;
  friend bool operator==(const Box&, const Box&) = default;
};

struct Keypoint {
  double x = 0;
  double y = 0;
  double confidence = 0;  ///< 0 to 1
};

/// From the first to the last frame of a window: what was recognised in it.
struct Span {
  WallTime begin;
  WallTime end;
};

struct Object {
  std::string label;
  double confidence = 0;  ///< 0 to 1
  std::optional<Box> box;
  std::vector<Keypoint> keypoints;
  std::optional<Span> span;
};

struct Detections {
  std::string model;
  double ms = 0;  ///< that it took to find them
  std::vector<Object> objects;
  std::string error;  ///< why nothing could be looked for, or ""
};

/// As one header carries it.
inline constexpr std::size_t kMostHeaderBytes = 16u << 10;

/// One line of ASCII, at most `most_bytes` of it: objects with the highest confidence come first, and where some must
/// be left out it says "truncated":true. Numbers that are not finite are 0.
[[nodiscard]] std::string to_json(const Detections& detections, std::size_t most_bytes = kMostHeaderBytes);

/// What to_json() wrote, or another detector: `box` and `keypoints` are taken where they are as they should be, all
/// else is left. Nothing when `json` is no object, or nested deeper than 32, or has no list of objects.
[[nodiscard]] std::optional<Detections> parse_detections(std::string_view json);

}  // namespace fp::detect
