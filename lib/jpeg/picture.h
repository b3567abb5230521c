// A picture in memory, drawn on and encoded.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace fp::jpeg {

struct Size {
  int width_px = 0;
  int height_px = 0;
  friend bool operator==(const Size&, const Size&) = default;
};

/// A colour in full-range BT.601 YCbCr, as JFIF has it.
struct Colour {
  std::uint8_t y = 0;
  std::uint8_t cb = 128;
  std::uint8_t cr = 128;
  [[nodiscard]] static Colour rgb(int red, int green, int blue);
};

/// YCbCr 4:2:0 in three planes. All are rounded up to whole chroma samples, luma too: libjpeg-turbo reads a row and a
/// column more than the picture has when its sides are odd.
class Picture {
 public:
  /// Both sides 1 to 16384 px. Black.
  explicit Picture(Size size);

  [[nodiscard]] Size size() const { return size_; }
  [[nodiscard]] const std::uint8_t* plane(int index) const { return planes_[static_cast<std::size_t>(index)].data(); }
  [[nodiscard]] int stride(int index) const { return index == 0 ? 2 * chroma_width() : chroma_width(); }

  /// Fills a rectangle, cut to the picture. Chroma has half the resolution: edges on even pixels are sharp.
  void fill(int x, int y, int width, int height, Colour colour);
  /// Writes one line in capitals, 5x7 dots in cells of 6x8, each dot `scale` px wide; cut to the picture. Letters,
  /// digits and .,:;-+/()!?'%_=#@ are known, anything else is drawn as a small box.
  void text(int x, int y, int scale, Colour colour, std::string_view line);
  /// How wide text() would be.
  [[nodiscard]] static int text_width_px(std::string_view line, int scale) {
    return static_cast<int>(line.size()) * 6 * scale;
  }

 private:
  [[nodiscard]] int chroma_width() const { return (size_.width_px + 1) / 2; }
  Size size_;
  std::array<std::vector<std::uint8_t>, 3> planes_;
};

}  // namespace fp::jpeg
