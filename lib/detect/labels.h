// The names of a network's classes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace fp::detect {

using Labels = std::vector<std::string>;

/// One name a line, the first for class 0; blanks around them and blank lines at the end do not count. Errors: Io;
/// Malformed with the line (not UTF-8, over 256 bytes, an empty one in the middle, more than 65536 of them).
[[nodiscard]] Result<Labels> read_labels(const std::string& path);

/// What Ultralytics' exports say under "names": a Python dict in text, {0: 'person', 1: "driver's mirror"}. Empty when
/// it is anything else, or has a gap.
[[nodiscard]] Labels parse_names(std::string_view text);

}  // namespace fp::detect
