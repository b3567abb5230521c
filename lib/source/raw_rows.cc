#include "source/raw_rows.h"

#include <algorithm>
#include <cstring>

// Arithmetic in 16 bits: 149/128 is 255/219 and 146/128 is 255/224, to a third of a step.
namespace fp::raw_rows {
namespace {

inline std::uint8_t stretch_luma(std::uint8_t value) {
  const auto above = static_cast<std::uint16_t>(std::max<std::uint16_t>(value, 16) - 16);
  return static_cast<std::uint8_t>(
      std::min<std::uint16_t>(static_cast<std::uint16_t>((above * 149u + 64u)) >> 7, std::uint16_t{255}));
}
inline std::uint8_t stretch_chroma(std::uint8_t value) {
  const auto apart = static_cast<std::int16_t>(static_cast<std::int16_t>(value) - 128);
  const auto wide = static_cast<std::int16_t>(static_cast<std::int16_t>(apart * 146 + 64) >> 7);
  return static_cast<std::uint8_t>(std::clamp<std::int16_t>(wide, -128, 127) + 128);
}

template <bool kFullRange, int kLuma>
void unpack_row(const std::uint8_t* __restrict from, std::uint8_t* __restrict luma, std::uint8_t* __restrict first,
                std::uint8_t* __restrict second, int pairs) {
  for (int i = 0; i < 2 * pairs; ++i) {
    luma[i] = kFullRange ? from[2 * i + kLuma] : stretch_luma(from[2 * i + kLuma]);
  }
  for (int i = 0; i < pairs; ++i) {
    first[i] = kFullRange ? from[4 * i + 1 - kLuma] : stretch_chroma(from[4 * i + 1 - kLuma]);
    second[i] = kFullRange ? from[4 * i + 3 - kLuma] : stretch_chroma(from[4 * i + 3 - kLuma]);
  }
}

}  // namespace

void luma(const std::uint8_t* __restrict from, std::uint8_t* __restrict to, int count, bool full_range) {
  if (full_range) return (void)std::memcpy(to, from, static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) to[i] = stretch_luma(from[i]);
}

void chroma(const std::uint8_t* __restrict from, std::uint8_t* __restrict to, int count, bool full_range) {
  if (full_range) return (void)std::memcpy(to, from, static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) to[i] = stretch_chroma(from[i]);
}

void split(const std::uint8_t* __restrict from, std::uint8_t* __restrict first, std::uint8_t* __restrict second,
           int count, bool full_range) {
  if (full_range) {
    for (int i = 0; i < count; ++i) {
      first[i] = from[2 * i];
      second[i] = from[2 * i + 1];
    }
    return;
  }
  for (int i = 0; i < count; ++i) {
    first[i] = stretch_chroma(from[2 * i]);
    second[i] = stretch_chroma(from[2 * i + 1]);
  }
}

void unpack(const std::uint8_t* from, std::uint8_t* luma, std::uint8_t* first, std::uint8_t* second, int pairs,
            bool chroma_first, bool full_range) {
  if (chroma_first) {
    return full_range ? unpack_row<true, 1>(from, luma, first, second, pairs)
                      : unpack_row<false, 1>(from, luma, first, second, pairs);
  }
  return full_range ? unpack_row<true, 0>(from, luma, first, second, pairs)
                    : unpack_row<false, 0>(from, luma, first, second, pairs);
}

}  // namespace fp::raw_rows
