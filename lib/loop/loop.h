// libev in RAII clothes: one event loop, its watches and timers.
#pragma once

#include <ev.h>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace fp {

/// The event loop of a program: made in main, passed down by reference, outliving all that watches on it. One thread.
class Loop {
 public:
  Loop();  ///< throws Failure when the kernel has no epoll to give
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  void run();   ///< until stop()
  void stop();  ///< run() returns after the callback at hand
  /// Calls `task` after the callbacks at hand, before the loop waits again: the way to destroy what is calling.
  void defer(std::function<void()> task);
  /// The same from any thread, while the loop lives: the way into it. What is posted when run() has returned is
  /// dropped.
  void post(std::function<void()> task);
  /// Does now what was deferred: before what those tasks use goes.
  void settle();
  [[nodiscard]] struct ev_loop* raw() const { return loop_; }

 private:
  static void run_deferred(struct ev_loop* loop, ev_prepare* watcher, int events) noexcept;
  static void run_posted(struct ev_loop* loop, ev_async* watcher, int events) noexcept;
  struct ev_loop* loop_;
  ev_prepare prepare_{};
  ev_async async_{};
  std::vector<std::function<void()>> deferred_;
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;  // under mutex_
};

/// Watches a descriptor that it borrows. Stops itself when destroyed, which its own callback may not do (defer it).
class IoWatch {
 public:
  static constexpr int kRead = EV_READ;
  static constexpr int kWrite = EV_WRITE;
  using Callback = std::function<void(int events)>;

  IoWatch(Loop& loop, Callback callback);
  IoWatch(const IoWatch&) = delete;
  IoWatch& operator=(const IoWatch&) = delete;
  ~IoWatch();
  /// Watches `fd` for `events`; 0 or -1: nothing. Cheap when nothing changes; `reopened` says that the number is the
  /// same and the file another.
  void watch(int fd, int events, bool reopened = false);

 private:
  static void called(struct ev_loop* loop, ev_io* watcher, int events) noexcept;
  Loop& loop_;
  ev_io io_{};
  Callback callback_;
  int fd_ = -1;
  int events_ = 0;
};

class Timer {
 public:
  using Callback = std::function<void()>;
  Timer(Loop& loop, Callback callback);
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer();
  void once(std::chrono::nanoseconds after);    ///< instead of what was set before
  void every(std::chrono::nanoseconds period);  ///< the first time after one period
  void cancel();
  [[nodiscard]] bool active() const { return ev_is_active(&timer_) != 0; }

 private:
  static void called(struct ev_loop* loop, ev_timer* watcher, int events) noexcept;
  Loop& loop_;
  ev_timer timer_{};
  Callback callback_;
};

}  // namespace fp
