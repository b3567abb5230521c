// What somebody waits for who has no loop of its own.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace fp {

struct Wait {
  int fd = -1;         ///< -1: only the time
  bool write = false;  ///< wait for writing (a connect under way), else for reading
  std::optional<SteadyTime> until;
  std::uint64_t generation = 0;  ///< another one: `fd` is another open file, although its number may be the same
};

}  // namespace fp
