#include "jpeg/card.h"

#include <algorithm>

namespace fp::jpeg {
namespace {

int fitting_scale(const std::string& line, int width_px, int largest) {
  return std::clamp(width_px / std::max(1, Picture::text_width_px(line, 1)), 1, largest);
}

}  // namespace

Picture draw_card(Size size, const std::string& title, const std::vector<std::string>& lines) {
  Picture card(size);
  const Colour background = Colour::rgb(24, 28, 34);
  const Colour frame = Colour::rgb(70, 80, 94);
  card.fill(0, 0, size.width_px, size.height_px, frame);
  const int border = std::max(2, size.width_px / 160 * 2);
  card.fill(border, border, size.width_px - 2 * border, size.height_px - 2 * border, background);

  const int room = size.width_px * 8 / 10;
  const int large = fitting_scale(title, room, std::max(1, size.height_px / 90));
  int height = 8 * large;
  int small = std::max(1, large / 2);
  for (const std::string& line : lines) small = std::min(small, fitting_scale(line, room, small));
  height += static_cast<int>(lines.size()) * 12 * small;

  int y = (size.height_px - height) / 2;
  const auto centred = [&](const std::string& line, int scale, Colour colour) {
    card.text((size.width_px - Picture::text_width_px(line, scale)) / 2, y, scale, colour, line);
  };
  centred(title, large, Colour::rgb(235, 238, 242));
  y += 8 * large + 6 * small;
  for (const std::string& line : lines) {
    centred(line, small, Colour::rgb(160, 170, 184));
    y += 12 * small;
  }
  return card;
}

}  // namespace fp::jpeg
