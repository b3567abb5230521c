// What makes frames, seen from whoever waits for them: an endpoint, a directory, a test card, a camera.
#pragma once

#include <optional>
#include <span>

#include "base/clock.h"
#include "base/wait.h"
#include "frame/frame.h"

namespace fp {

/// Sans-I/O towards its owner: wait() says what to wait for, advance() does what can be done then. Serves poll(2) in
/// the tools and libev in the server alike. One thread.
class Producer {
 public:
  using Wait = fp::Wait;

  virtual ~Producer() = default;
  [[nodiscard]] virtual Wait wait() const = 0;
  /// Does what can be done without blocking and gives the newest whole frame, or nullptr. Call when wait() is
  /// fulfilled; calling it at another time does no harm.
  [[nodiscard]] virtual FramePtr advance() = 0;
  /// Nothing will ever come again.
  [[nodiscard]] virtual bool ended() const = 0;
  /// Frames that were whole and never given out, because newer ones were there.
  [[nodiscard]] virtual std::uint64_t superseded() const = 0;

 protected:
  Producer() = default;
  Producer(const Producer&) = default;
  Producer(Producer&&) = default;
  Producer& operator=(const Producer&) = default;
  Producer& operator=(Producer&&) = default;
};

/// For programs without a loop: waits for a frame.
enum class Next { Frame, Ended, Stopped, Woken };
/// `stop_fd` is readable when the program should end, one of `wake_fds` when it has something else to do (-1: none; at
/// most 6); `until` is a time to come back at (Woken). Tells `clock` that it waited.
[[nodiscard]] Next wait_frame(Producer& producer, FramePtr& frame, int stop_fd, std::span<const int> wake_fds,
                              std::optional<SteadyTime> until, const Clock& clock);

}  // namespace fp
