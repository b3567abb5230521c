#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace fp::bench {

/// The measured time: [begin_us, end_us) on the wall clock.
struct Window {
  std::int64_t begin_us = 0;
  std::int64_t end_us = 0;
  bool holds(std::int64_t us) const { return us >= begin_us && us < end_us; }
  double seconds() const { return static_cast<double>(end_us - begin_us) / 1e6; }
};

/// What one viewer saw in the measured time.
struct ViewerFigures {
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;  ///< all that was received, heads and framing included
  std::uint64_t checked_frames = 0;
  std::uint64_t bad_frames = 0;
  std::uint64_t unstamped_frames = 0;
  std::uint64_t repeated_frames = 0;
  std::uint64_t order_errors = 0;
  std::uint64_t malformed = 0;  ///< times that bytes came where a part's head should have been
};

/// What a class of viewers (normal, slow, hung) saw.
struct ClassFigures {
  static constexpr std::int64_t kSpanSeconds = 5;

  std::uint64_t requested = 0;
  std::uint64_t connected = 0;  ///< the response's head came (raw: TCP connected)
  std::uint64_t lost = 0;       ///< never connected, or closed by the server before the end
  std::uint64_t starved = 0;    ///< connected to the end without one frame in the measured time
  ViewerFigures sum;
  double fps_mean = 0;  ///< over the viewers that were not lost
  double fps_min = 0;
  std::vector<std::int64_t> ages_us;
  std::vector<std::int64_t> first_frame_us;  ///< from connect() to the first frame, for each viewer that got one
  std::map<std::int64_t, std::int64_t> max_age_by_span;  ///< kSpanSeconds each, by the span's first second
  std::map<std::string, std::uint64_t> lost_reasons;
  std::vector<double> closed_after_s;  ///< since connect(), for each viewer that the server closed
};

/// The value below which `percent` of `values` lie (nearest rank); 0 without values. Reorders `values`.
std::int64_t percentile(std::vector<std::int64_t>& values, double percent);

}  // namespace fp::bench
