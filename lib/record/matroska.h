// Matroska (RFC 9559) as frame-record writes it.
//
//   EBML header, Segment {
//     SeekHead, Info, Tracks          the head: of one size whatever is in it, so that it is written again at the end
//     Cluster { Timestamp, BlockGroup { Block: the JPEG; BlockAdditions: its X- headers } }     one for each frame
//     Cues                            at the end
//   }
//
// A file that ends anywhere is whole up to its last Cluster: while it grows its Segment has no size, as those that are
// sent live. V_MJPEG defines no BlockAdditional, and players pass over it; ffmpeg -c copy keeps it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "frame/frame.h"

namespace fp::record::matroska {

inline constexpr std::string_view kExtension = ".mkv";
inline constexpr std::string_view kMagic = "\x1A\x45\xDF\xA3";  ///< of every Matroska file
inline constexpr std::string_view kClusterId = "\x1F\x43\xB6\x75";
inline constexpr std::size_t kHeadBytes = 267;  ///< what stands in front of the first Cluster

/// What is in a file is known of it at its end: the times and the places of its frames.
///
/// Times are milliseconds after the first frame. They grow with each frame, also where X-Timestamp does not. Memory: of
/// the Cues at most 1 MiB, however long the file gets: then they are farther apart.
class Film {
 public:
  /// Of a file whose first frame is this, or one that lies so far behind its begin.
  explicit Film(const Frame& frame, std::chrono::milliseconds time = {});

  /// A track has one size.
  [[nodiscard]] bool fits(const Frame& frame) const;
  /// When the next frame is.
  [[nodiscard]] std::chrono::milliseconds time_of(const Frame& frame) const;
  /// A frame of that time stands in a Cluster at this place of the file.
  void added(std::chrono::milliseconds time, std::uint64_t offset);

  /// kHeadBytes for the begin of a file that still grows.
  [[nodiscard]] std::string head() const;
  /// The same of one whose Cues stand at `cues_at`, and end at `end`.
  [[nodiscard]] std::string head(std::uint64_t cues_at, std::uint64_t end) const;
  [[nodiscard]] std::string cues() const;

 private:
  struct Cue {
    std::uint64_t time_ms;
    std::uint64_t offset;
  };
  [[nodiscard]] std::string head_with(std::string_view segment_size, std::optional<std::uint64_t> cues_at) const;

  WallTime begin_;
  std::uint16_t width_px_;
  std::uint16_t height_px_;
  std::optional<std::chrono::milliseconds> last_;
  std::chrono::milliseconds interval_{40};  // between the last two
  std::uint64_t cue_each_ms_ = 1000;
  std::vector<Cue> cues_;
};

/// What stands around a JPEG of so many bytes.
struct Around {
  std::string before;
  std::string behind;
};
/// `headers` are X- lines, each with CRLF.
[[nodiscard]] Around cluster(std::chrono::milliseconds time, std::size_t jpeg_bytes, std::string_view headers);

/// Whether a file that begins so was written here, and not by another muxer since.
[[nodiscard]] bool is_ours(ByteView head);

inline constexpr std::size_t kClusterHeadBytes = 44;  ///< in front of a JPEG
/// A Cluster as cluster() makes it, and nothing else.
struct ClusterHead {
  std::chrono::milliseconds time{};
  std::uint64_t jpeg_bytes = 0;  ///< less than 2^57
  std::uint64_t tail_bytes = 0;  ///< of what is behind the JPEG
  [[nodiscard]] std::uint64_t bytes() const { return kClusterHeadBytes + jpeg_bytes + tail_bytes; }
};
inline constexpr std::size_t kMostTailBytes = 128u << 10;  ///< twice what the headers of a frame may have
[[nodiscard]] std::optional<ClusterHead> parse_cluster_head(ByteView bytes);
/// The headers in what stands behind a JPEG; nothing for anything else.
[[nodiscard]] std::optional<std::string_view> parse_tail(ByteView bytes);
[[nodiscard]] bool begins_cues(ByteView bytes);

}  // namespace fp::record::matroska
