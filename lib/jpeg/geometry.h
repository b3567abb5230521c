// What happens to the places of a picture: cut out, turned, and brought to another size, in this order.
#pragma once

#include "jpeg/picture.h"

namespace fp::jpeg {

struct Rect {
  int x = 0;
  int y = 0;
  int width_px = 0;
  int height_px = 0;
  friend bool operator==(const Rect&, const Rect&) = default;
};

/// One of the eight ways to lay a rectangle on itself: first mirrored, then rows and columns exchanged.
struct Turn {
  bool flip_x = false;     ///< left and right exchanged
  bool flip_y = false;     ///< top and bottom exchanged
  bool transpose = false;  ///< after that
  friend bool operator==(const Turn&, const Turn&) = default;

  /// Clockwise, by 0, 90, 180 or 270 degrees.
  [[nodiscard]] static Turn by_degrees(int degrees);
  /// This one, and then left and right (or top and bottom) of its outcome exchanged.
  [[nodiscard]] Turn then_flip_horizontally() const;
  [[nodiscard]] Turn then_flip_vertically() const;

  [[nodiscard]] bool nothing() const { return *this == Turn{}; }
  [[nodiscard]] Size of(Size size) const {
    return transpose ? Size{size.height_px, size.width_px} : Size{size.width_px, size.height_px};
  }
};

struct Point {
  double x = 0;
  double y = 0;
};

/// From a picture of the size `from` to one of the size `to`.
struct Geometry {
  Size from;
  Rect crop;  ///< within `from`
  Turn turn;
  Size to;

  /// Nothing moves.
  [[nodiscard]] static Geometry none(Size size) { return {size, {0, 0, size.width_px, size.height_px}, {}, size}; }
  [[nodiscard]] bool cropped() const { return crop != Rect{0, 0, from.width_px, from.height_px}; }
  /// The size after `crop` and `turn`.
  [[nodiscard]] Size turned() const { return turn.of({crop.width_px, crop.height_px}); }
  [[nodiscard]] bool scaled() const { return turned() != to; }
  [[nodiscard]] bool nothing() const { return !cropped() && turn.nothing() && !scaled(); }
  /// Where a place is afterwards. (0, 0) is the outer corner of the first pixel; what was cut away ends up outside.
  [[nodiscard]] Point map(Point place) const;
};

}  // namespace fp::jpeg
