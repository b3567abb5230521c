// How good pictures may be, by how fast their reader takes them.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "base/clock.h"

namespace fp {

/// Steps a level down when the rate that the reader could take, 1 / the median time it needs for a frame, stays under
/// 80 % of the target, and up again when it stays above 120 %. The levels are the qualities from the highest to the
/// lowest in steps of ten, then the lowest at half the size.
///
/// Down takes two seconds, up five: twice as long each time that it turned out to be too much within ten seconds, up to
/// a minute. One thread; the clock is the caller's.
class Adaptive {
 public:
  struct Options {
    int min_quality_percent = 30;
    int max_quality_percent = 90;    ///< not below the lowest
    int start_quality_percent = 90;  ///< where it begins; brought within the two
    double target_fps = 0;           ///< 0: what comes in, as it is measured
  };
  struct Level {
    int quality_percent = 0;
    bool half = false;
    friend bool operator==(const Level&, const Level&) = default;
  };
  using Duration = std::chrono::nanoseconds;
  static constexpr std::size_t kWindow = 15;  ///< frames that the median is of
  static constexpr std::size_t kLeast = 3;    ///< frames that it takes to judge
  static constexpr std::chrono::seconds kDownAfter{2};
  static constexpr std::chrono::seconds kUpAfter{5};
  static constexpr std::chrono::seconds kUpAfterAtMost{60};

  Adaptive(Options options, const Clock& clock);

  /// So many frames have come in so far.
  void arrived(std::uint64_t frames);
  /// The reader has taken a frame, in this time.
  void taken(Duration time);
  /// The frame that the reader has in hand takes this long already; 0: it has none.
  void waiting(Duration time) { waiting_ = time; }
  /// Judges, and gives one line for people when the level has changed. Call it once a frame, or more often.
  [[nodiscard]] std::optional<std::string> decide();

  [[nodiscard]] Level level() const { return level_; }
  [[nodiscard]] double target_fps() const;               ///< 0: not known yet
  [[nodiscard]] std::optional<double> rate_fps() const;  ///< that the reader could take; nothing: not known yet

 private:
  enum class Trend { Fine, TooSlow, TooFast };
  [[nodiscard]] Trend trend() const;
  [[nodiscard]] std::optional<Level> lower() const;
  [[nodiscard]] std::optional<Level> higher() const;
  std::string change(Level level, bool up);

  struct Arrivals {
    SteadyTime at;
    std::uint64_t frames = 0;
  };

  Options options_;
  const Clock& clock_;
  Level level_;
  std::deque<Arrivals> arrivals_;
  std::deque<Duration> times_;
  Duration waiting_{0};
  Trend trend_ = Trend::Fine;
  SteadyTime trend_since_;
  std::chrono::seconds up_after_ = kUpAfter;
  std::optional<SteadyTime> went_up_;
};

}  // namespace fp
