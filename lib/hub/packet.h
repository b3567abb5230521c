// One frame as it goes over the wire, shared by all its viewers.
#pragma once

#include <sys/uio.h>

#include <array>
#include <memory>
#include <string>

#include "base/fd.h"
#include "frame/frame.h"

namespace fp {

/// The bytes of one part in both framings, laid out so that each is one contiguous range:
///
///     [header with Content-Length][JPEG][CRLF][boundary and headers of the next part]
///      `---------- length -----------------'
///                                 `---------- advance ---------------------------'
///
/// In memory until many watch; then copied once into a memfd, so that sendfile(2) hands the kernel pages that nobody
/// copies again. A fresh memfd for each packet: its pages stay with the sockets until they are read. One thread.
class Packet {
 public:
  struct Range {
    std::size_t begin = 0;
    std::size_t end = 0;
  };

  /// `header` is what part_header() made, `next` the boundary and headers of a part without length.
  Packet(FramePtr frame, std::string header, const std::string& next, std::uint64_t index)
      : frame_(std::move(frame)), header_(std::move(header)), tail_("\r\n" + next), index_(index) {}
  Packet(const Packet&) = delete;
  Packet& operator=(const Packet&) = delete;

  [[nodiscard]] const Frame& frame() const { return *frame_; }
  [[nodiscard]] const FramePtr& frame_ptr() const { return frame_; }
  /// Counts what a hub published, cards included: the difference of two is how many frames lie between.
  [[nodiscard]] std::uint64_t index() const { return index_; }
  [[nodiscard]] Range length_range() const { return {0, header_.size() + frame_->jpeg.size() + 2}; }
  [[nodiscard]] Range advance_range() const {
    return {header_.size(), header_.size() + frame_->jpeg.size() + tail_.size()};
  }
  /// The bytes [begin, end) as pieces of memory; empty pieces where there is nothing.
  [[nodiscard]] std::array<iovec, 3> pieces(std::size_t begin, std::size_t end) const;

  /// A memfd with all of it, made at the first call; -1 when the kernel has none to give (then pieces() serve).
  [[nodiscard]] int file() const;

 private:
  FramePtr frame_;
  std::string header_;
  std::string tail_;
  std::uint64_t index_;
  mutable Fd file_;
  mutable bool file_failed_ = false;
};
using PacketPtr = std::shared_ptr<const Packet>;

}  // namespace fp
