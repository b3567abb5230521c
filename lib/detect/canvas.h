// Shapes drawn on the planes of a picture, whatever its sampling.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "jpeg/geometry.h"
#include "jpeg/planes.h"

namespace fp::detect {

/// Borrows the planes. All places are in luma pixels; (0, 0) is the outer corner of the first one. What lies outside
/// the picture is cut off. A chroma sample takes a rectangle's colour when the greater part of it is covered, each way.
///
/// The padding is left as it is: Planes::pad_edges() afterwards.
class Canvas {
 public:
  explicit Canvas(jpeg::Planes& planes) : planes_(planes) {}

  [[nodiscard]] jpeg::Size size() const { return planes_.size(); }
  void fill(const jpeg::Rect& rect, jpeg::Colour colour);
  /// With soft edges, which reach about a sample beyond it. Three corners to 32, convex, all in reach().
  void polygon(std::span<const jpeg::Point> corners, jpeg::Colour colour);
  /// A straight line of polygon(), and a round dot.
  void line(jpeg::Point from, jpeg::Point to, double width_px, jpeg::Colour colour);
  void dot(jpeg::Point centre, double radius_px, jpeg::Colour colour);
  /// One line of ASCII in luma alone, its baseline at `base`, cut to `clip`, which must lie within the picture. `scale`
  /// is OpenCV's: capitals are 21 px high at 1.
  void text(const std::string& line, jpeg::Point base, double scale, int width_px, const jpeg::Rect& clip,
            std::uint8_t gray);

  /// Whether a place is finite and no further from the picture than four times its longer side: beyond that, numbers
  /// mean nothing, and OpenCV's fixed-point coordinates end.
  [[nodiscard]] bool reach(jpeg::Point place) const;

 private:
  jpeg::Planes& planes_;
};

}  // namespace fp::detect
