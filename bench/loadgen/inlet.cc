#include "loadgen/inlet.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

namespace fp::bench {
namespace {

constexpr std::size_t kLookAheadBytes = 64;      // a chunk's size line has up to ten; more would be copied twice
constexpr std::size_t kMaxChunkLineBytes = 256;  // longer is no chunk at all

}  // namespace

Inlet::Taken Inlet::end(std::string reason) {
  end_reason_ = std::move(reason);
  return {State::kEnd, 0};
}

Inlet::Taken Inlet::receive(char* into, std::size_t most) {
  most = std::min(most, budget_);
  if (drained_ || most == 0) return {};
  const ssize_t got = ::recv(fd_, into, most, into == nullptr ? MSG_TRUNC : 0);
  if (got > 0) {
    const auto bytes = static_cast<std::size_t>(got);
    drained_ = bytes < most;
    received_bytes_ += bytes;
    if (budget_ != kNoLimit) budget_ -= bytes;
    return {State::kData, bytes};
  }
  if (got == 0) return end("closed by server");
  if (errno == EAGAIN || errno == EINTR) return {};
  return end(std::strerror(errno));
}

Inlet::Taken Inlet::take_pending(char* into, std::size_t most) {
  const std::size_t bytes = std::min(most, pending_.size());
  if (into != nullptr) std::copy_n(pending_.data(), bytes, into);
  pending_.erase(0, bytes);
  return {State::kData, bytes};
}

Inlet::Taken Inlet::open_next_chunk() {
  for (;;) {
    // Every chunk but the first has the CRLF of the one before it in front.
    const std::size_t begin = pending_.starts_with("\r\n") ? 2 : 0;
    const std::size_t line_end = pending_.find("\r\n", begin);
    if (line_end != std::string::npos) {
      const char* const first = pending_.data() + begin;
      const auto [stop, error] = std::from_chars(first, pending_.data() + line_end, chunk_left_, 16);
      if (error != std::errc() || stop == first) return end("malformed chunk");
      if (chunk_left_ == 0) return end("closed by server");
      pending_.erase(0, line_end + 2);
      return {State::kData, 0};
    }
    if (pending_.size() > kMaxChunkLineBytes) return end("malformed chunk");
    std::array<char, kLookAheadBytes> ahead{};
    const Taken got = receive(ahead.data(), ahead.size());
    if (got.state != State::kData) return got;
    pending_.append(ahead.data(), got.bytes);
  }
}

Inlet::Taken Inlet::take(char* into, std::size_t most) {
  if (chunked_) {
    if (chunk_left_ == 0) {
      const Taken opened = open_next_chunk();
      if (opened.state != State::kData) return opened;
    }
    most = std::min(most, chunk_left_);
  }
  const Taken got = pending_.empty() ? receive(into, most) : take_pending(into, most);
  if (chunked_) chunk_left_ -= got.bytes;
  return got;
}

}  // namespace fp::bench
