// Does the entropy-coded data of a picture decode? A walk over the segments cannot tell.
#pragma once

#include <array>
#include <cstddef>
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
  static constexpr std::size_t kEntries = std::size_t{1} << kIndexBits;
  // What to do at kIndexBits bits: as many whole codes as they hold, together with what belongs to the codes. From the
  // lowest bit: 6 of bits to be skipped; 7 of coefficients to be advanced, or kLookCloser; 12, signed, of by how much
  // the mean (DC) changes; the highest: the block ends.
  using Step = std::uint32_t;
  struct Table {
    std::vector<std::uint8_t> definition;        // of the DHT segment
    std::uint64_t version = 0;                   // another with each definition
    std::array<std::int32_t, 17> last_code{};    // by length; -1: none
    std::array<std::int32_t, 17> first_value{};  // index of a length's first value, less its first code
    std::array<std::uint8_t, 256> values{};
    std::array<std::uint8_t, kEntries> length{};  // of the code that these bits begin with; 0: longer
    std::array<std::uint8_t, kEntries> symbol{};
  };
  // The beginning of a block depends on two tables.
  struct Pair {
    std::uint64_t dc_version = 0;
    std::uint64_t ac_version = 0;
    friend bool operator==(const Pair&, const Pair&) = default;
  };
  struct Component {
    std::uint8_t id = 0;
    int blocks = 0;  // in an MCU
    int width_factor = 1;
    int height_factor = 1;
    std::uint8_t quantisation_table = 0;
    const Table* dc = nullptr;
    const Table* ac = nullptr;
    std::int32_t most_mean = 0;  // of either sign, in the quantiser's units
    std::uint64_t mean_unit = 0;
    std::size_t first_steps = 0;  // index of the steps at the beginning of a block, in steps_
    std::size_t later_steps = 0;
  };
  // A block's place in the MCU. What is added is counted in bytes, and the size is a power of two: less to compute on
  // the way from one look-up to the next, which is what the time goes into.
  struct alignas(64) Place {
    const std::byte* later_steps = nullptr;
    std::ptrdiff_t change = 0;    // from later_steps to those at the beginning of the next place's block
    std::ptrdiff_t to_next = 0;   // in places
    std::uint64_t mean_unit = 0;  // of its lane in Position::means; 0: nothing to be known
    const Component* component = nullptr;
  };
  struct Position;

  bool read_segments(ByteView jpeg, std::size_t& scan);
  bool read_tables(ByteView payload);
  bool read_frame(ByteView payload);
  bool read_scan(ByteView payload);
  void build_pairs();
  static void build(Table& table);
  static void build_steps(const Table* dc, const Table& ac, Step* steps);
  static Step follow(const Table& ac, std::size_t index, int used, int advance, int difference);
  static int take_symbol(const Table& table, Position& position);
  bool look_closer(Position& position, const Place& place);
  [[nodiscard]] ByteView unstuff(ByteView data);
  [[nodiscard]] bool decode(ByteView data);
  [[nodiscard]] bool decode_interval(std::int64_t blocks);

  std::array<Table, 8> tables_;  // DC 0 to 3, AC 0 to 3; without a definition: not there yet
  std::uint64_t versions_ = 0;
  std::array<Pair, 8> steps_of_;       // what steps_ was made of: AC tables (dc_version 0), then pairs
  std::vector<Step> steps_;            // eight times kEntries
  std::array<int, 4> quantisers_{};    // of the DC coefficient
  std::vector<Component> components_;  // of the frame, then in the order of the scan
  std::vector<Place> places_;
  std::vector<std::uint8_t> plain_;  // of an interval: its bytes without the zeros behind 0xFF, and zeros behind them
  std::size_t plain_bytes_ = 0;
  int width_px_ = 0;
  int height_px_ = 0;
  int restart_interval_mcus_ = 0;
};

}  // namespace fp::jpeg
