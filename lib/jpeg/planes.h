// A decoded picture as a JPEG holds it: luma and chroma apart, chroma with fewer samples.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "jpeg/picture.h"

namespace fp::jpeg {

/// How many samples chroma has (ITU-T T.81 A.1.1); the numbers are TurboJPEG's TJSAMP.
enum class Sampling {
  Yuv444 = 0,
  Yuv422 = 1,  ///< half as wide
  Yuv420 = 2,  ///< half as wide and half as high
  Gray = 3,    ///< no chroma
  Yuv440 = 4,  ///< half as high
  Yuv411 = 5,  ///< a quarter as wide
};
[[nodiscard]] int chroma_divisor_x(Sampling sampling);  ///< luma samples to one of chroma: 1, 2 or 4
[[nodiscard]] int chroma_divisor_y(Sampling sampling);
/// The pixels of one MCU (T.81 A.2): 8x8 to 32x8. What lossless transforms move.
[[nodiscard]] Size mcu_of(Sampling sampling);

/// No picture larger than this is decoded, transformed or made: 8K is half of it, and 65535x65535 sixty-four times.
inline constexpr std::int64_t kMaxPixels = 64 << 20;
inline constexpr int kMaxSide = 16384;
[[nodiscard]] bool within_limits(Size size);

/// YCbCr, or luma alone, in planes of one byte a sample; full-range BT.601, as JFIF has it.
///
/// All planes are rounded up to whole chroma samples, luma too: libjpeg-turbo reads and writes a row and a column more
/// than the picture has when its sides are odd. pad_edges() fills those.
class Planes {
 public:
  /// The planes of a picture, without the picture.
  struct Layout {
    Size size;
    Sampling sampling = Sampling::Gray;
    [[nodiscard]] int count() const { return sampling == Sampling::Gray ? 1 : 3; }
    [[nodiscard]] Size padded(int index) const;
    /// The samples of a plane that show something: chroma's are rounded up.
    [[nodiscard]] Size shown(int index) const { return index == 0 ? size : padded(index); }
  };

  /// `size` must be within_limits(). The samples are 0.
  Planes(Size size, Sampling sampling);

  [[nodiscard]] const Layout& layout() const { return layout_; }
  [[nodiscard]] Size size() const { return layout_.size; }
  [[nodiscard]] Sampling sampling() const { return layout_.sampling; }
  [[nodiscard]] int count() const { return layout_.count(); }
  [[nodiscard]] int stride(int index) const { return layout_.padded(index).width_px; }
  [[nodiscard]] const std::uint8_t* plane(int index) const { return planes_[static_cast<std::size_t>(index)].data(); }
  [[nodiscard]] std::uint8_t* plane(int index) { return planes_[static_cast<std::size_t>(index)].data(); }
  [[nodiscard]] const std::uint8_t* row(int index, int y) const {
    return plane(index) + static_cast<std::ptrdiff_t>(y) * stride(index);
  }
  [[nodiscard]] std::uint8_t* row(int index, int y) {
    return plane(index) + static_cast<std::ptrdiff_t>(y) * stride(index);
  }

  /// Repeats the last column and row into the padding, so that an encoder mixes nothing strange into the last samples.
  void pad_edges();
  /// Luma alone, from now on.
  void drop_chroma();

 private:
  Layout layout_;
  std::array<std::vector<std::uint8_t>, 3> planes_;
};

}  // namespace fp::jpeg
