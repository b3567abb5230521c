#include "record/trigger.h"

#include <utility>

namespace fp::record {
namespace {

constexpr std::size_t kFrameBytes = 1024;  // of what a frame takes besides its picture, more or less

std::size_t weight(const Timed& timed) { return timed.frame->jpeg.size() + kFrameBytes; }

}  // namespace

void Ring::drop_oldest() {
  budget_->bytes -= weight(frames_.front());
  frames_.pop_front();
}

void Ring::clear() {
  while (!frames_.empty()) drop_oldest();
}

void Ring::forget(SteadyTime now) {
  if (!frames_.empty() && now < frames_.back().at) clear();
  while (!frames_.empty() && now - frames_.front().at > keep_) drop_oldest();
}

void Ring::push(Timed timed) {
  if (keep_.count() == 0) return;
  forget(timed.at);
  budget_->bytes += weight(timed);
  frames_.push_back(std::move(timed));
  while (!frames_.empty() && budget_->bytes > budget_->most_bytes) {
    drop_oldest();
    ++budget_->cut_short;
  }
}

std::deque<Timed> Ring::take(SteadyTime now) {
  forget(now);
  for (const Timed& timed : frames_) budget_->bytes -= weight(timed);
  return std::exchange(frames_, {});
}

Trigger::Step Trigger::take(Timed timed, bool holds) {
  Step step;
  // A time that goes back is another recording, or a clock that was set: what was before has nothing to do with it.
  if (recording_ && (timed.at < last_ || timed.at - last_ > times_.post)) {
    recording_ = false;
    step.end = true;
  }
  if (holds) {
    last_ = timed.at;
    if (!std::exchange(recording_, true)) {
      step.begin = true;
      step.record = ring_.take(timed.at);
    }
  }
  if (recording_) {
    step.record.push_back(std::move(timed));
  } else {
    ring_.push(std::move(timed));
  }
  return step;
}

bool Trigger::over(SteadyTime now) {
  if (!recording_ || now - last_ <= times_.post) return false;
  recording_ = false;
  return true;
}

}  // namespace fp::record
