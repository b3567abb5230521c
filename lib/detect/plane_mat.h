// A plane of a picture as OpenCV sees it. Not for others: it includes OpenCV's headers.
#pragma once

#include <opencv2/core/mat.hpp>

#include "jpeg/planes.h"

namespace fp::detect {

/// The samples of a plane that show something, in place: the Mat borrows them.
[[nodiscard]] inline cv::Mat mat_of(jpeg::Planes& planes, int index) {
  const jpeg::Size shown = planes.layout().shown(index);
  return {shown.height_px, shown.width_px, CV_8UC1, planes.plane(index),
          static_cast<std::size_t>(planes.stride(index))};
}
/// The same for who only reads: OpenCV knows no Mat of constant samples.
[[nodiscard]] inline cv::Mat mat_of(const jpeg::Planes& planes, int index) {
  return mat_of(const_cast<jpeg::Planes&>(planes), index);
}

}  // namespace fp::detect
