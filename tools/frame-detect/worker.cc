#include "frame-detect/worker.h"

#include <utility>

namespace fp {

Worker::Worker() : thread_([this] { run(); }) {}

Worker::~Worker() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Worker::put(detect::Work work) {
  busy_ = true;
  {
    const std::lock_guard lock(mutex_);
    work_ = std::move(work);
  }
  changed_.notify_all();
}

std::optional<Result<FramePtr>> Worker::take() {
  done_.lower();
  const std::lock_guard lock(mutex_);
  if (outcome_) busy_ = false;
  return std::exchange(outcome_, std::nullopt);
}

Result<FramePtr> Worker::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return outcome_.has_value(); });
  busy_ = false;
  done_.lower();
  return *std::exchange(outcome_, std::nullopt);
}

void Worker::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stop_ || work_; });
    if (stop_) return;
    detect::Work work = *std::exchange(work_, std::nullopt);
    lock.unlock();
    Result<FramePtr> outcome = work();
    lock.lock();
    outcome_ = std::move(outcome);
    changed_.notify_all();
    done_.raise();
  }
}

}  // namespace fp
