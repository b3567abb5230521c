// The networks and cases that tests/support/networks.py has made.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace fp::test {

/// $FP_NETWORKS, which ctest sets to where its fixture has put them.
inline std::filesystem::path networks() {
  const char* const folder = std::getenv("FP_NETWORKS");
  if (folder == nullptr)
    throw std::runtime_error("FP_NETWORKS: not set: the folder that tests/support/networks.py filled");
  return folder;
}

}  // namespace fp::test
