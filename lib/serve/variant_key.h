// Which variant of a camera's pictures a viewer asks for.
#pragma once

#include <compare>
#include <string>

#include "jpeg/converter.h"

namespace fp {

/// 0 is what was not asked for. Ordered, so that equal wishes find each other.
struct VariantKey {
  static constexpr int kLeastSide = 16;
  static constexpr int kMostSide = 8192;

  int quality_percent = 0;  ///< 1 to 100; 0: as it comes, or jpeg::Converter::kDefaultQuality where the size changes
  int width_px = 0;         ///< kLeastSide to kMostSide, or 0
  int height_px = 0;        ///< likewise
  bool half = false;        ///< half as wide and half as high as all that makes it
  friend auto operator<=>(const VariantKey&, const VariantKey&) = default;

  /// Nothing was asked for: the camera's own pictures.
  [[nodiscard]] bool nothing() const { return *this == VariantKey{}; }
  /// For people and metrics: "q80", "w640", "q30w640h480half"; "" when nothing() holds.
  [[nodiscard]] std::string name() const;
  /// What becomes of a picture of this size. One side alone keeps the proportions; no side ever grows, so that no page
  /// can make the server paint pictures that no camera took.
  [[nodiscard]] jpeg::Wishes wishes(jpeg::Size picture) const;
};

}  // namespace fp
