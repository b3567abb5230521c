// Which of two file names is the newer one.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"

namespace fp {

/// Compares as people count: digits by their value, so that frame_10 comes after frame_9. Negative, 0 or positive.
[[nodiscard]] int compare_natural(std::string_view a, std::string_view b);

/// The time in a file name, wherever it stands: a date with time of day ("2025-11-21_14-03-59.250", "20251121T140359Z",
/// with any of - _ : . T or a space between; local time unless Z follows), or seconds, milliseconds, microseconds or
/// nanoseconds since the epoch (10, 13, 16 or 19 digits; seconds with a fraction too). Nothing when there is none.
[[nodiscard]] std::optional<WallTime> time_in_name(std::string_view name);

}  // namespace fp
