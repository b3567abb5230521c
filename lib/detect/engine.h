// From a frame to a frame that says what was found in it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "detect/detector.h"
#include "detect/garment.h"
#include "detect/overlay.h"
#include "detect/skeleton.h"
#include "frame/frame.h"

namespace fp::detect {

/// What is to become of one frame.
struct Orders {
  Overlay overlay;
  bool one_off = false;  ///< belongs to no camera: touches nothing that is remembered
};

/// The long part: gives the frame with one X-Detections more, and drawn on where that was ordered; nullptr when there
/// is nothing to be said about it, and it passes as it is. Errors: Malformed (damaged; the model failed to run),
/// TooLarge, Unsupported.
using Work = std::function<Result<FramePtr>()>;

/// Takes frames on one thread; the work that it gives is done on the same or another one, one piece at a time.
class Engine {
 public:
  virtual ~Engine() = default;
  [[nodiscard]] virtual const std::string& model() const = 0;
  /// Finds events that frames make together, rather than things in each: most of its frames have nothing to say.
  [[nodiscard]] virtual bool finds_events() const { return false; }
  /// What is to be done about this frame; nothing: it passes as it is. Work that is thrown away instead of done does no
  /// harm.
  [[nodiscard]] virtual std::optional<Work> take(const FramePtr& frame, const Orders& orders) = 0;
  /// The last frame has come, and left: what is still to be done about those that were taken. To be asked until it
  /// gives nothing.
  [[nodiscard]] virtual std::optional<Work> finish() { return std::nullopt; }

 protected:
  Engine() = default;
  Engine(const Engine&) = default;
  Engine(Engine&&) = default;
  Engine& operator=(const Engine&) = default;
  Engine& operator=(Engine&&) = default;
};

struct Drawing {
  Skeleton skeleton;
  std::optional<Garment> garment;
  int quality_percent = 80;
};

/// Looks at every frame that it takes, decoded no larger than its detector needs; in full where it is drawn on. The
/// JPEG passes byte for byte where nothing is drawn, also because nothing was found.
[[nodiscard]] std::unique_ptr<Engine> make_picture_engine(std::unique_ptr<Detector> detector, Drawing drawing);

/// The frame with these detections behind those that it has.
[[nodiscard]] FramePtr with_detections(Frame frame, const Detections& detections);

}  // namespace fp::detect
