// The frames of one recorded file, and where in it each of them stands.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "frame/frame.h"
#include "frame/parser.h"
#include "record/block_reader.h"

namespace fp::record {

enum class Container {
  Parts,     ///< of mjpeg-frames(5), or bare JPEGs
  Matroska,  ///< as frame-record writes it
};
/// By the ending of a file's name, ".mkv" or another one: what is written into it.
[[nodiscard]] Container container_of(const std::string& name);

/// Of a frame in a file.
struct Place {
  std::uint64_t offset = 0;  ///< of its part's boundary line, or of its Cluster, in bytes
  std::uint64_t number = 0;  ///< how many frames stand in front of it
};

/// Reads a file in the format of mjpeg-frames(5), as liberally as StreamParser does, or a Matroska file, from its begin
/// or from the place of a frame.
///
/// Frames without X-Timestamp get the times that a Matroska file gives them, or 25 a second, from its date or the
/// file's modification time on, so that two readings of a file give the same. Blocks while it reads. Memory:
/// StreamParser's, and for Matroska one frame more. One thread.
class SegmentReader {
 public:
  static constexpr std::size_t kMostFrameBytes = 1u
                                                 << 30;  ///< what --max-frame-bytes may be; no more than the file has
  /// Looks at the bytes and not at the name. Matroska of others is opened by `foreign`, and read from its begin.
  /// Errors: Io ("open PATH: ..."); Unsupported (no regular file); Malformed (Matroska that cannot be read).
  [[nodiscard]] static Result<SegmentReader> open(const std::string& path, Place from = {},
                                                  std::size_t max_frame_bytes = kMostFrameBytes,
                                                  const OpenBlocks& foreign = {});
  /// The same of an open file of ours, which is read with pread(2) and must stay open.
  explicit SegmentReader(int fd, Place from = {}, std::size_t max_frame_bytes = kMostFrameBytes,
                         Container container = Container::Parts);

  /// The next whole frame; nothing at the end, where a frame that is not whole is counted as truncated. Errors: Io.
  [[nodiscard]] Result<std::optional<Frame>> next();

  /// Of the frame that was given last: where its part begins, and the byte behind its JPEG. What was skipped in front
  /// of it belongs to its part. In Matroska: where its Cluster begins and ends.
  [[nodiscard]] std::uint64_t offset() const { return offset_; }
  [[nodiscard]] std::uint64_t end() const { return end_; }
  /// How long after the begin of a Matroska file that frame is, as that says.
  [[nodiscard]] std::optional<std::chrono::microseconds> time() const { return time_; }
  [[nodiscard]] Skips skips() const;

 private:
  Result<Done> read_bytes();
  Result<Done> read_block();
  void put(ByteView bytes);
  [[nodiscard]] std::uint64_t behind_line_end(std::uint64_t at) const;

  Fd owned_;
  int fd_ = -1;
  StreamParser parser_;
  std::unique_ptr<BlockReader> blocks_;  // of Matroska
  std::optional<std::chrono::microseconds> time_;
  std::uint64_t read_;  // up to this byte of the file
  std::uint64_t number_;
  std::uint64_t offset_ = 0;
  std::uint64_t end_;
  WallTime begun_{};
  bool over_ = false;
};

}  // namespace fp::record
