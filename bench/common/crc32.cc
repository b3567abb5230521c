#include "common/crc32.h"

#include <array>
#include <cstddef>

namespace fp::bench {
namespace {

constexpr std::size_t kSlices = 4;
using Tables = std::array<std::array<std::uint32_t, 256>, kSlices>;

constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t value = 0; value < 256; ++value) {
    std::uint32_t crc = value;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) != 0 ? 0xEDB88320u : 0u);
    tables[0][value] = crc;
  }
  for (std::size_t slice = 1; slice < kSlices; ++slice) {
    for (std::size_t value = 0; value < 256; ++value) {
      const std::uint32_t before = tables[slice - 1][value];
      tables[slice][value] = (before >> 8) ^ tables[0][before & 0xFFu];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

std::uint32_t byte_at(std::string_view bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }

}  // namespace

std::uint32_t crc32(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFFu;
  std::size_t at = 0;
  // Four bytes a step: one a step would cost the load generator more than the copying that it is to measure.
  for (; at + 4 <= bytes.size(); at += 4) {
    crc ^=
        byte_at(bytes, at) | byte_at(bytes, at + 1) << 8 | byte_at(bytes, at + 2) << 16 | byte_at(bytes, at + 3) << 24;
    crc =
        kTables[3][crc & 0xFFu] ^ kTables[2][crc >> 8 & 0xFFu] ^ kTables[1][crc >> 16 & 0xFFu] ^ kTables[0][crc >> 24];
  }
  for (; at < bytes.size(); ++at) crc = (crc >> 8) ^ kTables[0][(crc ^ byte_at(bytes, at)) & 0xFFu];
  return ~crc;
}

}  // namespace fp::bench
