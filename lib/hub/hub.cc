#include "hub/hub.h"

#include <algorithm>

namespace fp {

void Hub::emit(FramePtr frame, std::optional<std::uint64_t> origin) {
  std::string trace;
  if (trace_) trace = with_hop(frame->trace, *trace_, frame->received, clock_.wall());
  std::string header = part_header(*frame, {.camera = camera_, .trace = trace});
  // Two descriptors for each camera, however many slow viewers hold on to old packets.
  if (newest_) newest_->drop_pipe();
  newest_ = std::make_shared<const Packet>(std::move(frame), std::move(header), next_headers_, ++index_, origin);
}

void Hub::publish(FramePtr frame, std::optional<std::uint64_t> origin) {
  emit(std::move(frame), origin);
  const Frame& live = newest_->frame();
  if (live.signal != Signal::Card) {
    if (newest_frame_ && newest_frame_->frame().sequence > live.sequence) {
      highest_before_ = std::max(highest_before_, newest_frame_->frame().sequence);
    }
    newest_frame_ = newest_;
    arrived_ = clock_.steady();
    if (live.signal == Signal::Live) {
      ++figures_.frames;
      figures_.bytes += live.jpeg.size();
      figures_.age.add(live.received - live.captured);
      rate_.add(arrived_, live.jpeg.size());
    }
  }
  tell(&Subscriber::frame_arrived);
}

void Hub::show(FramePtr frame, std::optional<std::uint64_t> origin) {
  emit(std::move(frame), origin);
  tell(&Subscriber::frame_arrived);
}

void Hub::clear() {
  if (!newest_) return;
  newest_.reset();
  tell(&Subscriber::hub_cleared);
}

std::unique_ptr<Hub> Hub::alike() const {
  auto hub = std::make_unique<Hub>(camera_, next_headers_, clock_);
  hub->trace_ = trace_;
  return hub;
}

void Hub::close() { tell(&Subscriber::hub_closed); }

// Begins with another one each time: with a thousand viewers the last one told waits some milliseconds.
void Hub::tell(void (Subscriber::*what)()) {
  ++telling_;
  const std::size_t count = subscribers_.size();
  const std::size_t first = first_;
  for (std::size_t i = 0; i < count; ++i) {
    Subscriber* const subscriber = subscribers_[(first + i) % count];
    if (subscriber != nullptr) (subscriber->*what)();
  }
  if (--telling_ > 0) return;
  std::erase(subscribers_, nullptr);
  first_ = subscribers_.empty() ? 0 : (first_ + 1) % subscribers_.size();
}

void Hub::attach(Subscriber& subscriber) {
  subscribers_.push_back(&subscriber);
  ++viewers_;
}

void Hub::detach(Subscriber& subscriber) {
  const auto found = std::find(subscribers_.begin(), subscribers_.end(), &subscriber);
  if (found == subscribers_.end()) return;
  --viewers_;
  *found = nullptr;
  if (telling_ == 0) subscribers_.erase(found);
}

}  // namespace fp
