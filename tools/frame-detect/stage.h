// Frames through an engine: in order, or the newest while others pass.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "detect/delay_line.h"
#include "detect/engine.h"
#include "detect/gate.h"
#include "frame-detect/ledger.h"
#include "frame-detect/worker.h"
#include "frame/pacer.h"

namespace fp {

/// Batch: every frame, one after the other, on the caller's thread.
///
/// Live: one thread looks at the newest frame. What comes meanwhile waits in one slot for each camera; what is looked
/// at leaves when that is done, and no frame leaves behind a newer one. With a `passthrough_fps` every frame leaves, at
/// up to that rate, held back by a DelayLine.
///
/// A frame that the gate does not let in leaves at once and untouched; what is still looked at then is thrown away. One
/// that cannot be looked at is left out, unless it is a question (X-Request): that is answered with the reason. One
/// thread.
class Stage {
 public:
  struct Options {
    bool in_order = false;
    double passthrough_fps = 0;  ///< 0: only what was looked at leaves
  };
  Stage(detect::Engine& engine, detect::Gate& gate, const Options& options, const Clock& clock);

  [[nodiscard]] FramePtr frame(FramePtr frame);  ///< what leaves now, or nullptr
  [[nodiscard]] FramePtr tick(SteadyTime now);   ///< likewise, when it is due or woken
  [[nodiscard]] std::optional<SteadyTime> due() const;
  /// No more frames will come: what is left, until nullptr. `stopped`: no more than what is being looked at.
  [[nodiscard]] FramePtr last(bool stopped);
  [[nodiscard]] int wake_fd() const { return worker_ ? worker_->fd() : -1; }

  /// The frame that left last has detections of ours: they are its last header.
  [[nodiscard]] bool says_something() const { return says_something_; }
  [[nodiscard]] std::string describe() const { return ledger_.describe(line_ ? line_->dropped() : 0); }

 private:
  struct Waiting {
    FramePtr frame;
    std::optional<detect::Work> work;
  };
  [[nodiscard]] std::optional<detect::Work> take(const FramePtr& frame);
  FramePtr pass(FramePtr frame);
  FramePtr outcome(const FramePtr& frame, Result<FramePtr> result);
  FramePtr wait(FramePtr frame, std::optional<detect::Work> work);
  void forget_older(const std::string& camera);
  FramePtr settle(Result<FramePtr> result);
  FramePtr go_on();
  void begin(FramePtr frame, detect::Work work);
  FramePtr through(FramePtr frame);
  FramePtr leave(detect::DelayLine::Leaving leaving);
  void look_at_newest();

  detect::Engine& engine_;
  detect::Gate& gate_;
  const Options options_;
  const Clock& clock_;
  Ledger ledger_;
  std::optional<Worker> worker_;  // live
  FramePtr in_work_;
  bool unwanted_ = false;                  // what is looked at: newer frames have left since
  std::deque<Waiting> waiting_;            // one for each camera, the one that has waited longest in front
  std::optional<detect::DelayLine> line_;  // with passthrough_fps
  std::uint64_t ticket_ = 0;
  Pacer pacer_;
  bool says_something_ = false;
};

}  // namespace fp
