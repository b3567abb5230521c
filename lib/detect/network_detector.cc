#include <algorithm>

#include "base/text.h"
#include "detect/detector.h"

namespace fp::detect {
namespace {

constexpr std::size_t kMostPeople = 16;
constexpr double kAroundPerson = 1.25;  // RTMPose was trained on boxes that were so much larger

Box whole(const Frame& frame) {
  return {0, 0, static_cast<double>(frame.picture.width_px), static_cast<double>(frame.picture.height_px)};
}

// Enlarged, and cut to the frame; nothing where nothing is left.
std::optional<Box> around(const Box& person, const Frame& frame) {
  const double more_x = person.width_px * (kAroundPerson - 1) / 2;
  const double more_y = person.height_px * (kAroundPerson - 1) / 2;
  const double left = std::max(0.0, person.x - more_x);
  const double top = std::max(0.0, person.y - more_y);
  const double right = std::min<double>(frame.picture.width_px, person.x + person.width_px + more_x);
  const double bottom = std::min<double>(frame.picture.height_px, person.y + person.height_px + more_y);
  if (right - left < 1 || bottom - top < 1) return std::nullopt;
  return Box{left, top, right - left, bottom - top};
}

// The people that earlier detectors saw; nothing when none has looked.
std::optional<std::vector<Box>> people_in(const Frame& frame) {
  std::optional<std::vector<Box>> people;
  for (const Header& header : frame.extra) {
    if (!equal_ignoring_case(header.name, "X-Detections")) continue;
    const auto detections = parse_detections(header.value);
    if (!detections) continue;
    if (!people) people.emplace();
    for (const Object& object : detections->objects) {
      if (object.label != "person" || !object.box || people->size() >= kMostPeople) continue;
      if (const auto box = around(*object.box, frame)) people->push_back(*box);
    }
  }
  return people;
}

class NetworkDetector final : public Detector {
 public:
  NetworkDetector(Model model, const Thresholds& thresholds)
      : model_(std::move(model)), thresholds_(thresholds), values_(model_.input_values()) {}

  [[nodiscard]] const std::string& model() const override { return model_.name; }

  [[nodiscard]] jpeg::Size size_for(const Frame& frame) const override {
    jpeg::Size most{1, 1};
    for (const Box& region : regions(frame)) {
      const jpeg::Size size = size_needed(size_of(frame), region, model_.input);
      most = {std::max(most.width_px, size.width_px), std::max(most.height_px, size.height_px)};
    }
    return most;
  }

  [[nodiscard]] Result<std::vector<Object>> find(const View& view) override {
    std::vector<Object> objects;
    for (const Box& region : regions(view.frame)) {
      if (auto found = look(view, region, objects); !found) return fail(std::move(found).error());
    }
    return objects;
  }

 private:
  [[nodiscard]] std::vector<Box> regions(const Frame& frame) const {
    if (model_.layout != Layout::RtmPose) return {whole(frame)};
    return people_in(frame).value_or(std::vector{whole(frame)});
  }

  Result<Done> look(const View& view, const Box& region, std::vector<Object>& objects) {
    const Placement placement =
        maker_.fill(view.picture, size_of(view.frame), region, model_.input, model_.format, values_);
    const auto outputs = model_.run(values_);
    if (!outputs) return fail(outputs.error());
    auto candidates = decode(model_.layout, *outputs, model_.input, thresholds_.confidence, model_.classes);
    for (Candidate& candidate : suppress(std::move(candidates), thresholds_.iou)) {
      Object object;
      object.label = model_.label(candidate.class_index);
      // Some networks have scores a little over 1, or visibilities on a scale of their own.
      object.confidence = std::min(candidate.confidence, 1.0);
      object.box = cut(placement.to_frame(candidate.box), view.frame);
      for (Keypoint keypoint : candidate.keypoints) {
        keypoint.confidence = std::clamp(keypoint.confidence, 0.0, 1.0);
        object.keypoints.push_back(placement.to_frame(keypoint));
      }
      if (object.box) objects.push_back(std::move(object));
    }
    return Done{};
  }

  // To the frame. What lies wholly in the surroundings is nothing.
  [[nodiscard]] static std::optional<Box> cut(const Box& box, const Frame& frame) {
    const double right = std::min<double>(box.x + box.width_px, frame.picture.width_px);
    const double bottom = std::min<double>(box.y + box.height_px, frame.picture.height_px);
    const double left = std::max(box.x, 0.0);
    const double top = std::max(box.y, 0.0);
    if (right < left || bottom < top) return std::nullopt;
    return Box{left, top, right - left, bottom - top};
  }

  Model model_;
  const Thresholds thresholds_;
  InputMaker maker_;
  std::vector<float> values_;
};

}  // namespace

Thresholds usual_thresholds(Layout layout) {
  if (layout == Layout::BlazeFace) return {0.5, 0.3};
  return {};
}

std::unique_ptr<Detector> make_network_detector(Model model, const Thresholds& thresholds) {
  return std::make_unique<NetworkDetector>(std::move(model), thresholds);
}

}  // namespace fp::detect
