// One file of a recording while it is written.
#pragma once

#include <optional>
#include <string>

#include "base/fd.h"
#include "base/result.h"
#include "frame/frame.h"
#include "record/matroska.h"

namespace fp::record {

/// The files of a segment "a/b.mjpeg" while it is open: "a/.b.mjpeg.part" and "a/.b.mjpeg.index.part".
[[nodiscard]] std::string part_of(const std::string& path);
/// "a/b.mjpeg.index" of "a/.b.mjpeg.index.part"; "" for a name that is no such.
[[nodiscard]] std::string whole_of(const std::string& part);

/// Writes frames as the stream has them, headers too, or into Matroska where the name ends in ".mkv", under a hidden
/// name, and gives the file its own name when it is whole.
///
/// What add() has written survives the end of the process, and what sync() has written the end of power. The index
/// gets its name first, so whatever bears the name of a segment has its index. While it is open the index is locked
/// with flock(2), by which the Mender knows that somebody is at work. A segment that is destroyed unfinished stays as
/// it is, for the Mender.
///
/// Blocks for as long as the disk does. One thread. Memory: the index of what was not synced yet.
class Segment {
 public:
  /// Makes the folders of `name` below `folder`. Where the name is taken, "_2", "_3", ... is put into it.
  /// Errors: Io, with sys ENOSPC or EDQUOT for a full disk; nothing is left behind then.
  [[nodiscard]] static Result<Segment> begin(const std::string& folder, const std::string& name);

  Segment(Segment&&) = default;
  Segment& operator=(Segment&&) = default;
  ~Segment() = default;

  /// Whether the file can take this frame: one of Matroska has pictures of one size, that of the first.
  [[nodiscard]] bool fits(const Frame& frame) const;
  /// One that fits. After an error the file holds what it held before, and the frame may be tried again.
  Result<Done> add(const Frame& frame);
  /// Errors: Io; what was not synced will be the next time.
  Result<Done> sync();
  /// Gives it its name and returns that; call nothing else afterwards. After an error it may be tried again.
  [[nodiscard]] Result<std::string> finish();

  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }  ///< up to the last frame, without the index
  [[nodiscard]] std::uint64_t frames() const { return frames_; }

 private:
  Segment() = default;
  static Result<bool> claim(Segment& segment, const std::string& folder, const std::string& name);
  Result<Done> put(const matroska::Around& around, ByteView jpeg);
  Result<std::uint64_t> end_film();
  Result<Done> flush_index();

  std::string folder_;
  std::string name_;  // relative to folder_
  Fd file_;
  Fd index_;
  std::uint64_t bytes_ = 0;
  std::uint64_t frames_ = 0;
  std::optional<matroska::Film> film_;  // of Matroska, from the first frame on
  std::string lines_;                   // of the index, and not in its file yet
  std::uint64_t index_bytes_ = 0;
  bool ended_ = false;    // the index has its last line
  std::string index_as_;  // the name that the index has got
};

}  // namespace fp::record
