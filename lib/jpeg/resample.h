// Planes to planes of another size, and turned.
#pragma once

#include "jpeg/geometry.h"
#include "jpeg/planes.h"

namespace fp::jpeg {

/// A part of a picture in luma samples; the corners may lie between samples.
struct Region {
  double x = 0;
  double y = 0;
  double width_px = 0;
  double height_px = 0;
};

/// The `region` of `from`, turned, in the size `to` (after the turn) and the same sampling; where rows and columns are
/// exchanged, 4:2:2 and 4:4:0 exchange their names too, and 4:1:1, whose counterpart TurboJPEG does not know, becomes
/// 4:2:0.
///
/// Each sample is the mean of those that it covers, weighted by a triangle as wide as two of them: bilinear where the
/// picture grows. Nothing outside `region` has a part in it. Samples that stay what and where they are stay exact, and
/// so does a flat surface. Chroma samples are taken to lie in the middle of their luma samples, as JFIF says.
///
/// Memory: the planes that it gives, another copy of them when rows and columns are exchanged, and one row.
/// `region` must lie within `from` and be at least a sample wide and high; `to` must be within_limits().
[[nodiscard]] Planes resample(const Planes& from, const Region& region, const Turn& turn, Size to);

}  // namespace fp::jpeg
