// Recorded frames, at the pace at which they were recorded.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/report.h"
#include "frame/producer.h"
#include "record/moment.h"
#include "record/recordings.h"
#include "record/segment_reader.h"

namespace fp::record {

/// Gives the frames of some recordings one after the other, each as it was recorded: two plays give the same. Between
/// two frames it waits for as long as lay between their X-Timestamps, and not at all where those go back. Whoever comes
/// late gets what is due at once; more than a second late, the rest is played that much later.
///
/// A recording that is damaged gives what is whole in it; what is skipped is reported. Reading blocks for as long as
/// the disk does. One thread. Memory: two frames, and the index of a recording while a place in it is looked for.
class Player final : public Producer {
 public:
  struct Options {
    double speed = 1;  ///< 0: as fast as they are taken
    std::optional<Moment> from = {};
    std::optional<Moment> to = {};  ///< a recording is played up to its first frame of that time or later
    bool loop = false;
    bool now = false;                         ///< X-Timestamp is when a frame is given, X-Sequence counts on from 0
    std::chrono::milliseconds max_gap{2000};  ///< a longer one between two recordings is shortened to this
    std::size_t max_frame_bytes = SegmentReader::kMostFrameBytes;
    OpenBlocks foreign = {};  ///< for Matroska of others
  };
  /// Reads up to the first frame. `clock` must live as long. Errors: Io (no recording can be read); Malformed (no frame
  /// between `from` and `to`). One of several recordings that cannot be read is reported and passed over.
  [[nodiscard]] static Result<Player> open(std::vector<Recording> recordings, Options options, const Clock& clock,
                                           Report report);

  [[nodiscard]] Wait wait() const override;
  [[nodiscard]] FramePtr advance() override;
  [[nodiscard]] bool ended() const override { return !next_; }
  [[nodiscard]] std::uint64_t superseded() const override { return 0; }

  [[nodiscard]] std::uint64_t given() const { return given_; }
  /// When the frame that was given last was captured.
  [[nodiscard]] WallTime position() const { return position_; }

 private:
  Player(std::vector<Recording> recordings, Options options, const Clock& clock, Report report);
  [[nodiscard]] Result<std::optional<WallTime>> first_frame() const;
  void read_next();
  bool read_one();
  bool open_recording();
  void close_recording();
  [[nodiscard]] Place place_of(const std::string& path) const;
  [[nodiscard]] bool outside(const Extent& extent) const;
  void schedule(WallTime captured);

  std::vector<Recording> recordings_;
  Options options_;
  const Clock* clock_;
  Report report_;
  std::optional<WallTime> from_;
  std::optional<WallTime> to_;
  std::size_t at_ = 0;  // of recordings_: the one that is open, or the next
  std::optional<SegmentReader> reader_;
  FramePtr next_;
  SteadyTime due_{};
  WallTime position_{};
  bool new_recording_ = false;  // next_ is the first of one
  bool round_ = false;          // next_ is the first of a new round through all of them
  bool gave_frame_ = false;     // in this round
  std::uint64_t given_ = 0;
};

}  // namespace fp::record
