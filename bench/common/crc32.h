#pragma once

#include <cstdint>
#include <string_view>

namespace fp::bench {

/// CRC-32 as in zlib and PNG.
std::uint32_t crc32(std::string_view bytes);

}  // namespace fp::bench
