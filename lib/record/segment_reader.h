// The frames of one recorded file, and where in it each of them stands.
#pragma once

#include <optional>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "frame/frame.h"
#include "frame/parser.h"

namespace fp::record {

/// Of a frame in a file.
struct Place {
  std::uint64_t offset = 0;  ///< of its part's boundary line, in bytes
  std::uint64_t number = 0;  ///< how many frames stand in front of it
};

/// Reads a file in the format of mjpeg-frames(5), as liberally as StreamParser does, from its begin or from the place
/// of a frame.
///
/// Frames without X-Timestamp get times at 25 a second from the file's modification time on, so that two readings of a
/// file give the same. Blocks while it reads. Memory: StreamParser's. One thread.
class SegmentReader {
 public:
  static constexpr std::size_t kMostFrameBytes = 1u
                                                 << 30;  ///< what --max-frame-bytes may be; no more than the file has
  /// Errors: Io ("open PATH: ..."); Unsupported (no regular file).
  [[nodiscard]] static Result<SegmentReader> open(const std::string& path, Place from = {},
                                                  std::size_t max_frame_bytes = kMostFrameBytes);
  /// The same of an open file, which is read with pread(2) and must stay open.
  explicit SegmentReader(int fd, Place from = {}, std::size_t max_frame_bytes = kMostFrameBytes);

  /// The next whole frame; nothing at the end, where a frame that is not whole is counted as truncated. Errors: Io.
  [[nodiscard]] Result<std::optional<Frame>> next();

  /// Of the frame that was given last: where its part begins, and the byte behind its JPEG. What was skipped in front
  /// of it belongs to its part.
  [[nodiscard]] std::uint64_t offset() const { return offset_; }
  [[nodiscard]] std::uint64_t end() const { return end_; }
  [[nodiscard]] const Skips& skips() const { return parser_.skips(); }

 private:
  [[nodiscard]] std::uint64_t behind_line_end(std::uint64_t at) const;

  Fd owned_;
  int fd_ = -1;
  StreamParser parser_;
  std::uint64_t read_;  // up to this byte of the file
  std::uint64_t number_;
  std::uint64_t offset_ = 0;
  std::uint64_t end_;
  WallTime modified_{};
  bool over_ = false;
};

}  // namespace fp::record
