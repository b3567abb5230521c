// What frame-stat counts.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/histogram.h"
#include "frame/frame.h"
#include "frame/skips.h"

namespace fp {

/// The figures of one stretch of a stream.
struct Tally {
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;
  std::uint64_t largest_bytes = 0;
  std::uint64_t missing = 0;   ///< sequence numbers that never came
  std::uint64_t gaps = 0;      ///< how often some were missing
  std::uint64_t restarts = 0;  ///< the sequence went back: the source was started again
  std::uint64_t held = 0;      ///< frames that were not live
  Histogram age;
  std::map<std::string, Histogram> hops;  ///< by "camgrab > frame-rate" (on the way) and "frame-rate" (inside)
  Skips skips;
  std::chrono::nanoseconds span{0};
};

/// Measures frames as they come, in stretches: the last one and all of it.
class Meter {
 public:
  explicit Meter(SteadyTime now) : begun_(now), all_begun_(now) {}

  void add(const Frame& frame);
  /// Ends a stretch; `skips` are the input's so far.
  void end_stretch(SteadyTime now, const Skips& skips);

  [[nodiscard]] const Tally& last() const { return last_; }
  [[nodiscard]] const Tally& all() const { return all_; }
  [[nodiscard]] int width_px() const { return width_px_; }
  [[nodiscard]] int height_px() const { return height_px_; }

 private:
  void add_hops(const Frame& frame);

  SteadyTime begun_;
  SteadyTime all_begun_;
  Tally current_;
  Tally last_;
  Tally all_;
  Skips skips_before_;
  std::optional<std::uint64_t> sequence_;
  int width_px_ = 0;
  int height_px_ = 0;
};

/// One line for a person: "30.0 fps, 8.2 Mbit/s, 640x480, ..."
[[nodiscard]] std::string line_of(const Tally& tally, const Meter& meter);
/// Several lines: the whole story.
[[nodiscard]] std::string summary_of(const Tally& tally, const Meter& meter);
/// One JSON object, no newline.
[[nodiscard]] std::string json_of(const Tally& tally, const Meter& meter, WallTime now);

}  // namespace fp
