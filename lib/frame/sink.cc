#include "frame/sink.h"

#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
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

constexpr std::size_t kMostLines = 1024;  // of text that wait: at 16 KiB the largest, 16 MiB

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

}  // namespace

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

// Each line may tell of an event, so they queue: a reader is slow when it leaves as many as that.
bool Sink::put_line(std::string line) {
  std::unique_lock lock(mutex_);
  if (options_.every_frame) taken_.wait(lock, [&] { return lines_.size() < kMostLines || gone_ || finishing_; });
  if (gone_) return false;
  if (lines_.size() >= kMostLines) {
    ++figures_.dropped;
    lines_.pop_front();
  }
  lines_.push_back(std::move(line));
  lock.unlock();
  wake_.raise();
  return true;
}

bool Sink::put(FramePtr frame) {
  if (options_.line) return put_line(options_.line(*frame));
  std::unique_lock lock(mutex_);
  if (options_.every_frame) taken_.wait(lock, [&] { return !pending_ || gone_ || finishing_; });
  if (gone_) return false;
  if (idle_ != nullptr && !pending_ && !begun_ && write_now(frame)) {
    if (begun_ || options_.measure) wake_.raise();
    return true;
  }
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
  if (taking_since_) figures.taking = std::chrono::steady_clock::now() - *taking_since_;
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
      target->gate = gate_of(target->get());
      target->paced = !options_.line;
      const int flags = ::fcntl(target->get(), F_GETFL);
      target->never_blocks =
          target->socket() || (target->gate == Gate::Pipe && flags >= 0 && (flags & O_NONBLOCK) != 0);
      connected_ = true;
      const std::uint64_t before = figures().written;
      more = serve(*target);
      connected_ = false;
      {
        const std::lock_guard lock(mutex_);
        taking_since_.reset();  // nobody will ever know
      }
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
    std::optional<Part> part;
    {
      const std::lock_guard lock(mutex_);
      part = std::exchange(begun_, std::nullopt);
    }
    if (!part) {
      if (!options_.every_frame && target.paced) {
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
        if (frame) begin_taking();
        if (!lines_.empty()) {
          part.emplace(std::move(lines_.front()));
          lines_.pop_front();
        }
      }
      taken_.notify_all();
      if (!frame && !part) continue;
      if (frame) part = part_of(frame);
    }
    Result<Done> written = write_part(target, *part);
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
    figures_.bytes += part->size();
    if (options_.limit > 0 && figures_.written >= options_.limit) return false;
  }
}

Sink::Wait Sink::wait_frame(const Target& target) {
  for (;;) {
    bool look_again = false;
    {
      const std::lock_guard lock(mutex_);
      if (!begun_) note_taken(target);
      look_again = taking_since_.has_value();
      if (pending_ || begun_ || !lines_.empty()) return Wait::Ready;
      if (finishing_) return Wait::Stop;
      // The limit is counted in one place: with one, all is left to the thread.
      if (target.never_blocks && !options_.every_frame && options_.limit == 0) idle_ = &target;
    }
    // No events asked of the target: POLLERR and POLLHUP come all the same when its reader leaves.
    std::array<pollfd, 2> fds = {pollfd{wake_.fd(), POLLIN, 0}, {target.get(), 0, 0}};
    ::poll(fds.data(), fds.size(), look_again ? 1 : -1);
    wake_.lower();
    const bool lost = (fds[1].revents & (POLLERR | POLLHUP | POLLNVAL)) != 0;
    const std::lock_guard lock(mutex_);
    idle_ = nullptr;
    if (lost) begun_.reset();  // its rest is nothing for the next target
    if (lost) return Wait::Lost;
  }
}

// Under the mutex, in put(). False: the reader has not taken the frame before.
bool Sink::write_now(const FramePtr& frame) {
  if (untaken_bytes(idle_->get(), idle_->gate) > 0) return false;
  begin_taking();
  Part part = part_of(frame);
  if (part.write_some(*idle_) == 0 && part.written()) {
    ++figures_.written;
    figures_.bytes += part.size();
  } else {
    begun_ = std::move(part);  // an error, too: the thread will meet it again
  }
  return true;
}

// Both under the mutex. A frame that is followed by the next one has been taken; with every_frame nobody asks before.
void Sink::begin_taking() {
  if (!options_.measure) return;
  end_taking();
  taking_since_ = std::chrono::steady_clock::now();
}

void Sink::note_taken(const Target& target) {
  if (taking_since_ && untaken_bytes(target.get(), target.gate) == 0) end_taking();
}

void Sink::end_taking() {
  if (!taking_since_) return;
  ++figures_.taken;
  figures_.take_time = std::chrono::steady_clock::now() - *taking_since_;
  taking_since_.reset();
}

// A pipe's POLLOUT does not say "empty": look again each millisecond, only while a frame waits.
Sink::Wait Sink::wait_drained(const Target& target) {
  while (untaken_bytes(target.get(), target.gate) > 0) {
    pollfd reader{target.get(), 0, 0};
    ::poll(&reader, 1, 1);
    if ((reader.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0) return Wait::Lost;
    if (out_of_time()) return Wait::Stop;
  }
  return Wait::Ready;
}

Part Sink::part_of(const FramePtr& frame) const {
  std::string trace;
  if (options_.trace) trace = with_hop(frame->trace, *options_.trace, frame->received, SystemClock().wall());
  std::string header = part_header(*frame, {.camera = {}, .trace = trace});
  return {frame, std::move(header)};
}

Result<Done> Sink::write_part(const Target& target, Part& part) {
  while (!part.written()) {
    const int error = part.write_some(target);
    if (error == EAGAIN) {
      pollfd writable{target.get(), POLLOUT, 0};
      const int left_ms = time_left_ms();
      const int ready = ::poll(&writable, 1, left_ms < 0 ? 100 : std::min(left_ms, 100));
      if (ready == 0 && out_of_time()) return fail(io_error(name_, ETIMEDOUT));
    } else if (error != 0) {
      return fail(io_error(name_, error));
    }
  }
  return Done{};
}

int Part::write_some(const Target& target) {
  const auto base = [](const auto* bytes) { return const_cast<void*>(static_cast<const void*>(bytes)); };
  std::array<iovec, 3> all = {iovec{base(header_.data()), header_.size()},
                              {base(body_.data()), body_.size()},
                              {base(end_.data()), end_.size()}};
  std::size_t first = 0;
  std::size_t skip = at_;
  while (skip >= all[first].iov_len) skip -= all[first++].iov_len;
  all[first].iov_base = static_cast<char*>(all[first].iov_base) + skip;
  all[first].iov_len -= skip;
  msghdr message{};
  message.msg_iov = &all[first];
  message.msg_iovlen = all.size() - first;
  ssize_t sent = -1;
  do {
    sent = target.socket() ? ::sendmsg(target.get(), &message, MSG_NOSIGNAL | MSG_DONTWAIT)
                           : ::writev(target.get(), message.msg_iov, static_cast<int>(message.msg_iovlen));
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return errno;
  at_ += static_cast<std::size_t>(sent);
  return 0;
}

}  // namespace fp
