#include "source/raw_rows.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace {

using namespace fp;

int exact_luma(int value) { return std::clamp(static_cast<int>(std::lround((value - 16) * 255.0 / 219)), 0, 255); }
int exact_chroma(int value) {
  return std::clamp(static_cast<int>(std::lround((value - 128) * 255.0 / 224)) + 128, 0, 255);
}

// Lengths around those of vectors: what is left over must come out the same.
constexpr int kCounts[] = {1, 7, 8, 9, 15, 16, 17, 31, 33, 256};

std::vector<std::uint8_t> ramp(std::size_t count) {
  std::vector<std::uint8_t> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<std::uint8_t>(i * 37 + i / 256);
  return values;
}

TEST_CASE("raw_rows: luma and chroma are stretched to within a step of the exact value, whatever the length") {
  for (const int count : kCounts) {
    CAPTURE(count);
    const auto from = ramp(static_cast<std::size_t>(count));
    std::vector<std::uint8_t> to(from.size());
    raw_rows::luma(from.data(), to.data(), count, false);
    for (std::size_t i = 0; i < to.size(); ++i) CHECK(std::abs(to[i] - exact_luma(from[i])) <= 1);
    raw_rows::chroma(from.data(), to.data(), count, false);
    for (std::size_t i = 0; i < to.size(); ++i) CHECK(std::abs(to[i] - exact_chroma(from[i])) <= 1);
    raw_rows::luma(from.data(), to.data(), count, true);
    CHECK(to == from);
  }
}

TEST_CASE("raw_rows: black, white and no colour are exact") {
  const std::uint8_t luma[] = {16, 235};
  const std::uint8_t chroma[] = {128};
  std::uint8_t to[2];
  raw_rows::luma(luma, to, 2, false);
  CHECK(static_cast<int>(to[0]) == 0);
  CHECK(static_cast<int>(to[1]) == 255);
  raw_rows::chroma(chroma, to, 1, false);
  CHECK(static_cast<int>(to[0]) == 128);
}

TEST_CASE("raw_rows: pairs come apart, whatever the length") {
  for (const int count : kCounts) {
    for (const bool full_range : {false, true}) {
      CAPTURE(count);
      CAPTURE(full_range);
      const auto size = static_cast<std::size_t>(count);
      const auto from = ramp(2 * size);
      std::vector<std::uint8_t> first(size);
      std::vector<std::uint8_t> second(size);
      raw_rows::split(from.data(), first.data(), second.data(), count, full_range);
      for (std::size_t i = 0; i < size; ++i) {
        CHECK(std::abs(first[i] - (full_range ? from[2 * i] : exact_chroma(from[2 * i]))) <= 1);
        CHECK(std::abs(second[i] - (full_range ? from[2 * i + 1] : exact_chroma(from[2 * i + 1]))) <= 1);
      }
    }
  }
}

TEST_CASE("raw_rows: the mean of two rows, whatever the length") {
  for (const int count : kCounts) {
    CAPTURE(count);
    const auto one = ramp(static_cast<std::size_t>(count));
    std::vector<std::uint8_t> two(one.size(), 101);
    raw_rows::mean(one.data(), two.data(), count);
    for (std::size_t i = 0; i < one.size(); ++i) CHECK(static_cast<int>(two[i]) == (one[i] + 101 + 1) / 2);
  }
}

TEST_CASE("raw_rows: packed pixels come apart, with luma or chroma first, whatever the length") {
  for (const int pairs : kCounts) {
    for (const bool chroma_first : {false, true}) {
      for (const bool full_range : {false, true}) {
        CAPTURE(pairs);
        CAPTURE(chroma_first);
        CAPTURE(full_range);
        const auto size = static_cast<std::size_t>(pairs);
        const auto from = ramp(4 * size);
        std::vector<std::uint8_t> luma(2 * size);
        std::vector<std::uint8_t> first(size);
        std::vector<std::uint8_t> second(size);
        raw_rows::unpack(from.data(), luma.data(), first.data(), second.data(), pairs, chroma_first, full_range);
        const std::size_t y = chroma_first ? 1 : 0;
        const std::size_t c = 1 - y;
        for (std::size_t i = 0; i < size; ++i) {
          const auto exact = [&](std::size_t at, bool is_luma) {
            return full_range ? static_cast<int>(from[at]) : is_luma ? exact_luma(from[at]) : exact_chroma(from[at]);
          };
          CHECK(std::abs(luma[2 * i] - exact(4 * i + y, true)) <= 1);
          CHECK(std::abs(luma[2 * i + 1] - exact(4 * i + 2 + y, true)) <= 1);
          CHECK(std::abs(first[i] - exact(4 * i + c, false)) <= 1);
          CHECK(std::abs(second[i] - exact(4 * i + 2 + c, false)) <= 1);
        }
      }
    }
  }
}

}  // namespace
