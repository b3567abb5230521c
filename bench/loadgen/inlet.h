#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

namespace fp::bench {

/// The bytes of one response's body as they come from a socket: undoes chunked coding, counts, and keeps to a budget.
/// Borrows the socket, which must not block.
class Inlet {
 public:
  enum class State { kData, kAgain, kEnd };
  struct Taken {
    State state = State::kAgain;
    std::size_t bytes = 0;  ///< at least one with kData
  };

  static constexpr std::size_t kNoLimit = std::numeric_limits<std::size_t>::max();

  explicit Inlet(int fd = -1) : fd_(fd) {}

  /// From here on the body is in chunks (HTTP/1.1 without a length: uvicorn, ffmpeg).
  void expect_chunks() { chunked_ = true; }

  /// Gives back bytes that were read too far; the next take() begins with them.
  void unread(std::string_view bytes) { pending_.insert(0, bytes); }

  /// Takes at most `most` bytes to `into`, or lets the kernel discard them where `into` is null. kEnd: the server
  /// closed or the connection broke; the reason is in end_reason().
  Taken take(char* into, std::size_t most);

  /// The next take() may ask the kernel again. One short read says that the socket is empty; asking once more only to
  /// hear EAGAIN would double the system calls of a thousand viewers.
  void wake() { drained_ = false; }

  /// How many bytes may still be read; kNoLimit by default.
  void set_budget(std::size_t bytes) { budget_ = bytes; }
  std::size_t budget() const { return budget_; }

  std::uint64_t received_bytes() const { return received_bytes_; }
  const std::string& end_reason() const { return end_reason_; }

 private:
  Taken receive(char* into, std::size_t most);
  Taken take_pending(char* into, std::size_t most);
  Taken open_next_chunk();
  Taken end(std::string reason);

  int fd_;
  bool chunked_ = false;
  bool drained_ = false;
  std::size_t chunk_left_ = 0;
  std::size_t budget_ = kNoLimit;
  std::uint64_t received_bytes_ = 0;
  std::string pending_;  // bytes read ahead: the rest after the head, or a chunk's size line
  std::string end_reason_;
};

}  // namespace fp::bench
