// Pictures that come over a data channel in pieces.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
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
/// counted as late. At most kMaxOpen pictures are being put together; the oldest gives way. Memory: kMaxOpen times
/// max_bytes at the most, allocated as the pieces come. Not thread-safe.
class Chunks {
 public:
  static constexpr std::size_t kHeaderBytes = 16;
  static constexpr std::size_t kMaxOpen = 4;
  static constexpr std::size_t kMaxPieces = 4096;
  struct Figures {
    std::uint64_t pictures = 0;    ///< whole
    std::uint64_t incomplete = 0;  ///< given up
    std::uint64_t late = 0;        ///< pieces of pictures that were given up, or whole already
    std::uint64_t malformed =
        0;  ///< messages: too short, an index beyond the count, a count that changed, a piece twice
    std::uint64_t too_large = 0;  ///< pictures over the limit; the rest of their pieces is ignored
  };
  explicit Chunks(std::size_t max_bytes) : max_bytes_(max_bytes) {}
  /// A message of the channel; gives the picture that it made whole.
  [[nodiscard]] std::optional<IncomingPicture> add(ByteView message);
  [[nodiscard]] const Figures& figures() const { return figures_; }

 private:
  std::size_t max_bytes_;
  Figures figures_;
};

}  // namespace fp::rtc
