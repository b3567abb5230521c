// YUV4MPEG2 from a descriptor: what ffmpeg, mplayer and others write as raw video.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/report.h"
#include "frame/producer.h"
#include "frame/skips.h"
#include "source/encode_pool.h"

namespace fp {

/// Reads YUV4MPEG2 (the format of mjpegtools' yuv4mpeg(5)): 8 bits, C420 of any siting, C422, C444, Cmono; sides up to
/// 16384. Limited range unless XCOLORRANGE=FULL. Where a FRAME line should stand and does not, the bytes up to the next
/// one are skipped and counted.
///
/// Live, of the pictures that have arrived only the newest is encoded; with every_frame, or from a regular file, each
/// one. Never blocks for long: reads what is there. Memory: two raw pictures. Interlaced pictures pass as they are.
class Y4m final : public Producer {
 public:
  struct Options {
    int quality_percent = 80;
    bool every_frame = false;
    std::size_t max_frame_bytes = 32u << 20;  ///< of a raw picture
  };
  /// `fd` is borrowed; its O_NONBLOCK is left alone.
  Y4m(int fd, std::string name, Options options, const Clock& clock, Report report);

  [[nodiscard]] Wait wait() const override;
  [[nodiscard]] FramePtr advance() override;
  [[nodiscard]] bool ended() const override { return ended_; }
  [[nodiscard]] std::uint64_t superseded() const override { return superseded_; }

  /// Why it has ended, when that was not just the end of the stream.
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  [[nodiscard]] bool in_order() const { return options_.every_frame; }
  [[nodiscard]] const Skips& skips() const { return skips_; }

 private:
  enum class State { Head, Line, Picture };
  bool parse();  // false: more bytes are needed
  bool read_head(std::string_view line);
  void refuse(std::string why);
  void consume(std::size_t bytes) { begin_ += bytes; }
  [[nodiscard]] std::size_t have() const { return end_ - begin_; }
  FramePtr encode_picture();

  int fd_;
  std::string name_;
  Options options_;
  const Clock* clock_;
  SkipReporter skip_reporter_;
  RawEncoder encoder_;
  State state_ = State::Head;
  RawLayout layout_;
  std::size_t picture_bytes_ = 0;
  Buffer buffer_;  // with what has come in [begin_, end_)
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  Buffer picture_;  // the newest whole one
  bool picture_waits_ = false;
  WallTime arrived_;
  bool in_junk_ = false;
  bool at_end_ = false;
  bool ended_ = false;
  std::uint64_t sequence_ = 0;
  std::uint64_t picture_sequence_ = 0;
  std::uint64_t superseded_ = 0;
  Skips skips_;
  std::optional<Error> error_;
};

}  // namespace fp
