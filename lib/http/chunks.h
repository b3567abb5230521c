// A body that comes in chunks (RFC 9112, section 7.1).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"

namespace fp::http {

/// Takes the chunks' wrapping away. Extensions and trailers are passed over, within bounds; LF does for CRLF. What does
/// not begin with a chunk size at all (a camera that announces chunks and sends none) is handed through as it is.
/// No memory of its own.
class ChunkDecoder {
 public:
  struct Step {
    std::size_t taken = 0;  ///< of the input
    std::size_t given = 0;  ///< written to the output
  };
  /// Goes on until the input is used up, the output is full, or the body has ended.
  Step decode(ByteView in, std::span<std::uint8_t> out);
  [[nodiscard]] bool done() const { return state_ == State::Done; }
  [[nodiscard]] bool bad() const { return state_ == State::Bad; }
  /// So many bytes of data come next: they may be read to where they belong without decode(), and noted here.
  [[nodiscard]] std::uint64_t data_ahead() const { return state_ == State::Data ? left_ : 0; }
  void skip_data(std::uint64_t size);

 private:
  enum class State { First, Size, Extension, Data, DataEnd, Trailer, Done, Bad, Raw };
  void take_wrapping(char c);
  void end_size();

  static constexpr std::size_t kMostWrapping = 16u << 10;  // an extension, or all trailers
  State state_ = State::First;
  std::uint64_t left_ = 0;    // of the chunk in hand
  unsigned digits_ = 0;       // of its size
  std::size_t wrapping_ = 0;  // bytes of extension or trailer
  bool line_empty_ = true;    // the trailer line in hand
};

}  // namespace fp::http
