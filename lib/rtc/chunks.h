// Pictures that come over a data channel in pieces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"

namespace fp::rtc {

/// A whole picture as a page sent it: JPEG or PNG by its first bytes, not looked at further.
struct IncomingPicture {
  std::vector<std::uint8_t> bytes;
  std::optional<std::uint32_t> number;  ///< the page's count; nothing for a picture in one message without a header
  std::optional<double> captured_ms;    ///< UNIX time by the page's clock
};

/// Puts pictures together. A message of the data channel is 16 bytes of header, all numbers in network order, and a
/// piece of the picture: the picture's number (32 bits), the piece's index from 0 (16), how many there are (16; 1 to
/// 4096), and when the picture was captured: milliseconds of UNIX time, an IEEE 754 double; 0: not known. A message
/// that begins as a JPEG or a PNG does is a whole picture by itself.
///
/// Newest wins: when a picture is whole, older ones that are not are given up, and their pieces that still come are
/// counted as late. At most kMaxOpen pictures are being put together; the oldest gives way. Numbers up to 64 behind are
/// older, all others newer: a count may wrap, and a page may begin anew. Memory: kMaxOpen times max_bytes at the most,
/// allocated as the pieces come, and one picture more while the pieces of one are joined. Not thread-safe.
class Chunks {
 public:
  static constexpr std::size_t kHeaderBytes = 16;
  static constexpr std::size_t kMaxOpen = 4;
  static constexpr std::size_t kMaxPieces = 4096;
  struct Figures {
    std::uint64_t pictures = 0;    ///< whole
    std::uint64_t incomplete = 0;  ///< given up
    std::uint64_t late = 0;        ///< pieces of pictures that were given up, or whole already
    /// Messages: too short, an index beyond the count, a count that changed, a piece twice.
    std::uint64_t malformed = 0;
    std::uint64_t too_large = 0;  ///< pictures over the limit; the rest of their pieces is ignored
  };
  explicit Chunks(std::size_t max_bytes) : max_bytes_(max_bytes) {}
  /// A message of the channel; gives the picture that it made whole.
  [[nodiscard]] std::optional<IncomingPicture> add(ByteView message);
  [[nodiscard]] const Figures& figures() const { return figures_; }

 private:
  /// A picture that is being put together, or one that was too large: kept without its pieces, to ignore the rest.
  struct Open {
    std::uint32_t number = 0;
    std::optional<double> captured_ms;
    std::vector<std::vector<std::uint8_t>> pieces;  ///< an empty one has not come
    std::size_t have = 0;                           ///< pieces
    std::size_t bytes = 0;
    bool too_large = false;
  };
  Open* find_or_begin(std::uint32_t number, std::size_t count, double captured_ms);
  bool add_piece(Open& open, std::size_t index, std::size_t count, ByteView bytes);  ///< true: that was the last one
  IncomingPicture finish(Open& open);                                                ///< and takes it out of open_
  bool is_late(std::uint32_t number) const;

  std::size_t max_bytes_;
  std::vector<Open> open_;
  std::optional<std::uint32_t> done_with_;  ///< the picture that was whole, or was given up, last
  Figures figures_;
};

}  // namespace fp::rtc
