#include "detect/delay_line.h"

#include <algorithm>
#include <utility>

namespace fp::detect {

void DelayLine::push(FramePtr frame, SteadyTime now) {
  bytes_ += frame->jpeg.size();
  entries_.push_back({std::move(frame), now});
  while (bytes_ > kMostBytes && entries_.size() > 1) {
    ++dropped_;
    take_first();
  }
}

std::optional<DelayLine::Look> DelayLine::begin_look() {
  if (entries_.empty() || entries_.back().state != State::Plain) return std::nullopt;
  Entry& newest = entries_.back();
  newest.state = State::InWork;
  newest.ticket = ++tickets_;
  return Look{newest.frame, newest.ticket};
}

bool DelayLine::found(std::uint64_t ticket, FramePtr result, SteadyTime now) {
  const auto entry =
      std::find_if(entries_.begin(), entries_.end(), [&](const Entry& one) { return one.ticket == ticket; });
  if (entry == entries_.end()) return false;
  const std::chrono::nanoseconds took = now - entry->arrived;
  delay_ = std::min<std::chrono::nanoseconds>(std::max(took, delay_ - delay_ / 4 + took / 4), kMostDelay);
  entry->state = State::Done;
  if (result) {
    bytes_ = bytes_ - entry->frame->jpeg.size() + result->jpeg.size();
    entry->frame = std::move(result);
    entry->changed = true;
  }
  return true;
}

bool DelayLine::may_leave(const Entry& entry, SteadyTime now) const {
  return now >= entry.arrived + (entry.state == State::InWork ? kMostDelay : delay_);
}

DelayLine::Leaving DelayLine::take_first() {
  Entry& entry = entries_.front();
  Leaving first{std::move(entry.frame), entry.state == State::Done, entry.changed};
  bytes_ -= first.frame->jpeg.size();
  entries_.pop_front();
  return first;
}

DelayLine::Leaving DelayLine::pop(SteadyTime now) {
  // What is overdue together with its successor is late: the successor wins.
  while (entries_.size() > 1 && entries_[0].state == State::Plain && entries_[1].state != State::InWork &&
         may_leave(entries_[1], now)) {
    ++dropped_;
    take_first();
  }
  if (entries_.empty() || !may_leave(entries_.front(), now)) return {};
  return take_first();
}

std::optional<SteadyTime> DelayLine::due() const {
  if (entries_.empty()) return std::nullopt;
  const Entry& first = entries_.front();
  return first.arrived + (first.state == State::InWork ? kMostDelay : delay_);
}

DelayLine::Leaving DelayLine::drain() { return entries_.empty() ? Leaving{} : take_first(); }

void DelayLine::clear() {
  dropped_ += entries_.size();
  entries_.clear();
  bytes_ = 0;
}

}  // namespace fp::detect
