// Times and sizes as --segment and --keep take them: "10m", "500M", "7d,50G".
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace fp::record {

/// Whichever is reached first; nothing: no such limit.
struct Limits {
  std::optional<std::chrono::milliseconds> time;
  std::optional<std::uint64_t> bytes;
};

/// "1500ms", "15s", "10m", "1.5h", "7d": at most ten thousand days. Nothing for anything else.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_time(std::string_view text);
/// "500M", "50G", "1.5T", also with B or iB behind: powers of 1024, at most 2^60. Nothing for anything else.
[[nodiscard]] std::optional<std::uint64_t> parse_size(std::string_view text);

/// A time, a size, or both with a comma between them. The case tells them apart: 10m is minutes, 10M is bytes. Errors:
/// Unsupported.
[[nodiscard]] Result<Limits> parse_limits(std::string_view text);

}  // namespace fp::record
