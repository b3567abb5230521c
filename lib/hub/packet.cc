#include "hub/packet.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>

namespace fp {
namespace {

constexpr std::size_t kLargestPipe = 1u << 30;

}  // namespace

std::array<iovec, 3> Packet::pieces(std::size_t begin, std::size_t end) const {
  const std::array<iovec, 3> all = {iovec{const_cast<char*>(header_.data()), header_.size()},
                                    {const_cast<std::uint8_t*>(frame_->jpeg.data()), frame_->jpeg.size()},
                                    {const_cast<char*>(tail_.data()), tail_.size()}};
  std::array<iovec, 3> cut{};
  std::size_t at = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::size_t from = std::clamp(begin, at, at + all[i].iov_len) - at;
    const std::size_t to = std::clamp(end, at, at + all[i].iov_len) - at;
    if (to > from) cut[i] = {static_cast<char*>(all[i].iov_base) + from, to - from};
    at += all[i].iov_len;
  }
  return cut;
}

Pipe Pipe::with_capacity(std::size_t bytes) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return {};
  Pipe pipe{Fd(ends[0]), Fd(ends[1]), 0};
  const int capacity = ::fcntl(pipe.write_end.get(), F_SETPIPE_SZ, static_cast<int>(std::min(bytes, kLargestPipe)));
  if (capacity < 0 || static_cast<std::size_t>(capacity) < bytes) return {};
  pipe.capacity_bytes = static_cast<std::size_t>(capacity);
  return pipe;
}

int Packet::pipe() const {
  if (pipe_.read_end || pipe_failed_) return pipe_.read_end.get();
  const std::size_t size = header_.size() + frame_->jpeg.size() + tail_.size();
  Pipe pipe = Pipe::with_capacity(size);
  const auto parts = pieces(0, size);
  pipe_failed_ = !pipe.write_end || ::writev(pipe.write_end.get(), parts.data(), static_cast<int>(parts.size())) !=
                                        static_cast<ssize_t>(size);
  if (!pipe_failed_) pipe_ = std::move(pipe);
  return pipe_.read_end.get();
}

bool Relay::take_up(const Packet& packet, Packet::Range range) {
  const int from = packet.pipe();
  if (from < 0) return false;
  if (pipe_.capacity_bytes < range.end) pipe_ = Pipe::with_capacity(range.end + range.end / 4);
  if (!pipe_.write_end) return false;
  if (::tee(from, pipe_.write_end.get(), range.end, SPLICE_F_NONBLOCK) != static_cast<ssize_t>(range.end)) return false;
  // What stands in front of the range: the header with the length, a few hundred bytes.
  std::array<char, 4096> skipped;  // NOLINT(cppcoreguidelines-pro-type-member-init): thrown away
  for (std::size_t left = range.begin; left > 0;) {
    const ssize_t got = ::read(pipe_.read_end.get(), skipped.data(), std::min(left, skipped.size()));
    if (got <= 0) return false;
    left -= static_cast<std::size_t>(got);
  }
  return true;
}

int Relay::load(const Packet& packet, Packet::Range range) {
  if (take_up(packet, range)) return pipe_.read_end.get();
  discard();
  return -1;
}

void Relay::discard() { pipe_ = Pipe(); }

}  // namespace fp
