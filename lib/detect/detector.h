// Whatever finds things in one frame.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "detect/detection.h"
#include "detect/model.h"
#include "detect/motion.h"
#include "frame/frame.h"
#include "jpeg/planes.h"

namespace fp::detect {

/// One thread.
class Detector {
 public:
  struct View {
    const Frame& frame;
    const jpeg::Planes& picture;  ///< of the frame, in at least the size that size_for() asked for
    bool one_off = false;         ///< belongs to no camera: touches nothing that is remembered
  };

  virtual ~Detector() = default;
  [[nodiscard]] virtual const std::string& model() const = 0;  ///< what "model" of X-Detections says
  /// How large the picture of this frame must at least be decoded.
  [[nodiscard]] virtual jpeg::Size size_for(const Frame& frame) const = 0;
  /// What there is in it, in pixels of the frame. Error: Malformed (the model failed to run).
  [[nodiscard]] virtual Result<std::vector<Object>> find(const View& view) = 0;

 protected:
  Detector() = default;
  Detector(const Detector&) = default;
  Detector(Detector&&) = default;
  Detector& operator=(const Detector&) = default;
  Detector& operator=(Detector&&) = default;
};

[[nodiscard]] inline jpeg::Size size_of(const Frame& frame) {
  return {frame.picture.width_px, frame.picture.height_px};
}

/// What a network has to be sure of.
struct Thresholds {
  double confidence = 0.25;  ///< an object needs at least that
  double iou = 0.45;         ///< two of a class that overlap more are one
};
/// What the makers of a layout use: 0.5 and 0.3 for faces, 0.25 and 0.45 for the others.
[[nodiscard]] Thresholds usual_thresholds(Layout layout);

/// A network that looks at pictures: every layout but Layout::Sequence. Layout::RtmPose, which takes a picture filled
/// by one person, looks at the places where an earlier detector saw a "person" (X-Detections of the frame; at most 16),
/// and at the whole frame when no earlier one has looked.
[[nodiscard]] std::unique_ptr<Detector> make_network_detector(Model model, const Thresholds& thresholds);

[[nodiscard]] std::unique_ptr<Detector> make_motion_detector(MotionDetector::Options options);

}  // namespace fp::detect
