#include "jpeg/geometry.h"

#include <utility>

namespace fp::jpeg {

Turn Turn::by_degrees(int degrees) {
  switch (degrees) {
    case 90:
      return {.flip_x = false, .flip_y = true, .transpose = true};
    case 180:
      return {.flip_x = true, .flip_y = true, .transpose = false};
    case 270:
      return {.flip_x = true, .flip_y = false, .transpose = true};
    default:
      return {};
  }
}

Turn Turn::then_flip_horizontally() const {
  Turn turn = *this;
  bool& flip = transpose ? turn.flip_y : turn.flip_x;
  flip = !flip;
  return turn;
}

Turn Turn::then_flip_vertically() const {
  Turn turn = *this;
  bool& flip = transpose ? turn.flip_x : turn.flip_y;
  flip = !flip;
  return turn;
}

Point Geometry::map(Point place) const {
  double x = place.x - crop.x;
  double y = place.y - crop.y;
  if (turn.flip_x) x = crop.width_px - x;
  if (turn.flip_y) y = crop.height_px - y;
  if (turn.transpose) std::swap(x, y);
  const Size before = turned();
  return {x * to.width_px / before.width_px, y * to.height_px / before.height_px};
}

}  // namespace fp::jpeg
