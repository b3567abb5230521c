// The four times of a frame: grabbed, received, inferred, shown.
#pragma once

#include <cstdint>
#include <deque>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/histogram.h"

namespace fp::ingest {

/// What came of results, of one session or of all.
struct Latencies {
  Histogram total;       ///< T_end - T_start, both by the page's clock
  Histogram processing;  ///< T_inference - T_receive, both by ours
  Histogram transfer;    ///< total less processing: both ways over the network, and waiting on them
  Histogram upload;      ///< T_receive - T_start, by the clocks' offset that the page has measured
  /// "total 45 ms (p95 80), transfer 20 ms (p95 31), processing 25 ms (p95 49)", or "" without any.
  [[nodiscard]] std::string describe() const;
};

/// A frame that was given to a child, or, without one, received.
struct TimedFrame {
  std::uint64_t number = 0;
  std::optional<double> start_ms;  ///< T_start: UNIX time by the page's clock
  WallTime received{};             ///< T_receive
  std::optional<WallTime> inferred;
  bool ended = false;  ///< T_end has come
};

/// The times of a session's frames, at most kMostFrames of them: of older ones nothing is known. One thread.
class Times {
 public:
  static constexpr std::size_t kMostFrames = 1024;

  /// `all`: what every session adds to; it must live on.
  explicit Times(Latencies& all) : all_(all) {}

  /// The offset of the clocks (ours less the page's) and how far it may be wrong, as the page has measured it. False:
  /// no numbers that can be.
  bool set_offset(double offset_ms, double error_ms);
  [[nodiscard]] std::optional<double> offset_ms() const { return offset_ms_; }
  [[nodiscard]] double error_ms() const { return error_ms_; }
  /// T_start by our clock, where the offset is known and the time is one that can be: not after `received` and not ten
  /// minutes before it. Else `received`.
  [[nodiscard]] WallTime captured(std::optional<double> start_ms, WallTime received) const;

  void given(std::uint64_t number, std::optional<double> start_ms, WallTime received);
  /// The frame that a child's line is about: the one that it names with "sequence", else the newest that was given.
  /// nullptr: it names one that is not known (any more), or none was given. Its T_inference is set.
  const TimedFrame* bind(const nlohmann::ordered_json& line, WallTime inferred);
  /// T_end has come. False: of a frame that is not known, that has no result or T_start, or a second time, or it makes
  /// no sense.
  bool end(std::uint64_t number, double end_ms);

  [[nodiscard]] const Latencies& latencies() const { return mine_; }

 private:
  [[nodiscard]] TimedFrame* find(std::uint64_t number);

  Latencies& all_;
  Latencies mine_;
  std::optional<double> offset_ms_;
  double error_ms_ = 0;
  std::deque<TimedFrame> frames_;  // the newest at the end
};

/// Milliseconds of UNIX time, as pages count.
[[nodiscard]] double ms_of(WallTime time);

}  // namespace fp::ingest
