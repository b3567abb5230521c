#include "frame/producer.h"

#include <poll.h>

#include <array>
#include <cerrno>

namespace fp {

Next wait_frame(Producer& producer, FramePtr& frame, int stop_fd, int wake_fd, std::optional<SteadyTime> until,
                const Clock& clock) {
  for (;;) {
    if (producer.ended()) return Next::Ended;  // with its last frame, perhaps: nothing would wake us
    const Producer::Wait wait = producer.wait();
    std::optional<SteadyTime> earliest = until;
    if (wait.until && (!earliest || *wait.until < *earliest)) earliest = wait.until;
    const short events = wait.write ? POLLOUT : POLLIN;
    std::array<pollfd, 3> fds = {pollfd{stop_fd, POLLIN, 0}, {wake_fd, POLLIN, 0}, {wait.fd, events, 0}};
    const int ready = ::poll(fds.data(), fds.size(), poll_timeout_ms(earliest, clock.steady()));
    const bool failed = ready < 0 && errno != EINTR;
    clock.waited();
    if (failed) return Next::Ended;
    if (fds[0].revents != 0) return Next::Stopped;
    frame = producer.advance();
    if (frame) return Next::Frame;
    if (fds[1].revents != 0 || (until && clock.steady() >= *until)) return Next::Woken;
  }
}

}  // namespace fp
