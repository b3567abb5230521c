// A picture of a garment, worn by whoever is seen.
#pragma once

#include <opencv2/core/mat.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "detect/detection.h"
#include "jpeg/planes.h"

namespace fp::detect {

/// Lays a picture over the torso of a pose. Its corners go to a quadrilateral that is made of COCO's keypoints 5 and 6
/// (left and right shoulder, the wearer's own) and 11 and 12 (left and right hip): both lines are made wider about
/// their middles (kShoulders, kHips), then moved apart along the torso (kAbove, kBelow), since keypoints are the joints
/// and a garment covers more. The perspective follows from that.
///
/// The picture shows the garment from the front, as it is seen on somebody who faces the camera: its left edge goes to
/// the wearer's right side. From behind, where shoulders and hips have changed sides in the frame, the garment is
/// mirrored.
///
/// May be drawn by several threads at once. Memory: 5.3 bytes a pixel, at most 2048x2048 of them: a larger picture is
/// made smaller when it is read.
class Garment {
 public:
  static constexpr double kShoulders = 1.35;  ///< times the distance of the shoulders
  static constexpr double kHips = 1.6;        ///< times the distance of the hips, which are the narrower
  static constexpr double kAbove = 0.2;       ///< of the torso's length
  static constexpr double kBelow = 0.15;      ///< likewise

  /// A PNG with its transparency, or a JPEG, which is opaque all over. Errors: those of read_picture().
  [[nodiscard]] static Result<Garment> load(const std::string& path);

  /// Draws it on all planes, blended by its opacity; the padding is filled. False, and nothing changed: a shoulder or a
  /// hip is missing, less sure than `least_keypoint`, not finite or far away from the picture, or they span no torso
  /// (in a line, crossed, less than two pixels). Costs what it covers of the picture. Nothing of it inside is no
  /// failure.
  bool draw(jpeg::Planes& planes, const Object& pose, double least_keypoint = 0.3) const;

 private:
  // CV_8UC4: Y, Cb, Cr, each multiplied by the opacity, and the opacity. Every level is half the one before: the one
  // that is nearest to the size in the frame is drawn, so that a large picture does not glitter.
  std::vector<cv::Mat> levels_;
};

}  // namespace fp::detect
