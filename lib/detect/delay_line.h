// Frames on their way past a detector that is slower than they come.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "base/clock.h"
#include "frame/frame.h"

namespace fp::detect {

/// Holds every frame back for about as long as one is looked at, so that the result of one can leave with that very
/// frame, in its place between the others, and the picture keeps its rate.
///
/// The delay follows how long looks take: at once when one takes longer, slowly when they take less; it is at most
/// `kMostDelay`. A frame that is being looked at is waited for no longer than that; then it leaves without. When
/// several frames are due at once, the newest leaves and those before it that nobody looked at are dropped. One thread.
/// Memory: the frames of `kMostDelay`, at most 64 MiB of them.
class DelayLine {
 public:
  static constexpr std::chrono::milliseconds kMostDelay{2000};
  static constexpr std::size_t kMostBytes = 64u << 20;

  /// A frame arrives.
  void push(FramePtr frame, SteadyTime now);
  /// The newest frame that nobody has looked at, and from now on is looked at: its ticket for found(). nullptr when
  /// there is none.
  struct Look {
    FramePtr frame;
    std::uint64_t ticket = 0;
  };
  [[nodiscard]] std::optional<Look> begin_look();
  /// What became of it; nullptr: it passes as it came. False: it has left already.
  bool found(std::uint64_t ticket, FramePtr result, SteadyTime now);

  struct Leaving {
    FramePtr frame;        ///< or nullptr
    bool looked = false;   ///< found() came in time
    bool changed = false;  ///< with a result
  };
  /// The next frame that is due.
  [[nodiscard]] Leaving pop(SteadyTime now);
  /// When pop() is to be asked again; nothing while that depends on found() alone, or there are no frames.
  [[nodiscard]] std::optional<SteadyTime> due() const;
  /// All that is left, one after the other, whether due or not.
  [[nodiscard]] Leaving drain();
  void clear();

  [[nodiscard]] std::chrono::nanoseconds delay() const { return delay_; }
  [[nodiscard]] std::uint64_t dropped() const { return dropped_; }  ///< in favour of newer ones

 private:
  enum class State { Plain, InWork, Done };
  struct Entry {
    FramePtr frame;
    SteadyTime arrived;
    State state = State::Plain;
    std::uint64_t ticket = 0;
    bool changed = false;
  };
  [[nodiscard]] bool may_leave(const Entry& entry, SteadyTime now) const;
  Leaving take_first();

  std::deque<Entry> entries_;
  std::size_t bytes_ = 0;
  std::chrono::nanoseconds delay_{0};
  std::uint64_t tickets_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace fp::detect
