#include "webrtc-ingest/png_worker.h"

#include <system_error>

namespace fp::ingest {

PngWorker::~PngWorker() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  more_.notify_all();
  if (thread_.joinable()) thread_.join();
}

PngWorker::Seat::Seat(PngWorker& worker, Done done)
    : worker_(worker), done_(std::move(done)), work_(std::make_shared<Work>()) {
  work_->seat = this;
}

PngWorker::Seat::~Seat() {
  work_->seat = nullptr;
  const std::lock_guard lock(worker_.mutex_);
  work_->waiting.clear();
}

bool PngWorker::Seat::put(PngJob job) {
  bool room = true;
  {
    const std::lock_guard lock(worker_.mutex_);
    if (work_->waiting.size() >= kMostWaiting) {
      work_->waiting.pop_front();
      room = false;
    }
    work_->waiting.push_back(std::move(job));
    if (!std::exchange(work_->queued, true)) worker_.queue_.push_back(work_);
  }
  try {
    if (!worker_.thread_.joinable()) worker_.thread_ = std::thread([&worker = worker_] { worker.work(); });
  } catch (const std::system_error&) {
    return false;  // no more threads: tried again with the next picture
  }
  worker_.more_.notify_one();
  return room;
}

void PngWorker::work() {
  PictureReader reader;
  std::unique_lock lock(mutex_);
  for (;;) {
    more_.wait(lock, [this] { return over_ || !queue_.empty(); });
    if (over_) return;
    const std::shared_ptr<Work> work = std::move(queue_.front());
    queue_.pop_front();
    work->queued = false;
    if (work->waiting.empty()) continue;
    auto job = std::make_shared<PngJob>(std::move(work->waiting.front()));
    work->waiting.pop_front();
    if (!work->waiting.empty()) {
      work->queued = true;
      queue_.push_back(work);
    }
    lock.unlock();
    auto made = std::make_shared<Result<Picture>>(reader.png(job->bytes));
    job->bytes = {};
    loop_.post([work, job, made] {
      if (work->seat != nullptr) work->seat->done_(*job, std::move(*made));
    });
    lock.lock();
  }
}

}  // namespace fp::ingest
