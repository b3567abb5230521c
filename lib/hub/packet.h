// One frame as it goes over the wire, shared by all its viewers.
#pragma once

#include <sys/uio.h>

#include <array>
#include <memory>
#include <optional>
#include <string>

#include "base/fd.h"
#include "frame/frame.h"

namespace fp {

/// Both ends of a pipe for pages, non-blocking.
struct Pipe {
  Fd read_end;
  Fd write_end;
  std::size_t capacity_bytes = 0;
  /// Ends of -1 when there is none to be had that holds `bytes`.
  [[nodiscard]] static Pipe with_capacity(std::size_t bytes);
};

/// The bytes of one part in both framings, laid out so that each is one contiguous range:
///
///     [header with Content-Length][JPEG][CRLF][boundary and headers of the next part]
///      `---------- length -----------------'
///                                 `---------- advance ---------------------------'
///
/// In memory until many watch; then copied once into a pipe of its own, from where tee(2) and splice(2) hand its pages
/// to each socket. A page stays with the sockets until it is read, and is never written again. One thread.
class Packet {
 public:
  struct Range {
    std::size_t begin = 0;
    std::size_t end = 0;
  };

  /// `header` is what part_header() made, `next` the boundary and headers of a part without length;
  /// without an `origin` it is the index.
  Packet(FramePtr frame, std::string header, const std::string& next, std::uint64_t index,
         std::optional<std::uint64_t> origin = std::nullopt)
      : frame_(std::move(frame)),
        header_(std::move(header)),
        tail_("\r\n" + next),
        index_(index),
        origin_(origin.value_or(index)) {}
  Packet(const Packet&) = delete;
  Packet& operator=(const Packet&) = delete;

  [[nodiscard]] const Frame& frame() const { return *frame_; }
  [[nodiscard]] const FramePtr& frame_ptr() const { return frame_; }
  /// Counts what a hub published, cards included: the difference of two is how many frames lie between.
  [[nodiscard]] std::uint64_t index() const { return index_; }
  /// The index that it had in its camera's own hub: tells which of two is newer, also between a camera's variants.
  [[nodiscard]] std::uint64_t origin() const { return origin_; }
  [[nodiscard]] Range length_range() const { return {0, header_.size() + frame_->jpeg.size() + 2}; }
  [[nodiscard]] Range advance_range() const {
    return {header_.size(), header_.size() + frame_->jpeg.size() + tail_.size()};
  }
  /// The bytes [begin, end) as pieces of memory; empty pieces where there is nothing.
  [[nodiscard]] std::array<iovec, 3> pieces(std::size_t begin, std::size_t end) const;

  /// The read end of a pipe that holds all of it, made at the first call; -1 when the kernel gives none that is large
  /// enough (1 MiB for ordinary users): then pieces() serve. Nobody reads it: it is teed.
  [[nodiscard]] int pipe() const;
  /// Nobody will begin this packet any more. Those who have begun it go on from memory.
  void drop_pipe() const {
    pipe_ = Pipe();
    pipe_failed_ = true;
  }

 private:
  FramePtr frame_;
  std::string header_;
  std::string tail_;
  std::uint64_t index_;
  std::uint64_t origin_;
  mutable Pipe pipe_;
  mutable bool pipe_failed_ = false;  // or dropped: not to be made (again)
};
using PacketPtr = std::shared_ptr<const Packet>;

/// The pipe through which the pages of packets pass on their way to one socket after the other.
class Relay {
 public:
  /// Takes up references to the pages of `range`, which begins at the packet's begin or header. The read end to splice
  /// from, or -1 when it cannot be done; then nothing is left inside.
  [[nodiscard]] int load(const Packet& packet, Packet::Range range);
  /// Throws away what a socket did not take.
  void discard();

 private:
  bool take_up(const Packet& packet, Packet::Range range);
  Pipe pipe_;
};

}  // namespace fp
