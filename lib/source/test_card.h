// A moving card with a clock: a camera for machines that have none.
#pragma once

#include "frame/producer.h"
#include "jpeg/encoder.h"

namespace fp {

/// Draws and encodes a card at a steady rate: colour bars, a grey ramp, the time of day to the millisecond, the
/// sequence, and a bar that crosses the picture once in two seconds, so that a skipped or late frame can be seen.
class TestCard final : public Producer {
 public:
  struct Options {
    jpeg::Size size{640, 480};
    double fps = 30;
    int quality_percent = 80;
    bool every_frame = false;  ///< never skip a frame number when late
  };
  /// `clock` must live as long. Throws Failure when the size cannot be encoded.
  TestCard(Options options, const Clock& clock);

  [[nodiscard]] Wait wait() const override { return {-1, false, next_}; }
  [[nodiscard]] FramePtr advance() override;
  [[nodiscard]] bool ended() const override { return false; }
  [[nodiscard]] std::uint64_t superseded() const override { return late_; }

 private:
  void draw(jpeg::Picture& card, WallTime now) const;

  Options options_;
  const Clock* clock_;
  jpeg::Encoder encoder_;
  jpeg::Picture background_;
  SteadyTime next_;
  std::chrono::nanoseconds interval_;
  std::uint64_t sequence_ = 0;
  std::uint64_t late_ = 0;
};

}  // namespace fp
