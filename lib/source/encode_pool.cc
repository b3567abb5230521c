#include "source/encode_pool.h"

#include <utility>

#include "frame/encoded_frame.h"

namespace fp {

Result<FramePtr> encode_frame(RawEncoder& encoder, ByteView bytes, const RawLayout& layout, Frame frame) {
  Result<Blob> jpeg = encoder.encode(bytes, layout);
  if (!jpeg) return fail(std::move(jpeg).error());
  return with_jpeg(std::move(frame), std::move(*jpeg));
}

EncodePool::EncodePool(int threads, int quality_percent) : quality_percent_(quality_percent) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

EncodePool::~EncodePool() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  more_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

bool EncodePool::full() const {
  const std::lock_guard lock(mutex_);
  return waiting_.has_value();
}

bool EncodePool::idle() const {
  const std::lock_guard lock(mutex_);
  return !waiting_ && next_ticket_ == next_out_;
}

std::uint64_t EncodePool::failed() const {
  const std::lock_guard lock(mutex_);
  return failed_;
}

std::optional<RawFrame> EncodePool::put(RawFrame raw) {
  std::optional<RawFrame> replaced;
  {
    const std::lock_guard lock(mutex_);
    replaced = std::exchange(waiting_, std::move(raw));
  }
  more_.notify_one();
  return replaced;
}

std::vector<std::uint8_t> EncodePool::spare() {
  const std::lock_guard lock(mutex_);
  if (spare_.empty()) return {};
  std::vector<std::uint8_t> bytes = std::move(spare_.back());
  spare_.pop_back();
  return bytes;
}

FramePtr EncodePool::take() {
  const std::lock_guard lock(mutex_);
  ready_.lower();
  while (!done_.empty() && done_.begin()->first == next_out_) {
    FramePtr frame = std::move(done_.begin()->second);
    done_.erase(done_.begin());
    ++next_out_;
    if (!frame) continue;
    if (!done_.empty()) ready_.raise();
    return frame;
  }
  return nullptr;
}

void EncodePool::work() {
  RawEncoder encoder(quality_percent_);
  std::unique_lock lock(mutex_);
  for (;;) {
    more_.wait(lock, [this] { return stop_ || waiting_; });
    if (stop_) return;
    RawFrame raw = std::move(*waiting_);
    waiting_.reset();
    const std::uint64_t ticket = next_ticket_++;
    lock.unlock();
    Result<FramePtr> frame = encode_frame(encoder, ByteView(raw.bytes), raw.layout, std::move(raw.frame));
    lock.lock();
    if (!frame) ++failed_;
    done_.emplace(ticket, frame ? std::move(*frame) : nullptr);
    if (spare_.size() < threads_.size() + 1) spare_.push_back(std::move(raw.bytes));
    ready_.raise();
  }
}

}  // namespace fp
