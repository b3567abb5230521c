#include "jpeg/caption.h"

#include <algorithm>
#include <cstring>

namespace fp::jpeg {
namespace {

constexpr Colour kBox{28, 128, 128};
constexpr Colour kInk{235, 128, 128};
// Whole chroma samples of every sampling, so that the box has sharp edges.
constexpr int kGrid = 4;

int on_grid(int value) { return value / kGrid * kGrid; }

Picture draw_box(std::string_view line, int dot, Size limit) {
  // A cell is six dots wide and the last one of them empty: so is the first one, then.
  const int width = Picture::text_width_px(line, dot) + 3 * dot;
  const int height = 11 * dot;
  const auto rounded = [](int value) { return (value + kGrid - 1) / kGrid * kGrid; };
  Picture box({std::min(rounded(width), limit.width_px), std::min(rounded(height), limit.height_px)});
  box.fill(0, 0, box.size().width_px, box.size().height_px, kBox);
  box.text(2 * dot, 2 * dot, dot, kInk, line);
  return box;
}

// The box is gray: its luma is copied, and chroma is made neutral.
void put(const Picture& box, int x, int y, Planes& planes) {
  const auto width = static_cast<std::size_t>(box.size().width_px);
  for (int row = 0; row < box.size().height_px; ++row) {
    std::memcpy(planes.row(0, y + row) + x, box.plane(0) + static_cast<std::ptrdiff_t>(row) * box.stride(0), width);
  }
  const int across = chroma_divisor_x(planes.sampling());
  const int down = chroma_divisor_y(planes.sampling());
  for (int index = 1; index < planes.count(); ++index) {
    const Size shown = planes.layout().shown(index);
    const int left = x / across;
    const int right = std::min((x + box.size().width_px + across - 1) / across, shown.width_px);
    const int bottom = std::min((y + box.size().height_px + down - 1) / down, shown.height_px);
    for (int row = y / down; row < bottom; ++row) {
      std::fill(planes.row(index, row) + left, planes.row(index, row) + right, std::uint8_t{128});
    }
  }
}

}  // namespace

void draw_caption(Planes& planes, std::string_view line, Corner corner) {
  if (line.empty()) return;
  const Size size = planes.size();
  // No picture holds more letters than that, and arithmetic stays within int.
  line = line.substr(0, static_cast<std::size_t>(size.width_px) / 6 + 2);
  const int cells = Picture::text_width_px(line, 1) + 3;
  const int dot = std::max(1, std::min(size.height_px / 240, size.width_px / cells));
  const Picture box = draw_box(line, dot, size);
  const bool right = corner == Corner::TopRight || corner == Corner::BottomRight;
  const bool bottom = corner == Corner::BottomLeft || corner == Corner::BottomRight;
  const int x = right ? on_grid(size.width_px - box.size().width_px) : 0;
  const int y = bottom ? on_grid(size.height_px - box.size().height_px) : 0;
  put(box, x, y, planes);
  planes.pad_edges();
}

}  // namespace fp::jpeg
