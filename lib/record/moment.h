// Places in time within a recording, as --from and --to name them.
#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"

namespace fp::record {

/// A time of the clock, or one after the first frame.
struct Moment {
  std::optional<WallTime> at;
  std::chrono::milliseconds after{0};

  [[nodiscard]] WallTime in(WallTime first) const { return at ? *at : first + after; }
};

/// "2026-11-21", "2026-11-21T14:03", "2026-11-21 14:03:59.25", each with Z or an offset ("+01:00") behind or, without,
/// in UTC or, when `local`, in this machine's zone (ISO 8601); "1763688000.5", seconds since the epoch; "+10m",
/// "+1.5h", after the first frame. Nothing for anything else.
[[nodiscard]] std::optional<Moment> parse_moment(std::string_view text, bool local);

}  // namespace fp::record
