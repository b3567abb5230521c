// What viewers see while there is no picture.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "frame/frame.h"
#include "jpeg/encoder.h"

namespace fp {

/// Gives a frame a second while a source is in trouble, marked by X-Signal. One thread.
class NoSignal {
 public:
  enum class Policy {
    Hold,  ///< the last frame, with its old time and sequence; nothing before the first
    Card,  ///< a card that says why, of the last frame's size or 640x480
    None,
  };
  NoSignal(Policy policy, const Clock& clock) : policy_(policy), clock_(&clock) {}

  /// A live frame passed.
  void seen(FramePtr frame);
  /// When tick() should be called at the latest.
  [[nodiscard]] SteadyTime due() const { return due_; }
  /// `trouble`: why there is no picture; "": there is, or may be. Gives the frame that is due, or nullptr.
  [[nodiscard]] FramePtr tick(const std::string& trouble);

 private:
  [[nodiscard]] FramePtr held() const;
  [[nodiscard]] FramePtr card(const std::string& trouble);

  Policy policy_;
  const Clock* clock_;
  SteadyTime due_{};
  FramePtr last_;
  std::optional<jpeg::Encoder> encoder_;
};

}  // namespace fp
