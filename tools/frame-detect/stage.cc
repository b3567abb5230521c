#include "frame-detect/stage.h"

#include <utility>

namespace fp {

using detect::Work;

Stage::Stage(detect::Engine& engine, detect::Gate& gate, const Options& options, const Clock& clock)
    : engine_(engine), gate_(gate), options_(options), clock_(clock), ledger_(clock), pacer_(options.passthrough_fps) {
  if (!options_.in_order) worker_.emplace();
  if (!options_.in_order && options_.passthrough_fps > 0) line_.emplace();
}

std::optional<Work> Stage::take(const FramePtr& frame) {
  if (!gate_.lets(*frame)) return std::nullopt;
  return engine_.take(frame, {gate_.overlay_for(*frame), gate_.is_one_off(*frame)});
}

FramePtr Stage::pass(FramePtr frame) {
  says_something_ = false;
  ledger_.passed();
  return frame;
}

// What was looked at, or why not. A question must not stay without an answer.
FramePtr Stage::outcome(const FramePtr& frame, Result<FramePtr> result) {
  says_something_ = true;
  if (result) {
    ledger_.looked(result->get());
    says_something_ = *result != nullptr;
    if (!says_something_) return frame;
    return std::move(*result);
  }
  ledger_.failed(result.error());
  if (detect::header_of(*frame, "X-Request") == nullptr) return nullptr;
  return detect::with_detections(*frame, {engine_.model(), 0, {}, result.error().text});
}

FramePtr Stage::frame(FramePtr frame) {
  if (options_.in_order) {
    const auto work = take(frame);
    return work ? outcome(frame, (*work)()) : pass(std::move(frame));
  }
  if (!gate_.lets(*frame)) {
    forget_older(frame->camera);
    return pass(std::move(frame));
  }
  if (line_) return through(std::move(frame));
  std::optional<Work> work = take(frame);
  if (worker_->busy()) {
    if (waiting_) ledger_.superseded();
    waiting_ = {std::move(frame), std::move(work)};
    return nullptr;
  }
  if (!work) return pass(std::move(frame));
  begin(std::move(frame), std::move(*work));
  return nullptr;
}

// A frame of this camera leaves now, so none that is older may leave after it.
void Stage::forget_older(const std::string& camera) {
  if (waiting_ && waiting_->frame->camera == camera) {
    ledger_.superseded();
    waiting_.reset();
  }
  if (worker_->busy() && in_work_->camera == camera) unwanted_ = true;
  if (line_) line_->clear();
}

void Stage::begin(FramePtr frame, Work work) {
  in_work_ = std::move(frame);
  unwanted_ = false;
  worker_->put(std::move(work));
}

FramePtr Stage::settle(Result<FramePtr> result) {
  const FramePtr frame = std::exchange(in_work_, nullptr);
  if (line_) {
    // One that could not be looked at passes as those do that nobody looks at.
    FramePtr out = outcome(frame, std::move(result));
    if (!line_->found(ticket_, says_something_ ? std::move(out) : nullptr, clock_.steady())) ledger_.superseded();
    look_at_newest();
    return nullptr;
  }
  if (std::exchange(unwanted_, false)) {
    ledger_.superseded();
    return nullptr;
  }
  return outcome(frame, std::move(result));
}

// The frame that waited, when the thread is free again.
FramePtr Stage::go_on() {
  if (!waiting_ || worker_->busy()) return nullptr;
  Waiting next = *std::exchange(waiting_, std::nullopt);
  if (!next.work) return pass(std::move(next.frame));
  begin(std::move(next.frame), std::move(*next.work));
  return nullptr;
}

FramePtr Stage::through(FramePtr frame) {
  const SteadyTime now = clock_.steady();
  if (!pacer_.due(now)) {
    ledger_.superseded();
    return nullptr;
  }
  pacer_.passed(now);
  line_->push(std::move(frame), now);
  look_at_newest();
  return leave(line_->pop(now));
}

void Stage::look_at_newest() {
  while (!worker_->busy()) {
    auto look = line_->begin_look();
    if (!look) return;
    std::optional<Work> work = take(look->frame);
    ticket_ = look->ticket;
    if (!work) {
      (void)line_->found(ticket_, nullptr, clock_.steady());
      continue;
    }
    begin(std::move(look->frame), std::move(*work));
  }
}

FramePtr Stage::leave(detect::DelayLine::Leaving leaving) {
  if (!leaving.frame) return nullptr;
  says_something_ = leaving.changed;
  if (!leaving.looked) ledger_.passed();
  return std::move(leaving.frame);
}

FramePtr Stage::tick(SteadyTime now) {
  if (!worker_) return nullptr;
  if (auto result = worker_->take()) {
    FramePtr frame = settle(std::move(*result));
    if (frame) return frame;
  }
  if (line_) return leave(line_->pop(now));
  return go_on();
}

std::optional<SteadyTime> Stage::due() const {
  if (line_) return line_->due();
  // A frame that waits for nothing: tick() gave another one before it.
  if (waiting_ && !worker_->busy()) return clock_.steady();
  return std::nullopt;
}

FramePtr Stage::last() {
  while (worker_ && worker_->busy()) {
    if (FramePtr frame = settle(worker_->wait())) return frame;
  }
  if (line_) {
    if (FramePtr frame = leave(line_->drain())) return frame;
  }
  if (waiting_) {
    Waiting next = *std::exchange(waiting_, std::nullopt);
    if (!next.work) return pass(std::move(next.frame));
    if (FramePtr frame = outcome(next.frame, (*next.work)())) return frame;
  }
  if (std::exchange(finished_, true)) return nullptr;
  const auto work = engine_.finish();
  if (!work) return nullptr;
  Result<FramePtr> result = (*work)();
  if (!result) {
    ledger_.failed(result.error());
    return nullptr;
  }
  // Its frame has left before, and does so again with what it has to say.
  ledger_.looked(result->get());
  says_something_ = true;
  return std::move(*result);
}

}  // namespace fp
