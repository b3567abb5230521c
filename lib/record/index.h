// The text file beside a recorded file that says where each frame stands.
//
//   framepipe-index 1
//   0 1763688000.123456 42 porch
//   34712 1763688000.156789 43 porch
//   end 69430
//
// One line a frame: the offset of its part in bytes, X-Timestamp, X-Sequence and, where there is one, X-Camera, which
// may hold spaces. The last line has the size of the file it belongs to: one that is missing, or says another size,
// makes the index worth nothing, and it is built again from the frames.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace fp::record {

inline constexpr std::string_view kIndexHead = "framepipe-index 1\n";

struct IndexEntry {
  std::uint64_t offset = 0;
  WallTime captured;
  std::uint64_t sequence = 0;
  std::string camera;
  friend bool operator==(const IndexEntry&, const IndexEntry&) = default;
};

/// "day.mjpeg.index", the index of "day.mjpeg".
[[nodiscard]] std::string index_of(const std::string& segment);
[[nodiscard]] std::string index_line(const IndexEntry& entry);
[[nodiscard]] std::string index_end(std::uint64_t segment_bytes);
/// What index_line() wrote, without the line end; nothing for anything else.
[[nodiscard]] std::optional<IndexEntry> parse_index_line(std::string_view line);

/// The index beside `segment`, as it stands there. Errors: Io; Malformed (not ours, damaged, or of another size than
/// the segment has); TooLarge (over 256 MiB).
[[nodiscard]] Result<std::vector<IndexEntry>> read_index(const std::string& segment);
/// The same from the frames: reads all of the segment. Errors: Io.
[[nodiscard]] Result<std::vector<IndexEntry>> build_index(const std::string& segment);

/// When a recording begins and ends, and how many bytes it has.
struct Extent {
  WallTime first;
  WallTime last;
  std::uint64_t bytes = 0;
};
/// From the first and the last line of the index, which is cheap for an index of any length. Errors: as read_index();
/// Malformed also when there is no frame.
[[nodiscard]] Result<Extent> read_extent(const std::string& segment);
/// Whether an index of ours stands beside the segment: then frame-record made it.
[[nodiscard]] bool has_index(const std::string& segment);

}  // namespace fp::record
