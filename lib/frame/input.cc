#include "frame/input.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/text.h"

namespace fp {
namespace {

using namespace std::chrono_literals;

// One frame of up to 1 MB fits into the pipe, so that its writer is not woken for each 64 KiB of it.
constexpr int kPipeBytes = 1 << 20;
// A writer that is silent for so long has written what it had to: two writes in a row are none.
constexpr auto kPause = 5ms;
constexpr std::size_t kBytesPerTurn = 16u << 20;

bool readable_now(int fd) {
  pollfd one{fd, POLLIN, 0};
  return ::poll(&one, 1, 0) > 0;
}

bool hung_up(int fd) {
  pollfd one{fd, POLLIN, 0};
  return ::poll(&one, 1, 0) > 0 && (one.revents & POLLHUP) != 0;
}

}  // namespace

Input::Input(Endpoint endpoint, Options options, const Clock& clock, Report report)
    : endpoint_(std::move(endpoint)),
      options_(std::move(options)),
      clock_(&clock),
      report_(std::move(report)),
      every_frame_(options_.every_frame),
      skip_reporter_(endpoint_.text == "-" ? "standard input" : endpoint_.text, report_),
      parser_({options_.max_frame_bytes, endpoint_.network()}) {}

Result<Input> Input::open(const Endpoint& endpoint, Options options, const Clock& clock, Report report) {
  Input input(endpoint, std::move(options), clock, std::move(report));
  const auto kind = endpoint.kind;
  input.reopens_ =
      kind == Endpoint::Kind::Exec || kind == Endpoint::Kind::Tcp || kind == Endpoint::Kind::Unix || endpoint.listens();
  if (endpoint.listens()) {
    auto listener = kind == Endpoint::Kind::UnixListen ? listen_unix(endpoint.address)
                                                       : listen_tcp({endpoint.address, endpoint.port});
    if (!listener) return fail(std::move(listener).error());
    input.listener_ = std::move(*listener);
    input.trouble_ = "waiting for a producer";
    return input;
  }
  Result<Done> started = input.start();
  if (!started && !input.reopens_) return fail(std::move(started).error());
  if (!started) input.lost(started.error().text);
  return input;
}

// How to read without blocking from a descriptor that others may share: O_NONBLOCK is a property of the open file, so
// it is never set on one that we inherited.
bool Input::adopt(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return false;
  if (S_ISFIFO(info.st_mode)) {
    ::fcntl(fd, F_SETPIPE_SZ, kPipeBytes);  // may be refused (pipe-user-pages-soft): then it stays as it is
    Fd own(::open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    reading_ = own ? Reading::NonBlocking : Reading::Poll;
    if (own) owned_ = std::move(own);
  } else if (S_ISSOCK(info.st_mode)) {
    reading_ = Reading::Socket;
  } else if (S_ISREG(info.st_mode)) {
    reading_ = Reading::Plain;
    every_frame_ = true;  // design, section 1: reading a regular file implies it
  } else {
    reading_ = Reading::Poll;
  }
  if (!owned_) borrowed_ = fd;
  return true;
}

Result<Done> Input::start() {
  ++generation_;
  owned_.reset();
  borrowed_ = -1;
  switch (endpoint_.kind) {
    case Endpoint::Kind::Standard:
    case Endpoint::Kind::Fd: {
      const int fd = endpoint_.kind == Endpoint::Kind::Standard ? STDIN_FILENO : endpoint_.fd;
      if (!adopt(fd))
        return fail(io_error(endpoint_.kind == Endpoint::Kind::Standard ? "standard input" : endpoint_.text));
      break;
    }
    case Endpoint::Kind::Path: {
      // O_NONBLOCK: opening a FIFO must not wait for its writer.
      Fd fd(::open(endpoint_.address.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
      if (!fd) return fail(io_error(endpoint_.address));
      struct stat info {};
      if (::fstat(fd.get(), &info) == 0 && S_ISDIR(info.st_mode)) return fail(io_error(endpoint_.address, EISDIR));
      reopens_ = S_ISFIFO(info.st_mode);
      if (reopens_) ::fcntl(fd.get(), F_SETPIPE_SZ, kPipeBytes);
      reading_ = S_ISREG(info.st_mode) ? Reading::Plain : Reading::NonBlocking;
      every_frame_ = options_.every_frame || S_ISREG(info.st_mode);
      owned_ = std::move(fd);
      break;
    }
    case Endpoint::Kind::Tcp:
      reading_ = Reading::Socket;
      connector_.emplace(endpoint_.address, endpoint_.port, clock_->steady());
      return Done{};
    case Endpoint::Kind::Unix: {
      auto fd = connect_unix(endpoint_.address);
      if (!fd) return fail(std::move(fd).error());
      owned_ = std::move(*fd);
      reading_ = Reading::Socket;
      connecting_ = true;
      connect_until_ = clock_->steady() + 5s;
      return Done{};
    }
    case Endpoint::Kind::Exec: {
      auto child = ChildProcess::shell(endpoint_.address, ChildProcess::Pipe::FromChild,
                                       {options_.exec_input, static_cast<bool>(options_.exec_errors)});
      if (!child) return fail(std::move(child).error());
      child_.emplace(std::move(*child));
      // Ours alone: nobody shares this end of the pipe.
      ::fcntl(child_->fd(), F_SETFL, O_NONBLOCK);
      ::fcntl(child_->fd(), F_SETPIPE_SZ, kPipeBytes);
      reading_ = Reading::NonBlocking;
      break;
    }
    case Endpoint::Kind::UnixListen:
    case Endpoint::Kind::TcpListen:
      return Done{};  // the next producer is accepted in advance()
    case Endpoint::Kind::None:
      state_ = State::Ended;
      return Done{};
  }
  opened();
  return Done{};
}

void Input::opened() {
  connecting_ = false;
  state_ = State::Open;
  if (figures_.opened++ > 0 && report_ && !trouble_.empty()) {
    report_(Severity::Info, endpoint_.text + ": open again");
  }
  trouble_.clear();
  frame_since_open_ = false;
}

void Input::end_stream() {
  parser_.end();
  skip_reporter_.update(skips(), clock_->steady());
  skips_before_ += parser_.skips();
  last_framing_ = parser_.framing();
  parser_ = StreamParser({options_.max_frame_bytes, endpoint_.network()});
}

void Input::lost(const std::string& why) {
  ++figures_.lost;
  end_stream();
  std::string text = why;
  if (child_) {
    // Its end of the pipe closes a moment before it has ended.
    child_->wait_for_exit(20ms);
    const auto status = child_->poll_exit();
    if (status) text = describe_exit(*status);
    read_child_errors();
    if (!child_error_.empty()) text = options_.exec_errors(child_error_);
    child_error_.clear();
    if (options_.exec_once) reopens_ = false;
    child_.reset();  // its whole group, too
  }
  ++generation_;
  owned_.reset();
  borrowed_ = -1;
  connecting_ = false;
  drop_connector();
  if (!reopens_) {
    state_ = State::Ended;
    trouble_ = text;
    return;
  }
  if (frame_since_open_) backoff_.reset();
  const bool news = state_ == State::Open || trouble_ != text;
  state_ = State::Opening;
  trouble_ = text;
  const std::string name = text.find(endpoint_.text) == std::string::npos ? endpoint_.text + ": " : "";
  if (news && report_) report_(Severity::Warning, name + text + "; trying again");
  if (!endpoint_.listens()) retry_at_ = clock_->steady() + backoff_.next();
}

void Input::drop_connector() {
  if (!connector_) return;
  generation_ += connector_->wait().generation + 1;
  connector_.reset();
}

void Input::restart(const std::string& why) {
  if (state_ != State::Open) return;
  child_error_.clear();
  if (child_) child_->kill();
  child_.reset();
  lost(why);
}

// Read as it comes, since a child waits when its pipe is full; the last line is kept.
void Input::read_child_errors() {
  if (!child_ || !options_.exec_errors) return;
  const std::string text = child_->read_errors();
  for (const std::string_view line : split(text, '\n')) {
    if (!trim(line).empty()) child_error_ = printable(trim(line), 400);
  }
}

int Input::source_fd() const {
  if (child_) return child_->fd();
  return owned_ ? owned_.get() : borrowed_;
}

Input::Wait Input::wait() const {
  switch (state_) {
    case State::Ended:
      return {};
    case State::Open:
      return {source_fd(), false, drained_ ? std::nullopt : std::optional(clock_->steady()), generation_};
    case State::Opening:
      break;
  }
  if (connector_) {
    Wait wait = connector_->wait();
    wait.generation += generation_;
    return wait;
  }
  if (connecting_) return {owned_.get(), true, connect_until_, generation_};
  if (listener_) return {listener_.get(), false, std::nullopt, generation_};
  return {-1, false, retry_at_, generation_};
}

FramePtr Input::advance() {
  if (state_ == State::Opening) {
    if (connecting_) {
      pollfd one{owned_.get(), POLLOUT, 0};
      if (::poll(&one, 1, 0) == 0) {
        if (connect_until_ && clock_->steady() >= *connect_until_) lost("no answer within 5 s");
        return nullptr;
      }
      if (const int error = connect_error(owned_.get()); error != 0) {
        lost(io_error("connect", error).text);
        return nullptr;
      }
      opened();
    } else if (connector_) {
      auto socket = connector_->advance(clock_->steady());
      if (!socket) return nullptr;
      drop_connector();
      if (!*socket) {
        lost(socket->error().text);
        return nullptr;
      }
      owned_ = std::move(**socket);
      set_keepalive(owned_.get());
      opened();
    } else if (listener_) {
      Fd peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (!peer) return nullptr;
      set_keepalive(peer.get());
      owned_ = std::move(peer);
      ++generation_;
      reading_ = Reading::Socket;
      opened();
    } else if (retry_at_ && clock_->steady() >= *retry_at_) {
      retry_at_.reset();
      if (Result<Done> started = start(); !started) {
        lost(started.error().text);
        return nullptr;
      }
    }
  }
  return state_ == State::Open ? read_frames() : nullptr;
}

Result<std::size_t> Input::read_some(std::span<std::uint8_t> room, bool& again) {
  again = false;
  const int fd = source_fd();
  if (reading_ == Reading::Poll && !readable_now(fd)) {
    again = true;
    return 0;
  }
  const ssize_t got = reading_ == Reading::Socket ? ::recv(fd, room.data(), room.size(), MSG_DONTWAIT)
                                                  : ::read(fd, room.data(), room.size());
  // A FIFO that nobody has opened for writing yet reads like one whose writer has left; poll(2) tells them apart.
  again = got == 0 && endpoint_.kind == Endpoint::Kind::Path && reopens_ && !hung_up(fd);
  if (got >= 0) return static_cast<std::size_t>(got);
  again = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
  if (again) return 0;
  return fail(io_error("read"));
}

FramePtr Input::read_frames() {
  read_child_errors();
  std::optional<Frame> newest;
  std::size_t taken = 0;
  const auto give = [&](Frame&& frame) {
    ++figures_.frames;
    frame_since_open_ = true;
    if (newest) ++figures_.superseded;
    newest = std::move(frame);
  };
  while (taken < kBytesPerTurn) {
    while (auto frame = parser_.next()) {
      give(std::move(*frame));
      if (every_frame_) {
        drained_ = false;
        return std::make_shared<const Frame>(std::move(*newest));
      }
    }
    drained_ = true;
    bool again = false;
    auto got = read_some(parser_.room(), again);
    if (!got || (*got == 0 && !again)) {
      lost(got ? "end of stream" : got.error().text);
      break;
    }
    if (again) break;
    const SteadyTime now = clock_->steady();
    if (now - last_read_ >= kPause) parser_.note_pause();
    last_read_ = now;
    taken += *got;
    figures_.bytes += *got;
    parser_.commit(*got, clock_->wall());
  }
  if (taken >= kBytesPerTurn) {
    while (auto frame = parser_.next()) give(std::move(*frame));
  }
  skip_reporter_.update(skips(), clock_->steady());
  return newest ? std::make_shared<const Frame>(std::move(*newest)) : nullptr;
}

Skips Input::skips() const {
  Skips all = skips_before_;
  all += parser_.skips();
  return all;
}

std::uint16_t Input::port() const { return local_port(listener_.get()); }

void Input::begin_close() {
  state_ = State::Ended;
  closing_since_ = clock_->steady();
  if (child_) {
    child_->close_pipe();
    child_->terminate();
  }
  owned_.reset();
  borrowed_ = -1;
  drop_connector();
  if (listener_ && !socket_file(endpoint_).empty()) ::unlink(endpoint_.address.c_str());
  listener_.reset();
}

bool Input::closed() {
  if (child_ && (child_->poll_exit() || clock_->steady() - closing_since_ > 1s)) child_.reset();
  return !child_;
}

void Input::close(std::chrono::milliseconds grace) {
  begin_close();
  if (child_) child_->stop(grace);
  child_.reset();
}

}  // namespace fp
