#include <utility>

#include "detect/detector.h"

namespace fp::detect {
namespace {

class MotionLook final : public Detector {
 public:
  explicit MotionLook(MotionDetector::Options options) : motion_(std::move(options)) {}

  [[nodiscard]] const std::string& model() const override { return name_; }
  [[nodiscard]] jpeg::Size size_for(const Frame& /*frame*/) const override { return MotionDetector::needs(); }
  [[nodiscard]] Result<std::vector<Object>> find(const View& view) override {
    return motion_.find(view.picture, size_of(view.frame), view.frame.camera, view.frame.captured, view.one_off);
  }

 private:
  const std::string name_ = "motion";
  MotionDetector motion_;
};

}  // namespace

std::unique_ptr<Detector> make_motion_detector(MotionDetector::Options options) {
  return std::make_unique<MotionLook>(std::move(options));
}

}  // namespace fp::detect
