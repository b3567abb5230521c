#include "jpeg/planes.h"

#include <cassert>
#include <cstring>

namespace fp::jpeg {
namespace {

int rounded_up(int value, int divisor) { return (value + divisor - 1) / divisor * divisor; }

}  // namespace

int chroma_divisor_x(Sampling sampling) {
  switch (sampling) {
    case Sampling::Yuv422:
    case Sampling::Yuv420:
      return 2;
    case Sampling::Yuv411:
      return 4;
    case Sampling::Yuv444:
    case Sampling::Gray:
    case Sampling::Yuv440:
      break;
  }
  return 1;
}

int chroma_divisor_y(Sampling sampling) { return sampling == Sampling::Yuv420 || sampling == Sampling::Yuv440 ? 2 : 1; }

Size mcu_of(Sampling sampling) { return {8 * chroma_divisor_x(sampling), 8 * chroma_divisor_y(sampling)}; }

bool within_limits(Size size) {
  return size.width_px >= 1 && size.width_px <= kMaxSide && size.height_px >= 1 && size.height_px <= kMaxSide &&
         std::int64_t{size.width_px} * size.height_px <= kMaxPixels;
}

Size Planes::Layout::padded(int index) const {
  const int across = chroma_divisor_x(sampling);
  const int down = chroma_divisor_y(sampling);
  const Size luma{rounded_up(size.width_px, across), rounded_up(size.height_px, down)};
  return index == 0 ? luma : Size{luma.width_px / across, luma.height_px / down};
}

Planes::Planes(Size size, Sampling sampling) : layout_{size, sampling} {
  assert(within_limits(size));
  for (int index = 0; index < count(); ++index) {
    const Size all = layout_.padded(index);
    planes_[static_cast<std::size_t>(index)].resize(static_cast<std::size_t>(all.width_px) *
                                                    static_cast<std::size_t>(all.height_px));
  }
}

void Planes::pad_edges() {
  for (int index = 0; index < count(); ++index) {
    const Size shown = layout_.shown(index);
    const Size all = layout_.padded(index);
    for (int y = 0; y < shown.height_px && shown.width_px < all.width_px; ++y) {
      std::uint8_t* const end = row(index, y) + shown.width_px;
      std::memset(end, end[-1], static_cast<std::size_t>(all.width_px - shown.width_px));
    }
    for (int y = shown.height_px; y < all.height_px; ++y) {
      std::memcpy(row(index, y), row(index, shown.height_px - 1), static_cast<std::size_t>(all.width_px));
    }
  }
}

void Planes::drop_chroma() {
  if (sampling() == Sampling::Gray) return;
  // Luma of an odd size has padding that a gray picture has not.
  Planes gray(size(), Sampling::Gray);
  for (int y = 0; y < size().height_px; ++y) {
    std::memcpy(gray.row(0, y), row(0, y), static_cast<std::size_t>(size().width_px));
  }
  *this = std::move(gray);
}

}  // namespace fp::jpeg
