#pragma once

#include <cstdint>
#include <string>

#include "common/stamp.h"

namespace fp::bench {

/// A JPEG that can be stamped at no cost: the checksum of what follows the stamp is taken once.
struct Picture {
  std::string body;  ///< the JPEG without its SOI
  std::uint32_t crc = 0;

  /// Length of the stamped JPEG.
  std::size_t stamped_bytes() const { return kStampedHeadBytes + body.size(); }
};

/// Throws std::runtime_error where the file cannot be read or is no whole JPEG.
Picture load_picture(const std::string& path);

}  // namespace fp::bench
