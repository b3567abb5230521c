// What a recorder that was killed left behind, made whole.
#pragma once

#include <cstdint>
#include <string>

#include "base/report.h"
#include "base/result.h"

namespace fp::record {

struct Mended {
  std::uint64_t segments = 0;   ///< that have their names now
  std::uint64_t frames = 0;     ///< in them
  std::uint64_t cut_bytes = 0;  ///< behind the last whole frame of each
};

/// Looks through `folder` and the folders in it, down to eight, for segments that nobody writes any more: each is cut
/// to its last whole frame, indexed, and given its name; one without a frame is removed. Touches only what lies beside
/// an index of ours. What cannot be mended is said and left. Reads those segments once. Symbolic links are not
/// followed.
Mended mend(const std::string& folder, const Report& report);

}  // namespace fp::record
