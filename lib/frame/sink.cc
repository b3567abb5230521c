#include "frame/sink.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>

#include "base/backoff.h"

namespace fp {
namespace {

using namespace std::chrono_literals;

enum class Gate { None, Pipe, Unix, Tcp };

Gate gate_of(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return Gate::None;
  if (S_ISFIFO(info.st_mode)) return Gate::Pipe;
  if (!S_ISSOCK(info.st_mode)) return Gate::None;
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return Gate::None;
  return address.ss_family == AF_UNIX ? Gate::Unix : Gate::Tcp;
}

// How many bytes the reader has not taken yet. On a regular file FIONREAD means something else: never asked there.
int untaken_bytes(int fd, Gate gate) {
  int bytes = 0;
  switch (gate) {
    case Gate::None:
      return 0;
    case Gate::Pipe:
      return ::ioctl(fd, FIONREAD, &bytes) == 0 ? bytes : 0;
    case Gate::Unix:
      return ::ioctl(fd, SIOCOUTQ, &bytes) == 0 ? bytes : 0;
    case Gate::Tcp:
      return ::ioctl(fd, SIOCOUTQNSD, &bytes) == 0 ? bytes : 0;
  }
  return 0;
}

bool is_socket(int fd) {
  struct stat info {};
  return ::fstat(fd, &info) == 0 && S_ISSOCK(info.st_mode);
}

}  // namespace

Event::Event() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!fd_) throw Failure{Exit::System, io_error("eventfd").text};
}
void Event::raise() const {
  // Full (EAGAIN) is raised enough.
  (void)::eventfd_write(fd_.get(), 1);
}
void Event::lower() const {
  eventfd_t count = 0;
  (void)::eventfd_read(fd_.get(), &count);
}

Sink::Sink(OpenTarget open, bool reopens, Output::Options options, std::string name, Report report,
           std::function<void()> on_gone)
    : open_(std::move(open)),
      reopens_(reopens),
      options_(std::move(options)),
      name_(std::move(name)),
      report_(std::move(report)),
      on_gone_(std::move(on_gone)),
      thread_([this] { run(); }) {}

Sink::~Sink() { finish(0ms); }

bool Sink::put(FramePtr frame) {
  std::unique_lock lock(mutex_);
  if (options_.every_frame) taken_.wait(lock, [&] { return !pending_ || gone_ || finishing_; });
  if (gone_) return false;
  if (pending_) ++figures_.dropped;
  pending_ = std::move(frame);
  lock.unlock();
  wake_.raise();
  return true;
}

void Sink::drain(std::optional<std::chrono::milliseconds> limit) {
  {
    const std::lock_guard lock(mutex_);
    finishing_ = true;
    if (limit) deadline_ = std::chrono::steady_clock::now() + *limit;
  }
  wake_.raise();
  taken_.notify_all();
}

void Sink::finish(std::chrono::milliseconds grace) {
  drain(grace);
  if (thread_.joinable()) thread_.join();
}

Output::Figures Sink::figures() const {
  const std::lock_guard lock(mutex_);
  Output::Figures figures = figures_;
  figures.readers = connected_ ? 1 : 0;
  return figures;
}

std::optional<Error> Sink::error() const {
  const std::lock_guard lock(mutex_);
  return error_;
}

bool Sink::out_of_time() const {
  const std::lock_guard lock(mutex_);
  return deadline_ && std::chrono::steady_clock::now() >= *deadline_;
}

int Sink::time_left_ms() const {
  const std::lock_guard lock(mutex_);
  return deadline_ ? poll_timeout_ms(deadline_, std::chrono::steady_clock::now()) : -1;
}

void Sink::run() {
  Backoff backoff;
  for (bool more = true; more;) {
    Result<Target> target = open_();
    if (target) {
      connected_ = true;
      const std::uint64_t before = figures().written;
      more = serve(*target);
      connected_ = false;
      if (figures().written > before) backoff.reset();
      if (target->child) {
        // At the end of its input a command may have much to do yet (a muxer writes its index).
        target->child->close_pipe();
        const SteadyTime patience = std::chrono::steady_clock::now() + 500ms;
        while (!target->child->wait_for_exit(100ms) && !out_of_time() &&
               (!more || std::chrono::steady_clock::now() < patience)) {
        }
        target->child->stop(500ms);
      }
    } else if (!reopens_) {
      const std::lock_guard lock(mutex_);
      error_ = target.error();
      more = false;
    } else if (report_) {
      report_(Severity::Debug, target.error().text);
    }
    if (!more || !reopens_) break;
    // The wait before the next try ends early when the tool does.
    const SteadyTime until = std::chrono::steady_clock::now() + backoff.next();
    for (;;) {
      {
        const std::lock_guard lock(mutex_);
        if (finishing_) more = false;
      }
      const auto now = std::chrono::steady_clock::now();
      if (!more || now >= until) break;
      pollfd wake{wake_.fd(), POLLIN, 0};
      ::poll(&wake, 1, poll_timeout_ms(until, now));
      wake_.lower();
    }
  }
  {
    // Under the lock: a put() that is about to wait must not miss it.
    const std::lock_guard lock(mutex_);
    gone_ = true;
  }
  taken_.notify_all();
  if (on_gone_) on_gone_();
}

// Writes frames until the target is lost (true: try another) or the work is over (false).
bool Sink::serve(Target& target) {
  for (;;) {
    switch (wait_frame(target)) {
      case Wait::Stop:
        return false;
      case Wait::Lost:
        return reopens_;
      case Wait::Ready:
        break;
    }
    if (!options_.every_frame) {
      switch (wait_drained(target)) {
        case Wait::Stop:
          return false;
        case Wait::Lost:
          return reopens_;
        case Wait::Ready:
          break;
      }
    }
    FramePtr frame;
    {
      const std::lock_guard lock(mutex_);
      frame = std::exchange(pending_, nullptr);
    }
    taken_.notify_all();
    if (!frame) continue;
    Result<Done> written = write_frame(target, *frame);
    if (!written) {
      const bool left = written.error().sys == EPIPE || written.error().sys == ECONNRESET;
      if (reopens_) {
        if (report_) report_(Severity::Warning, name_ + ": " + written.error().text + "; opening it again");
        return true;
      }
      const std::lock_guard lock(mutex_);
      if (!left && written.error().sys != ETIMEDOUT) error_ = written.error();
      return false;
    }
    const std::lock_guard lock(mutex_);
    ++figures_.written;
    if (options_.limit > 0 && figures_.written >= options_.limit) return false;
  }
}

Sink::Wait Sink::wait_frame(const Target& target) {
  for (;;) {
    {
      const std::lock_guard lock(mutex_);
      if (pending_) return Wait::Ready;
      if (finishing_) return Wait::Stop;
    }
    // No events asked of the target: POLLERR and POLLHUP come all the same when its reader leaves.
    std::array<pollfd, 2> fds = {pollfd{wake_.fd(), POLLIN, 0}, {target.get(), 0, 0}};
    ::poll(fds.data(), fds.size(), -1);
    wake_.lower();
    if ((fds[1].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) return Wait::Lost;
  }
}

// A pipe's POLLOUT does not say "empty": look again each millisecond, only while a frame waits.
Sink::Wait Sink::wait_drained(const Target& target) {
  const Gate gate = gate_of(target.get());
  while (untaken_bytes(target.get(), gate) > 0) {
    pollfd reader{target.get(), 0, 0};
    ::poll(&reader, 1, 1);
    if ((reader.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) return Wait::Lost;
    if (out_of_time()) return Wait::Stop;
  }
  return Wait::Ready;
}

Result<Done> Sink::write_frame(Target& target, const Frame& frame) {
  std::string trace;
  if (options_.trace) {
    const WallTime now = SystemClock().wall();
    trace = with_hop(frame.trace, *options_.trace, frame.received, now);
  }
  std::string header = part_header(frame, {.camera = {}, .trace = trace});
  std::array<char, 2> line_end = {'\r', '\n'};
  const std::size_t total = header.size() + frame.jpeg.size() + line_end.size();
  std::array<iovec, 3> parts = {iovec{header.data(), header.size()},
                                {const_cast<std::uint8_t*>(frame.jpeg.data()), frame.jpeg.size()},
                                {line_end.data(), line_end.size()}};
  const int fd = target.get();
  const bool socket = is_socket(fd);
  for (std::size_t at = 0; at < parts.size();) {
    msghdr message{};
    message.msg_iov = &parts[at];
    message.msg_iovlen = parts.size() - at;
    const ssize_t sent = socket ? ::sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT)
                                : ::writev(fd, &parts[at], static_cast<int>(parts.size() - at));
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno == EAGAIN) {
      pollfd writable{fd, POLLOUT, 0};
      const int ready = ::poll(&writable, 1, time_left_ms() < 0 ? 100 : std::min(time_left_ms(), 100));
      if (ready == 0 && out_of_time()) return fail(io_error(name_, ETIMEDOUT));
      continue;
    }
    if (sent < 0) return fail(io_error(name_));
    auto left = static_cast<std::size_t>(sent);
    while (at < parts.size() && left >= parts[at].iov_len) left -= parts[at++].iov_len;
    if (at < parts.size()) {
      parts[at].iov_base = static_cast<char*>(parts[at].iov_base) + left;
      parts[at].iov_len -= left;
    }
  }
  const std::lock_guard lock(mutex_);
  figures_.bytes += total;
  return Done{};
}

}  // namespace fp
