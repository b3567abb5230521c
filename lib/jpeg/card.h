// The card that is shown where there is no picture.
#pragma once

#include <string>
#include <vector>

#include "jpeg/picture.h"

namespace fp::jpeg {

/// A dark card with `title` in large letters and `lines` below, centred, in the largest size that fits.
[[nodiscard]] Picture draw_card(Size size, const std::string& title, const std::vector<std::string>& lines);

}  // namespace fp::jpeg
