#include "frame/producer.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace fp {

Next wait_frame(Producer& producer, FramePtr& frame, int stop_fd, std::span<const int> wake_fds,
                std::optional<SteadyTime> until, const Clock& clock) {
  for (;;) {
    if (producer.ended()) return Next::Ended;  // with its last frame, perhaps: nothing would wake us
    const Producer::Wait wait = producer.wait();
    std::optional<SteadyTime> earliest = until;
    if (wait.until && (!earliest || *wait.until < *earliest)) earliest = wait.until;
    const short events = wait.write ? POLLOUT : POLLIN;
    std::array<pollfd, 8> fds = {pollfd{stop_fd, POLLIN, 0}, {wait.fd, events, 0}};
    const std::span wakes = std::span(fds).subspan(2, std::min(wake_fds.size(), fds.size() - 2));
    for (std::size_t i = 0; i < wakes.size(); ++i) wakes[i] = {wake_fds[i], POLLIN, 0};
    const int ready = ::poll(fds.data(), 2 + wakes.size(), poll_timeout_ms(earliest, clock.steady()));
    const bool failed = ready < 0 && errno != EINTR;
    clock.waited();
    if (failed) return Next::Ended;
    if (fds[0].revents != 0) return Next::Stopped;
    frame = producer.advance();
    if (frame) return Next::Frame;
    const bool woken = std::any_of(wakes.begin(), wakes.end(), [](const pollfd& fd) { return fd.revents != 0; });
    if (woken || (until && clock.steady() >= *until)) return Next::Woken;
  }
}

}  // namespace fp
