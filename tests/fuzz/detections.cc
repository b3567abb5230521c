// What frame-detect reads of others: X-Detections, X-Overlay, the names in a model's metadata, zones, and the files of
// labels and of skeletons. What they let through keeps the promises of their headers.
//
// The first byte chooses which of them; the rest is the text.
#include <unistd.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "detect/detection.h"
#include "detect/labels.h"
#include "detect/motion.h"
#include "detect/overlay.h"
#include "detect/skeleton.h"

namespace {

using namespace fp::detect;

void require(bool holds) {
  if (!holds) __builtin_trap();
}

bool is_header(const std::string& line) {
  for (const char c : line) {
    if (c < ' ' || c > '~') return false;
  }
  return line.size() <= kMostHeaderBytes && line.starts_with("{") && line.ends_with("}");
}

// What is read can be written, within a header, and read again.
void check_detections(std::string_view text) {
  const auto found = parse_detections(text);
  if (!found) return;
  require(found->objects.size() <= 512);
  for (const Object& object : found->objects) {
    require(std::isfinite(object.confidence));
    require(object.keypoints.size() <= 512);
    if (object.box) require(std::isfinite(object.box->x) && std::isfinite(object.box->width_px));
    for (const Keypoint& keypoint : object.keypoints) {
      require(std::isfinite(keypoint.x) && std::isfinite(keypoint.y) && std::isfinite(keypoint.confidence));
    }
  }
  Detections ours = *found;
  ours.model = "m";  // of ours names and reasons are short; theirs may fill a header
  ours.error.clear();
  const std::string line = to_json(ours);
  require(is_header(line));
  const auto again = parse_detections(line);
  require(again.has_value());
  require(again->objects.size() <= found->objects.size());

  fp::jpeg::Planes planes({64, 48}, fp::jpeg::Sampling::Yuv420);
  draw(planes, *found, Skeleton::for_keypoints(17), {true, true, true, false});
}

void check_overlay(std::string_view text) {
  const Overlay usual{true, false, true, false};
  const Overlay ordered = with_orders(usual, text);
  require(with_orders(ordered, text) == ordered);
  const auto parsed = parse_overlay(text);
  if (!parsed) require(!parsed.error().text.empty());
}

void check_names(std::string_view text) {
  for (const std::string& name : parse_names(text)) require(name.size() <= 256);
}

void check_zone(std::string_view text) {
  const auto zone = parse_zone(text);
  if (!zone) return;
  require(zone->size() >= 3);
  for (const auto& point : *zone) require(point.x >= 0 && point.x <= 1 && point.y >= 0 && point.y <= 1);
}

// A file with no more than this in it, for what reads files.
const std::string& file_of(std::string_view text) {
  static const std::string path = "/tmp/fuzz-detections-" + std::to_string(::getpid());
  static const bool goes = std::atexit([] { (void)::unlink(path.c_str()); }) == 0;
  require(goes);
  std::FILE* const file = std::fopen(path.c_str(), "wb");
  require(file != nullptr);
  require(std::fwrite(text.data(), 1, text.size(), file) == text.size());
  require(std::fclose(file) == 0);
  return path;
}

void check_labels(std::string_view text) {
  const auto labels = read_labels(file_of(text));
  if (!labels) {
    require(!labels.error().text.empty());
    return;
  }
  require(!labels->empty());
  for (const std::string& label : *labels) require(!label.empty() && label.size() <= 256);
}

void check_skeleton(std::string_view text) {
  constexpr std::size_t kKeypoints = 21;
  const auto skeleton = read_skeleton(file_of(text), kKeypoints);
  if (!skeleton) return;
  for (const auto& [from, to] : skeleton->bones) require(from < kKeypoints && to < kKeypoints);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 6) {
    case 0:
      check_detections(text);
      break;
    case 1:
      check_overlay(text);
      break;
    case 2:
      check_names(text);
      break;
    case 3:
      check_zone(text);
      break;
    case 4:
      check_labels(text);
      break;
    default:
      check_skeleton(text);
      break;
  }
  return 0;
}
