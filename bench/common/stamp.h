#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace fp::bench {

/// What the feeder writes into each frame and the viewers read back.
struct Stamp {
  std::int64_t emitted_us = 0;  ///< wall clock
  std::uint32_t number = 0;
  std::uint32_t crc = 0;  ///< CRC-32 of all bytes after the COM segment that holds the stamp
};

/// The first bytes of a stamped JPEG: SOI and one COM segment with the text
/// `FPSTAMP1 <16 hex digits: microseconds> <8: number> <8: crc>`. A COM segment outlives every tool that passes JPEGs
/// on unchanged, which headers of the part do not.
inline constexpr std::size_t kStampTextBytes = 8 + 1 + 16 + 1 + 8 + 1 + 8;
inline constexpr std::size_t kStampedHeadBytes = 2 + 2 + 2 + kStampTextBytes;
using StampedHead = std::array<char, kStampedHeadBytes>;

/// The beginning of this many bytes is enough to find a stamp in.
inline constexpr std::size_t kStampSearchBytes = 128;

StampedHead stamped_head(const Stamp& stamp);

/// The stamp of a JPEG of which `jpeg` is the beginning; none where there is no whole stamp right after SOI.
std::optional<Stamp> read_stamp(std::string_view jpeg);

/// The part of a stamped JPEG that its checksum covers.
inline std::string_view stamped_body(std::string_view jpeg) { return jpeg.substr(kStampedHeadBytes); }

}  // namespace fp::bench
