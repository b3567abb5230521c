// Which frames are recorded when only events are: --when, --pre and --post.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>

#include "record/timed.h"

namespace fp::record {

/// The frames of the last moments, in memory, in case an event begins. All rings of a program share a budget of bytes:
/// beyond it the one that gets a frame gives up its oldest.
class Ring {
 public:
  struct Budget {
    std::size_t most_bytes = 256u << 20;
    std::size_t bytes = 0;        ///< of all rings
    std::uint64_t cut_short = 0;  ///< frames that were given up for others before their time
  };
  /// `budget` must outlive it. `keep` 0: none is kept.
  Ring(std::chrono::milliseconds keep, Budget& budget) : keep_(keep), budget_(&budget) {}
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring() { clear(); }

  /// Forgets what is older than `keep` then, and everything when the time goes back.
  void push(Timed timed);
  /// Those that are no older than `keep` at `now`, oldest first; none is left.
  std::deque<Timed> take(SteadyTime now);

 private:
  void drop_oldest();
  void forget(SteadyTime now);
  void clear();
  const std::chrono::milliseconds keep_;
  Budget* budget_;
  std::deque<Timed> frames_;
};

/// An event begins with a frame that a condition holds for, and ends when none was for longer than `post`. One
/// camera's.
class Trigger {
 public:
  struct Times {
    std::chrono::milliseconds pre{0};
    std::chrono::milliseconds post{0};
  };
  Trigger(Times times, Ring::Budget& budget) : times_(times), ring_(times.pre, budget) {}

  struct Step {
    std::deque<Timed> record;  ///< now, in this order
    bool end = false;          ///< the event before has ended; before `record`
    bool begin = false;        ///< an event begins with `record`
  };
  /// `holds`: the frame is a reason to record.
  [[nodiscard]] Step take(Timed timed, bool holds);
  /// No frame has come up to `now`: true when the event has ended by that, once.
  [[nodiscard]] bool over(SteadyTime now);
  [[nodiscard]] bool recording() const { return recording_; }
  /// When over() has something to say, if no frame comes before; only while recording().
  [[nodiscard]] SteadyTime ends() const { return last_ + times_.post; }

 private:
  const Times times_;
  Ring ring_;
  bool recording_ = false;
  SteadyTime last_{};  // that was a reason
};

}  // namespace fp::record
