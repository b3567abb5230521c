#include "loop/loop.h"

#include <utility>

#include "base/result.h"

namespace fp {
namespace {

double seconds(std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

Loop::Loop() : loop_(::ev_loop_new(static_cast<unsigned>(EVBACKEND_EPOLL) | static_cast<unsigned>(EVFLAG_NOENV))) {
  if (loop_ == nullptr) throw Failure{Exit::System, "no event loop: epoll is not available"};
  ev_prepare_init(&prepare_, run_deferred);
  prepare_.data = this;
  ::ev_prepare_start(loop_, &prepare_);
  ::ev_unref(loop_);
  ev_async_init(&async_, run_posted);
  async_.data = this;
  ::ev_async_start(loop_, &async_);
  ::ev_unref(loop_);
}

Loop::~Loop() {
  ::ev_ref(loop_);
  ::ev_async_stop(loop_, &async_);
  ::ev_ref(loop_);
  ::ev_prepare_stop(loop_, &prepare_);
  deferred_.clear();
  ::ev_loop_destroy(loop_);
}

void Loop::run() { ::ev_run(loop_, 0); }
void Loop::stop() { ::ev_break(loop_, EVBREAK_ALL); }
void Loop::defer(std::function<void()> task) { deferred_.push_back(std::move(task)); }

void Loop::post(std::function<void()> task) {
  const std::scoped_lock lock(mutex_);
  posted_.push_back(std::move(task));
  // Under the lock: whoever posts last may be the one whose end lets the loop go.
  ::ev_async_send(loop_, &async_);
}

void Loop::run_posted(struct ev_loop* /*loop*/, ev_async* watcher, int /*events*/) noexcept {
  Loop& self = *static_cast<Loop*>(watcher->data);
  std::vector<std::function<void()>> tasks;
  {
    const std::scoped_lock lock(self.mutex_);
    tasks.swap(self.posted_);
  }
  for (auto& task : tasks) task();
}

void Loop::run_deferred(struct ev_loop* /*loop*/, ev_prepare* watcher, int /*events*/) noexcept {
  static_cast<Loop*>(watcher->data)->settle();
}

void Loop::settle() {
  while (!deferred_.empty()) {
    for (auto& task : std::exchange(deferred_, {})) task();
  }
}

IoWatch::IoWatch(Loop& loop, Callback callback) : loop_(loop), callback_(std::move(callback)) {
  ev_init(&io_, called);
  io_.data = this;
}

IoWatch::~IoWatch() { watch(-1, 0); }

void IoWatch::watch(int fd, int events, bool reopened) {
  if (fd < 0) events = 0;
  if (events == 0) fd = -1;
  if (fd == fd_ && events == events_ && !reopened) return;
  ::ev_io_stop(loop_.raw(), &io_);
  fd_ = fd;
  events_ = events;
  if (events == 0) return;
  ev_io_set(&io_, fd, events);
  ::ev_io_start(loop_.raw(), &io_);
}

void IoWatch::called(struct ev_loop* /*loop*/, ev_io* watcher, int events) noexcept {
  static_cast<IoWatch*>(watcher->data)->callback_(events);
}

Timer::Timer(Loop& loop, Callback callback) : loop_(loop), callback_(std::move(callback)) {
  ev_init(&timer_, called);
  timer_.data = this;
}

Timer::~Timer() { cancel(); }

void Timer::once(std::chrono::nanoseconds after) {
  cancel();
  ::ev_now_update(loop_.raw());  // libev counts from the start of the callbacks at hand, which may be long ago
  ev_timer_set(&timer_, seconds(after), 0.0);
  ::ev_timer_start(loop_.raw(), &timer_);
}

void Timer::every(std::chrono::nanoseconds period) {
  cancel();
  ::ev_now_update(loop_.raw());
  ev_timer_set(&timer_, seconds(period), seconds(period));
  ::ev_timer_start(loop_.raw(), &timer_);
}

void Timer::cancel() { ::ev_timer_stop(loop_.raw(), &timer_); }

void Timer::called(struct ev_loop* /*loop*/, ev_timer* watcher, int /*events*/) noexcept {
  static_cast<Timer*>(watcher->data)->callback_();
}

}  // namespace fp
