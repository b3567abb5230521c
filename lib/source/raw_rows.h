// The inner loops over one row of an uncompressed picture.
#pragma once

#include <cstdint>

namespace fp::raw_rows {

/// Luma from 16..235 to 0..255 (ITU-R BT.601 to JFIF); a plain copy when it is full range already.
void luma(const std::uint8_t* from, std::uint8_t* to, int count, bool full_range);
/// Chroma from 16..240 to 0..255, around 128.
void chroma(const std::uint8_t* from, std::uint8_t* to, int count, bool full_range);
/// Pairs of chroma samples to two rows of `count` samples.
void split(const std::uint8_t* from, std::uint8_t* first, std::uint8_t* second, int count, bool full_range);
/// `into` becomes the mean of both rows, rounded up.
void mean(const std::uint8_t* other, std::uint8_t* into, int count);
/// Two pixels in four bytes, Y first or (`chroma_first`) chroma first, to rows of 2 * `pairs` and twice `pairs`.
void unpack(const std::uint8_t* from, std::uint8_t* luma, std::uint8_t* first, std::uint8_t* second, int pairs,
            bool chroma_first, bool full_range);

}  // namespace fp::raw_rows
