#include "serve/variant_pool.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <cassert>
#include <new>
#include <system_error>
#include <utility>

#include "base/clock.h"

namespace fp {

std::size_t VariantPool::usual_threads() { return std::clamp(std::thread::hardware_concurrency(), 1u, 4u); }

Result<Converted> VariantPool::convert(jpeg::Converter& converter, const FramePtr& frame, const VariantKey& key) {
  return convert_frame(converter, frame, key.wishes({frame->picture.width_px, frame->picture.height_px}));
}

VariantPool::VariantPool(Loop& loop, std::size_t threads, Convert convert)
    : loop_(loop),
      most_threads_(threads),
      convert_(std::move(convert)),
      ready_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      ready_watch_(loop, [this](int) { collect(); }) {
  if (!ready_) throw Failure{Exit::System, io_error("eventfd").text};
  ready_watch_.watch(ready_.get(), IoWatch::kRead);
}

VariantPool::~VariantPool() {
  assert(seats_ == 0);
  {
    const std::lock_guard lock(mutex_);
    wanted_ = false;
  }
  more_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void VariantPool::start_threads() {
  const std::size_t going = [&] {
    const std::lock_guard lock(mutex_);
    wanted_ = true;  // those that have not looked yet since they were to go stay
    return threads_.size() - ended_.size();
  }();
  for (std::size_t i = going; i < most_threads_; ++i) {
    try {
      threads_.emplace_back([this] { work(); });
    } catch (const std::system_error& error) {
      if (i > 0) return;  // fewer do as well
      throw Failure{Exit::System, std::string("no thread to convert frames: ") + error.what()};
    }
  }
}

VariantPool::Seat::Seat(VariantPool& pool, const VariantKey& key, Done done)
    : pool_(pool), done_(std::move(done)), work_(std::make_shared<Work>()) {
  work_->key = key;
  work_->seat = this;
  pool.start_threads();
  ++pool.seats_;
}

VariantPool::Seat::~Seat() {
  work_->seat = nullptr;
  forget();
  if (--pool_.seats_ > 0) return;
  {
    const std::lock_guard lock(pool_.mutex_);
    pool_.wanted_ = false;
  }
  pool_.more_.notify_all();
}

bool VariantPool::Seat::put(VariantJob job) {
  {
    const std::lock_guard lock(pool_.mutex_);
    const bool replaces = work_->waiting.has_value();
    work_->waiting = std::move(job);
    if (replaces) return true;
    ++under_way_;
    if (work_->at_work) return false;  // whoever has it puts it in the queue then
    pool_.queue_.push_back(work_);
  }
  pool_.more_.notify_one();
  return false;
}

void VariantPool::Seat::forget() {
  const std::lock_guard lock(pool_.mutex_);
  if (!work_->waiting) return;
  work_->waiting.reset();
  std::erase(pool_.queue_, work_);
  --under_way_;
}

void VariantPool::work() {
  // Of this thread: it goes with it, and its memory too.
  jpeg::Converter converter;
  const SystemClock clock;
  std::unique_lock lock(mutex_);
  for (;;) {
    more_.wait(lock, [this] { return !wanted_ || !queue_.empty(); });
    if (!wanted_) break;
    const std::shared_ptr<Work> work = std::move(queue_.front());
    queue_.pop_front();
    VariantJob job = std::move(*work->waiting);
    work->waiting.reset();
    work->at_work = true;
    const VariantKey key = work->key;
    lock.unlock();

    const SteadyTime began = clock.steady();
    auto outcome = [&]() -> Result<Converted> {
      try {
        return convert_(converter, job.frame, key);
      } catch (const std::bad_alloc&) {
        return fail({Error::Kind::TooLarge, 0, "convert: no memory for a picture of this size"});
      }
    }();
    const auto took = clock.steady() - began;

    lock.lock();
    work->at_work = false;
    // Behind all others that wait.
    if (work->waiting) queue_.push_back(work);
    finished_.push_back({work, {std::move(job), std::move(outcome), took}});
    (void)::eventfd_write(ready_.get(), 1);
  }
  ended_.push_back(std::this_thread::get_id());
  (void)::eventfd_write(ready_.get(), 1);
}

void VariantPool::collect() {
  eventfd_t count = 0;
  (void)::eventfd_read(ready_.get(), &count);
  std::vector<Finished> finished;
  std::vector<std::thread::id> ended;
  {
    const std::lock_guard lock(mutex_);
    finished.swap(finished_);
    ended.swap(ended_);
  }
  for (const std::thread::id id : ended) {
    const auto thread =
        std::find_if(threads_.begin(), threads_.end(), [id](const std::thread& one) { return one.get_id() == id; });
    thread->join();
    threads_.erase(thread);
  }
  for (Finished& one : finished) {
    Seat* const seat = one.work->seat;
    if (seat == nullptr) continue;
    --seat->under_way_;
    seat->done_(std::move(one.result));
  }
}

}  // namespace fp
