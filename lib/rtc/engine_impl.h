// What an Engine holds. For lib/rtc alone.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "rtc/engine.h"
#include "rtc/gst.h"

namespace fp::rtc {

struct Engine::Impl {
  Impl(Loop& the_loop, Report the_report);
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl();

  /// All pipelines run by this clock and began at once, so that a time in one is the same in the others.
  void adopt(GstElement* pipeline) const;
  [[nodiscard]] std::uint64_t running_ns() const;

  /// Takes the pipeline down and lets go of it, on a thread of its own: that may take 50 ms. Any thread.
  void bury(ElementRef pipeline);
  /// Until all pipelines are down, in a hurry: relays are not asked to let go of what they have for us.
  void wait();
  [[nodiscard]] std::size_t pipelines() const;
  /// Waits until all that was buried is down, and ends the thread.
  void finish();

  Loop& loop;
  const Report report;

 private:
  void dig();

  GstRef<GstClock> clock_;
  std::uint64_t began_ns_ = 0;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<ElementRef> dead_;
  mutable std::size_t alive_ = 0;
  bool leaving_ = false;
  bool ending_ = false;
  std::thread digger_;
};

}  // namespace fp::rtc
