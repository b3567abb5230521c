#include "detect/engine.h"

#include <algorithm>
#include <chrono>

#include "frame/encoded_frame.h"
#include "jpeg/decoder.h"
#include "jpeg/encoder.h"

namespace fp::detect {
namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;

class PictureEngine final : public Engine {
 public:
  PictureEngine(std::unique_ptr<Detector> detector, Drawing drawing)
      : detector_(std::move(detector)), drawing_(std::move(drawing)) {}

  [[nodiscard]] const std::string& model() const override { return detector_->model(); }

  [[nodiscard]] std::optional<Work> take(const FramePtr& frame, const Orders& orders) override {
    return [this, frame, orders] { return look(*frame, orders); };
  }

 private:
  Result<FramePtr> look(const Frame& frame, const Orders& orders) {
    const auto begin = std::chrono::steady_clock::now();
    const bool draws = !orders.overlay.nothing();
    auto picture = decoder_.decode(frame.jpeg.view(), draws ? size_of(frame) : detector_->size_for(frame));
    if (!picture) return fail(std::move(picture).error());
    auto objects = detector_->find({frame, *picture, orders.one_off});
    if (!objects) return fail(std::move(objects).error());
    Detections found{detector_->model(), 0, std::move(*objects), ""};
    found.ms = Milliseconds(std::chrono::steady_clock::now() - begin).count();
    Frame changed = frame;
    if (draws && draw_on(*picture, found, orders.overlay)) {
      auto jpeg = encoder_.encode(*picture, drawing_.quality_percent);
      if (!jpeg) return fail(std::move(jpeg).error());
      return with_detections(*with_jpeg(std::move(changed), std::move(*jpeg)), found);
    }
    return with_detections(std::move(changed), found);
  }

  // False: there was nothing to draw.
  bool draw_on(jpeg::Planes& picture, const Detections& found, const Overlay& overlay) const {
    if (found.objects.empty()) return false;
    bool worn = false;
    if (overlay.garment && drawing_.garment) {
      for (const Object& object : found.objects) worn = drawing_.garment->draw(picture, object) || worn;
    }
    const bool lines = overlay.boxes || overlay.labels || overlay.skeleton;
    if (lines) draw(picture, found, drawing_.skeleton, overlay);
    return worn || lines;
  }

  const std::unique_ptr<Detector> detector_;
  const Drawing drawing_;
  jpeg::Decoder decoder_;
  jpeg::Encoder encoder_;
};

}  // namespace

FramePtr with_detections(Frame frame, const Detections& detections) {
  frame.extra.push_back({"X-Detections", to_json(detections)});
  return std::make_shared<const Frame>(std::move(frame));
}

std::unique_ptr<Engine> make_picture_engine(std::unique_ptr<Detector> detector, Drawing drawing) {
  return std::make_unique<PictureEngine>(std::move(detector), std::move(drawing));
}

}  // namespace fp::detect
