// Splits a byte stream into frames: the liberal reader of mjpeg-frames(5). No I/O.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "frame/frame.h"
#include "frame/skips.h"
#include "jpeg/walker.h"

namespace fp {

/// How the stream was framed, as far as it has been seen: what frame-stat --doctor explains.
struct Framing {
  enum class Tail { Nothing, Crlf, Boundary, Headers };  ///< what had come behind a JPEG when its writer paused

  bool http_head = false;
  int http_status = 0;
  std::string http_content_type;   ///< the whole header value
  std::string announced_boundary;  ///< its boundary parameter, without quotes
  std::string boundary;            ///< as used in the stream, without the leading "--"
  std::uint64_t parts = 0;
  std::uint64_t bare_jpegs = 0;  ///< that came without any part around them
  std::uint64_t without_length = 0;
  std::uint64_t wrong_length = 0;
  std::uint64_t without_type = 0;
  std::uint64_t lf_only = 0;             ///< parts with a header line that ended in LF alone
  std::uint64_t closing_boundaries = 0;  ///< "--b--" with more behind it
  std::uint64_t no_line_before_boundary = 0;
  std::uint64_t padded = 0;          ///< JPEGs with something between EOI and the next boundary
  std::uint64_t without_tables = 0;  ///< JPEGs without Huffman tables
  std::uint64_t progressive = 0;
  std::uint64_t with_timestamp = 0;
  std::uint64_t with_sequence = 0;
  std::uint64_t tails[4] = {};       ///< by Tail, one for each pause
  std::uint64_t preamble_bytes = 0;  ///< in front of the first boundary or JPEG
};

/// Takes bytes in any portions, gives whole frames, counts what it had to skip.
///
/// Accepts what design and mjpeg-frames(5) list: any boundary, LF for CRLF, an HTTP head first, wrong or missing
/// lengths, bare JPEGs, padding, other parts. The end of a JPEG is found by walking its segments, so a frame is given
/// out with its last byte, whatever follows. Memory: one frame of at most `max_frame_bytes`, plus 192 KiB; frames given
/// out are the caller's. Time: linear in the bytes. One thread.
class StreamParser {
 public:
  static constexpr std::size_t kDefaultMaxFrameBytes = 32u << 20;
  static constexpr std::size_t kMaxHeaderBytes = 64u << 10;

  struct Options {
    std::size_t max_frame_bytes = kDefaultMaxFrameBytes;
    bool strip_control_headers = false;  ///< is_control_header(), of what comes over a network
  };
  explicit StreamParser(Options options) : options_(options) {}

  /// Where to put the next bytes: never empty, valid until the next call of anything here.
  [[nodiscard]] std::span<std::uint8_t> room();
  /// `size` bytes have been put there at `now`.
  void commit(std::size_t size, WallTime now);
  /// The next whole frame. Nothing: more bytes are needed. `captured` and `sequence` are the time of the last commit()
  /// and the count of frames given out where the stream does not say.
  [[nodiscard]] std::optional<Frame> next();
  /// How many of the bytes that have been put there belong to nothing that was given out or skipped yet: right behind a
  /// frame of next(), those behind its EOI.
  [[nodiscard]] std::size_t pending_bytes() const { return end_ - begin_; }
  /// What the head of an HTTP answer said that somebody else has read: for framing().
  void announce(int http_status, std::string content_type);
  /// The stream has ended: what is left unfinished is counted.
  void end();
  /// The writer paused (nothing more to read for now) after next() gave a frame: notes what came behind the JPEG.
  void note_pause();

  [[nodiscard]] const Skips& skips() const { return skips_; }
  [[nodiscard]] const Framing& framing() const { return framing_; }

 private:
  enum class State { Seek, Headers, Body, Tail };
  enum class Step { Again, More };  // More: nothing can be done before more bytes come

  struct Part {
    std::optional<std::uint64_t> length;
    bool has_type = false;
    bool jpeg_type = true;
    bool lf_only = false;
    bool timestamp = false;
    bool sequence = false;
    Frame frame;
  };

  [[nodiscard]] ByteView view() const { return {buffer_.data() + begin_, end_ - begin_}; }
  void consume(std::size_t size);
  void skip_junk(std::size_t size);
  Step seek();
  Step http_head();
  enum class Match { No, Yes, Unsure };
  [[nodiscard]] Match boundary_at(ByteView bytes, std::size_t at, bool line_start) const;
  void boundary_line(std::size_t line_bytes);
  Step headers();
  bool header_line(std::string_view line);
  void x_header(std::string_view name, std::string_view value);
  void headers_done();
  Step body(std::optional<Frame>& out);
  [[nodiscard]] Match boundary_behind(std::size_t at) const;
  [[nodiscard]] std::size_t boundary_inside(std::size_t end) const;
  Step lose_body(Skip reason);
  void emit(std::optional<Frame>& out);
  Step tail();
  void to_seek(bool line_start);

  Options options_;
  Buffer buffer_;
  std::size_t begin_ = 0;       // of what has not been parsed
  std::size_t end_ = 0;         // of what has been read
  std::size_t hint_bytes_ = 0;  // how much the last frame took
  WallTime now_{};

  State state_ = State::Seek;
  bool started_ = false;      // anything but white space has been seen
  bool line_start_ = true;    // view() begins at the start of a line, as far as boundaries go
  bool in_junk_ = false;      // the run of junk has been counted
  bool soi_allowed_ = true;   // seek() may take a bare SOI for a frame
  std::size_t soi_from_ = 0;  // seek() takes no SOI before this offset in view()
  std::size_t searched_ = 0;  // how far view() has been searched in this state
  std::size_t line_ = 0;      // headers(): where the current line begins
  std::string boundary_;
  Part part_;
  bool bare_ = false;          // the body in hand came without a part
  bool over_limit_ = false;    // the last part was refused for its length
  bool length_wrong_ = false;  // the length of the part in hand turned out wrong
  bool gave_frame_ = false;    // since the last note_pause()
  bool behind_frame_ = false;  // nothing has come since the last frame
  bool line_behind_ = false;   // a line end has come behind the last frame
  std::uint64_t tail_left_ = 0;
  bool tail_padding_ = false;
  jpeg::Walker walker_;
  std::uint64_t given_out_ = 0;
  Skips skips_;
  Framing framing_;
};

}  // namespace fp
