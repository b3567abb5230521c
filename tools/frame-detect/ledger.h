// What frame-detect has done, and what it says about frames that it could not look at.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "frame/frame.h"

namespace fp {

/// One thread.
class Ledger {
 public:
  explicit Ledger(const Clock& clock) : clock_(clock) {}

  /// Counts objects and the time that they took, by the last X-Detections; nullptr: there was nothing to be said.
  void looked(const Frame* frame);
  void passed() { ++passed_; }  ///< as it came, and nobody looked at it
  void superseded() { ++superseded_; }
  /// A frame that could not be looked at, said at most each ten seconds.
  void failed(const Error& error);

  /// "12 frames looked at, 31 objects, 18 ms each, 3 passed, 40 superseded, 1 failed (1 damaged)".
  /// `dropped`: that others have superseded besides.
  [[nodiscard]] std::string describe(std::uint64_t dropped) const;

 private:
  enum class Reason { Damaged, TooLarge, Unsupported };
  static constexpr std::array<const char*, 3> kReasons = {"damaged", "too large", "unsupported"};

  const Clock& clock_;
  std::uint64_t looked_ = 0;
  std::uint64_t objects_ = 0;
  std::uint64_t passed_ = 0;
  std::uint64_t superseded_ = 0;
  double usual_ms_ = 0;
  std::array<std::uint64_t, kReasons.size()> failed_{};
  std::optional<SteadyTime> told_;
};

}  // namespace fp
