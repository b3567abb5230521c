// What moves in front of a camera that stands still.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <opencv2/core/mat.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "detect/detection.h"
#include "jpeg/geometry.h"
#include "jpeg/planes.h"

namespace fp::detect {

/// Points as shares of the picture's width and height, 0 to 1; three at least, closed of itself.
using Polygon = std::vector<jpeg::Point>;
/// Reads --zone: "x,y,x,y,x,y". Errors: Malformed, with what is wrong and how it should be.
[[nodiscard]] Result<Polygon> parse_zone(std::string_view text);

/// Where to look: what is darker than middle gray is left out. Any size; it is laid over the whole picture.
struct Mask {
  jpeg::Size size;
  std::vector<std::uint8_t> gray;  ///< rows close together
};
/// Reads --mask: a PNG (what is transparent counts as black) or a JPEG. Errors: those of read_picture().
[[nodiscard]] Result<Mask> read_mask(const std::string& path);

/// Compares the brightness of each frame with a running mean of the frames before, camera by camera.
///
/// What is new stays found for about `learn`, then belongs to the picture; so does the gap where something was taken
/// away. A change of more than 80 % of the picture, zones or not, is no motion but the light, or a camera that was
/// turned: nothing is reported, and the mean begins anew with that frame. So it does with the first frame of a camera,
/// and with one of another size.
///
/// One thread. Memory: five bytes a pixel of a picture of about needs(), for each of 64 cameras; when there are more,
/// the one that was not seen for the longest time is forgotten.
class MotionDetector {
 public:
  struct Options {
    /// Gray levels of 255 that a place must differ from the mean by. A sensor's noise (standard deviation, at 1280x720)
    /// of 10 levels stayed under 4 in the means that are looked at, of 20 under 8, of 30 under 10.
    double threshold = 12;
    double min_area_percent = 0.5;          ///< of the picture, that must have changed in one connected area
    std::chrono::milliseconds learn{2000};  ///< by capture time: a change has become two thirds of the mean after that
    std::vector<Polygon> zones{};           ///< looked at is what is in any of them; none: everything
    std::optional<Mask> mask{};             ///< of that, what is bright here
  };
  explicit MotionDetector(Options options);

  /// To be decoded in at least this size, which is 1/8 of 1280x720; more is made smaller first.
  [[nodiscard]] static jpeg::Size needs() { return {160, 90}; }

  /// The areas that changed, the largest first, at most 32, in pixels of a `frame` that was decoded as `small`;
  /// labelled "motion". Confidence is d / (d + threshold) for a mean difference d of the area: 0.5 when it is only just
  /// found, 0.8 when it differs four times as much as it must.
  ///
  /// A picture that is no camera's (`one_off`) has nothing to be compared with: nothing is found, nothing is learnt.
  [[nodiscard]] std::vector<Object> find(const jpeg::Planes& small, jpeg::Size frame, const std::string& camera,
                                         WallTime captured, bool one_off = false);

  [[nodiscard]] std::size_t cameras() const { return cameras_.size(); }  ///< that are remembered

 private:
  struct Camera {
    cv::Mat mean;       // CV_32FC1
    cv::Mat looked_at;  // CV_8UC1, 0 or 255; empty: all
    WallTime last;
    std::uint64_t used = 0;
  };
  [[nodiscard]] Camera& camera_of(const std::string& name);
  void begin(Camera& camera, const cv::Mat& picture) const;
  [[nodiscard]] cv::Mat looked_at(cv::Size size) const;
  [[nodiscard]] std::vector<Object> areas(const cv::Mat& changed, const cv::Mat& difference, jpeg::Size frame) const;

  Options options_;
  std::map<std::string, Camera> cameras_;
  std::uint64_t uses_ = 0;
};

}  // namespace fp::detect
