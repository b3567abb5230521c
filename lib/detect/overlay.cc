#include "detect/overlay.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <optional>
#include <string>

#include "base/text.h"
#include "detect/canvas.h"

namespace fp::detect {
namespace {

constexpr jpeg::Colour kDark{16, 128, 128};
constexpr jpeg::Colour kLight{240, 128, 128};
constexpr std::size_t kMostLetters = 64;

bool* find(Overlay& overlay, std::string_view name) {
  if (name == "boxes") return &overlay.boxes;
  if (name == "labels") return &overlay.labels;
  if (name == "skeleton") return &overlay.skeleton;
  if (name == "garment") return &overlay.garment;
  return nullptr;
}

// How thick and how large, by the picture.
struct Measures {
  int line_px = 1;
  double letters = 0.4;  // OpenCV's scale
  int stroke_px = 1;
  int margin_px = 2;

  explicit Measures(jpeg::Size size) {
    const int side = std::min(size.width_px, size.height_px);
    line_px = std::max(1, side / 240);
    letters = std::max(0.4, side / 1200.0);
    stroke_px = std::max(1, static_cast<int>(std::lround(letters * 1.4)));
    margin_px = 1 + side / 360;
  }
};

// As much of a box as lies in the picture; nothing when that is nothing, or it is no box.
std::optional<jpeg::Rect> visible(const Box& box, jpeg::Size size) {
  // Not for NaN either.
  if (!(box.width_px > 0 && box.height_px > 0)) return std::nullopt;
  const double right = box.x + box.width_px;
  const double bottom = box.y + box.height_px;
  if (!(box.x < size.width_px && box.y < size.height_px && right > 0 && bottom > 0)) return std::nullopt;
  const auto within = [](double value, int most) {
    return static_cast<int>(std::clamp(value, 0.0, static_cast<double>(most)));
  };
  const int x = within(std::floor(box.x), size.width_px - 1);
  const int y = within(std::floor(box.y), size.height_px - 1);
  return jpeg::Rect{x, y, std::max(1, within(std::ceil(right), size.width_px) - x),
                    std::max(1, within(std::ceil(bottom), size.height_px) - y)};
}

void draw_frame(Canvas& canvas, const jpeg::Rect& rect, int line_px, jpeg::Colour colour) {
  const int across = std::min(line_px, rect.width_px);
  const int down = std::min(line_px, rect.height_px);
  canvas.fill({rect.x, rect.y, rect.width_px, down}, colour);
  canvas.fill({rect.x, rect.y + rect.height_px - down, rect.width_px, down}, colour);
  canvas.fill({rect.x, rect.y, across, rect.height_px}, colour);
  canvas.fill({rect.x + rect.width_px - across, rect.y, across, rect.height_px}, colour);
}

// The line has a dark one inside, so that it is seen on what has its own colour, too.
void draw_box(Canvas& canvas, const jpeg::Rect& rect, const Measures& measures, jpeg::Colour colour) {
  const int line = measures.line_px;
  const jpeg::Rect inner{rect.x + line, rect.y + line, rect.width_px - 2 * line, rect.height_px - 2 * line};
  const int edge = (line + 2) / 3;
  if (inner.width_px > 2 * edge && inner.height_px > 2 * edge) draw_frame(canvas, inner, edge, kDark);
  draw_frame(canvas, rect, line, colour);
}

// One '?' for each letter that OpenCV cannot draw.
std::string ascii(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x80 && byte < 0xC0) continue;  // goes on with a letter of UTF-8
    out += byte >= 0x20 && byte < 0x7F ? c : '?';
    if (out.size() >= kMostLetters) break;
  }
  return out;
}

std::string percent(double confidence) {
  const double share = confidence >= 0 ? std::min(confidence, 1.0) : 0;
  return std::to_string(std::lround(100 * share)) + "%";
}

struct Label {
  std::string text;
  jpeg::Size size;
  int baseline_px = 0;  // from its top
};

Label measure(const std::string& text, const Measures& measures) {
  int below = 0;
  const cv::Size letters =
      cv::getTextSize(text, cv::FONT_HERSHEY_SIMPLEX, measures.letters, measures.stroke_px, &below);
  const int margin = measures.margin_px;
  return {text, {letters.width + 2 * margin, letters.height + below + margin}, letters.height + margin};
}

// Cuts the name, never the figure, until it fits; nothing where it cannot.
std::optional<Label> label_of(const Object& object, const Measures& measures, jpeg::Size size) {
  std::string name = ascii(object.label);
  const std::string figure = percent(object.confidence);
  for (;;) {
    Label label = measure(name.empty() ? figure : name + " " + figure, measures);
    if (label.size.height_px > size.height_px) return std::nullopt;
    if (label.size.width_px <= size.width_px) return label;
    if (name.empty()) return std::nullopt;
    name.pop_back();
  }
}

void draw_label(Canvas& canvas, const Label& label, int x, int y, const Measures& measures, jpeg::Colour colour) {
  const jpeg::Rect rect{std::clamp(x, 0, canvas.size().width_px - label.size.width_px),
                        std::clamp(y, 0, canvas.size().height_px - label.size.height_px), label.size.width_px,
                        label.size.height_px};
  canvas.fill(rect, colour);
  const jpeg::Point base{static_cast<double>(rect.x + measures.margin_px),
                         static_cast<double>(rect.y + label.baseline_px)};
  canvas.text(label.text, base, measures.letters, measures.stroke_px, rect, colour.y > 125 ? 0 : 255);
}

void draw_skeleton(Canvas& canvas, const Object& object, const Skeleton& skeleton, double least,
                   const Measures& measures) {
  const auto seen = [&](std::size_t index) {
    if (index >= object.keypoints.size()) return false;
    const Keypoint& keypoint = object.keypoints[index];
    return keypoint.confidence >= least && canvas.reach({keypoint.x, keypoint.y});
  };
  const auto place = [&](std::size_t index) {
    return jpeg::Point{object.keypoints[index].x, object.keypoints[index].y};
  };
  const jpeg::Colour colour = colour_of(object.label);
  for (const auto& [from, to] : skeleton.bones) {
    if (seen(from) && seen(to)) canvas.line(place(from), place(to), measures.line_px, colour);
  }
  for (std::size_t index = 0; index < object.keypoints.size(); ++index) {
    if (!seen(index)) continue;
    canvas.dot(place(index), measures.line_px + 1, kDark);
    canvas.dot(place(index), measures.line_px, kLight);
  }
}

// Where the label of a pose without a box goes: the rectangle around its keypoints.
std::optional<Box> place_of(const Object& object, double least) {
  if (object.box) return object.box;
  std::optional<Box> place;
  for (const Keypoint& keypoint : object.keypoints) {
    // Not for NaN either.
    if (!(keypoint.confidence >= least && std::abs(keypoint.x) < 1e6 && std::abs(keypoint.y) < 1e6)) continue;
    if (!place) place = Box{keypoint.x, keypoint.y, 1, 1};
    const double right = std::max(place->x + place->width_px, keypoint.x + 1);
    const double bottom = std::max(place->y + place->height_px, keypoint.y + 1);
    place->x = std::min(place->x, keypoint.x);
    place->y = std::min(place->y, keypoint.y);
    place->width_px = right - place->x;
    place->height_px = bottom - place->y;
  }
  return place;
}

void draw_labels(Canvas& canvas, const Detections& detections, double least, const Measures& measures) {
  const jpeg::Size size = canvas.size();
  int corner_y = 0;
  for (std::size_t i = 0; i < detections.objects.size(); ++i) {
    const Object& object = detections.objects[i];
    if (object.box || !object.keypoints.empty()) continue;
    const auto label = label_of(object, measures, size);
    if (!label || corner_y + label->size.height_px > size.height_px) break;
    draw_label(canvas, *label, 0, corner_y, measures, colour_of(object.label));
    corner_y += label->size.height_px;
  }
  // The best come first, and are to be on top.
  for (std::size_t i = detections.objects.size(); i-- > 0;) {
    const Object& object = detections.objects[i];
    const auto place = place_of(object, least);
    const auto rect = place ? visible(*place, size) : std::nullopt;
    if (!rect) continue;
    const auto label = label_of(object, measures, size);
    if (!label) continue;
    const int above = rect->y - label->size.height_px;
    draw_label(canvas, *label, rect->x, above >= 0 ? above : rect->y, measures, colour_of(object.label));
  }
}

}  // namespace

Result<Overlay> parse_overlay(std::string_view text) {
  Overlay overlay;
  if (text == "none") return overlay;
  for (const std::string_view name : split(text, ',')) {
    bool* const wish = find(overlay, trim(name));
    if (wish == nullptr) {
      return malformed("overlay '" + printable(text) +
                       "': may be boxes, labels, skeleton and garment, with commas between them, or none");
    }
    *wish = true;
  }
  return overlay;
}

Overlay with_orders(Overlay usual, std::string_view orders) {
  for (const std::string_view order : split(orders, ',')) {
    const auto equals = order.find('=');
    if (equals == std::string_view::npos) continue;
    bool* const wish = find(usual, trim(order.substr(0, equals)));
    const std::string_view value = trim(order.substr(equals + 1));
    if (wish != nullptr && (value == "0" || value == "1")) *wish = value == "1";
  }
  return usual;
}

jpeg::Colour colour_of(std::string_view label) {
  // M. Okabe, K. Ito: Color Universal Design, 2008. Black, the eighth, would not be seen.
  constexpr std::array<std::array<int, 3>, 7> kColours = {
      {{230, 159, 0}, {86, 180, 233}, {0, 158, 115}, {240, 228, 66}, {0, 114, 178}, {213, 94, 0}, {204, 121, 167}}};
  std::uint32_t hash = 2166136261u;  // FNV-1a
  for (const char c : label) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  const auto& colour = kColours[(hash ^ hash >> 16) % kColours.size()];
  return jpeg::Colour::rgb(colour[0], colour[1], colour[2]);
}

void draw(jpeg::Planes& planes, const Detections& detections, const Skeleton& skeleton, const Overlay& overlay,
          double least_keypoint) {
  Canvas canvas(planes);
  const Measures measures(planes.size());
  if (overlay.skeleton) {
    for (const Object& object : detections.objects) draw_skeleton(canvas, object, skeleton, least_keypoint, measures);
  }
  if (overlay.boxes) {
    for (std::size_t i = detections.objects.size(); i-- > 0;) {
      const Object& object = detections.objects[i];
      const auto rect = object.box ? visible(*object.box, planes.size()) : std::nullopt;
      if (rect) draw_box(canvas, *rect, measures, colour_of(object.label));
    }
  }
  if (overlay.labels) draw_labels(canvas, detections, least_keypoint, measures);
  planes.pad_edges();
}

}  // namespace fp::detect
