#include "frame-detect/stage.h"

#include <algorithm>
#include <utility>

namespace fp {

using detect::Work;

namespace {

constexpr std::size_t kMostCameras = 64;  // that wait for a look

}  // namespace

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
  if (worker_->busy()) return wait(std::move(frame), std::move(work));
  if (!work) return pass(std::move(frame));
  begin(std::move(frame), std::move(*work));
  return nullptr;
}

// In its camera's slot, instead of the one that was there. What leaves is a question that gets no other answer.
FramePtr Stage::wait(FramePtr frame, std::optional<Work> work) {
  auto slot = std::find_if(waiting_.begin(), waiting_.end(),
                           [&](const Waiting& one) { return one.frame->camera == frame->camera; });
  if (slot == waiting_.end() && waiting_.size() < kMostCameras) {
    waiting_.push_back({std::move(frame), std::move(work)});
    return nullptr;
  }
  if (slot == waiting_.end()) slot = waiting_.begin();
  ledger_.superseded();
  // A window is due once in a stride: its frame is not given up for one that nothing would be done about.
  if (slot->work && !work) return nullptr;
  const Waiting before = std::exchange(*slot, {std::move(frame), std::move(work)});
  if (detect::header_of(*before.frame, "X-Request") == nullptr) return nullptr;
  says_something_ = false;
  return detect::with_detections(*before.frame, {engine_.model(), 0, {}, "a newer frame took its place"});
}

// A frame of this camera leaves now, so none that is older may leave after it.
void Stage::forget_older(const std::string& camera) {
  const auto forgotten = std::erase_if(waiting_, [&](const Waiting& one) { return one.frame->camera == camera; });
  if (forgotten > 0) ledger_.superseded();
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
  if (waiting_.empty() || worker_->busy()) return nullptr;
  Waiting next = std::move(waiting_.front());
  waiting_.pop_front();
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
  if (!waiting_.empty() && !worker_->busy()) return clock_.steady();
  return std::nullopt;
}

FramePtr Stage::last(bool stopped) {
  while (worker_ && worker_->busy()) {
    if (FramePtr frame = settle(worker_->wait())) return frame;
    if (stopped) return nullptr;
  }
  if (stopped) return nullptr;
  if (line_) {
    if (FramePtr frame = leave(line_->drain())) return frame;
  }
  while (!waiting_.empty()) {
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    if (!next.work) return pass(std::move(next.frame));
    if (FramePtr frame = outcome(next.frame, (*next.work)())) return frame;
  }
  while (const auto work = engine_.finish()) {
    Result<FramePtr> result = (*work)();
    if (!result) {
      ledger_.failed(result.error());
      continue;
    }
    ledger_.looked(result->get());
    if (!*result) continue;
    // Its frame has left before, and does so again with what it has to say.
    says_something_ = true;
    return std::move(*result);
  }
  return nullptr;
}

}  // namespace fp
