// Does the entropy-coded data of a picture decode? A walk over the segments cannot tell.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace fp::jpeg {

/// Decodes the Huffman codes of a picture (ITU-T T.81 annex F.2.2) and nothing more: no coefficient is kept. USB
/// cameras deliver pictures with bytes lost or falsified on the way as if they were good.
///
/// Damaged: a code that is not in its table, a block of more than 64 coefficients, a mean (DC) that no picture has,
/// data that ends before the last block or goes on behind it (zero bytes excepted), a restart marker out of turn. Bytes
/// that happen to decode to as many blocks as were there before are not noticed by anybody.
///
/// Keeps the tables of the picture before, which are the same in each frame of a camera. One thread.
class ScanCheck {
 public:
  enum class Verdict {
    Whole,
    Damaged,
    Unknown,  ///< not sequential Huffman coding of 8 bits in one scan: not looked at
  };
  /// `jpeg` must have been walked (SOI to EOI, segments whole, Huffman tables in).
  [[nodiscard]] Verdict check(ByteView jpeg);

 private:
  static constexpr int kIndexBits = 12;
  // What to do at twelve bits, in one word: bits to be skipped in the lowest byte (codes and what belongs to them; 0:
  // look closer), coefficients to be advanced in the next, kEnd in addition where the block ends.
  using Step = std::uint32_t;
  static constexpr Step kEnd = 128;
  struct Table {
    std::vector<std::uint8_t> definition;                // of the DHT segment
    std::array<std::int32_t, 17> last_code{};            // by length; -1: none
    std::array<std::int32_t, 17> first_value{};          // index of a length's first value, less its first code
    std::array<std::uint8_t, 256> values{};              //
    std::array<std::uint8_t, 1 << kIndexBits> length{};  // of the code that these bits begin with; 0: longer
    std::array<std::uint8_t, 1 << kIndexBits> symbol{};
    std::array<Step, 1 << kIndexBits> steps{};  // AC: as many symbols as these bits hold
  };
  struct Component {
    std::uint8_t id = 0;
    int blocks = 0;  // in an MCU
    int quantiser = 1;
    int width_factor = 1;
    int height_factor = 1;
    std::uint8_t quantisation_table = 0;
    const Table* dc = nullptr;
    const Table* ac = nullptr;
    int mean = 0;
  };
  class Bits;

  bool read_segments(ByteView jpeg, std::size_t& scan);
  bool read_tables(ByteView payload);
  bool read_frame(ByteView payload);
  bool read_scan(ByteView payload);
  static void build(Table& table, bool ac);
  static bool decode_block(Bits& bits, Component& component);
  [[nodiscard]] bool decode(ByteView data);

  std::array<Table, 8> tables_;        // DC 0 to 3, AC 0 to 3; without a definition: not there yet
  std::array<int, 4> quantisers_{};    // of the DC coefficient
  std::vector<Component> components_;  // of the frame, then in the order of the scan
  int width_px_ = 0;
  int height_px_ = 0;
  int restart_interval_mcus_ = 0;
};

}  // namespace fp::jpeg
