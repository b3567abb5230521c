#include "serve/variant_key.h"

#include <algorithm>

namespace fp {

std::string VariantKey::name() const {
  std::string text;
  if (quality_percent > 0) text += "q" + std::to_string(quality_percent);
  if (width_px > 0) text += "w" + std::to_string(width_px);
  if (height_px > 0) text += "h" + std::to_string(height_px);
  if (half) text += "half";
  return text;
}

jpeg::Wishes VariantKey::wishes(jpeg::Size picture) const {
  jpeg::Wishes wishes;
  wishes.width_px = std::min(width_px, picture.width_px);
  wishes.height_px = std::min(height_px, picture.height_px);
  wishes.half = half;
  if (quality_percent > 0) wishes.quality_percent = quality_percent;
  return wishes;
}

}  // namespace fp
