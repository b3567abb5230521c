// A thread that looks at one frame at a time.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "base/event.h"
#include "detect/engine.h"

namespace fp {

/// put(), busy() and take() on one thread. What it is doing when destroyed is waited for.
class Worker {
 public:
  Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  /// From put() until take() has given what came of it.
  [[nodiscard]] bool busy() const { return busy_; }
  void put(detect::Work work);
  /// What came of it, or nothing yet.
  [[nodiscard]] std::optional<Result<FramePtr>> take();
  /// Waits for it; it must be busy.
  [[nodiscard]] Result<FramePtr> wait();
  [[nodiscard]] int fd() const { return done_.fd(); }  ///< readable when take() has something

 private:
  void run();

  bool busy_ = false;  // of the owner's thread
  Event done_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<detect::Work> work_;
  std::optional<Result<FramePtr>> outcome_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace fp
