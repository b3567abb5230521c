#include "frame/input.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "base/text.h"

namespace fp {
namespace {

using namespace std::chrono_literals;

// One frame of up to 1 MB fits into the pipe, so that its writer is not woken for each 64 KiB of it.
constexpr int kPipeBytes = 1 << 20;
// A writer that is silent for so long has written what it had to: two writes in a row are none.
constexpr auto kPause = 5ms;
// Viewers should have their picture back within a second of their camera's return.
constexpr auto kHttpLastWait = 800ms;
constexpr std::size_t kBytesPerTurn = 16u << 20;
constexpr int kReadsPerTurn = 512;  // a peer may send a byte at a time
constexpr auto kHttpFrameTimeout = 10s;
constexpr Backoff::Duration kPagePause = 5s;
// A camera that has single pictures only is asked for one so often.
constexpr auto kPictureInterval = 1s;

bool readable_now(int fd) {
  pollfd one{fd, POLLIN, 0};
  return ::poll(&one, 1, 0) > 0;
}

bool hung_up(int fd) {
  pollfd one{fd, POLLIN, 0};
  return ::poll(&one, 1, 0) > 0 && (one.revents & POLLHUP) != 0;
}

bool is_picture(std::string_view content_type) {
  return starts_with_ignoring_case(content_type, "image/jpeg") || starts_with_ignoring_case(content_type, "image/jpg");
}

std::string seconds(std::chrono::milliseconds time) {
  return time % 1s == 0ms ? std::to_string(time / 1s) + " s" : std::to_string(time.count()) + " ms";
}

}  // namespace

Input::Input(Endpoint endpoint, Options options, const Clock& clock, Report report)
    : endpoint_(std::move(endpoint)),
      options_(std::move(options)),
      clock_(&clock),
      report_(std::move(report)),
      every_frame_(options_.every_frame),
      backoff_(endpoint_.kind == Endpoint::Kind::Http ? kHttpLastWait : Backoff::kLast),
      skip_reporter_(endpoint_.text == "-" ? "standard input" : endpoint_.text, report_),
      parser_({options_.max_frame_bytes, endpoint_.network()}) {}

Result<Input> Input::open(const Endpoint& endpoint, Options options, const Clock& clock, Report report) {
  Input input(endpoint, std::move(options), clock, std::move(report));
  const auto kind = endpoint.kind;
  input.reopens_ = kind == Endpoint::Kind::Exec || kind == Endpoint::Kind::Tcp || kind == Endpoint::Kind::Unix ||
                   kind == Endpoint::Kind::Http || endpoint.listens();
  if (kind == Endpoint::Kind::Http) {
    auto url = http::parse_url(endpoint.address);
    if (!url) return fail(std::move(url).error());
    input.client_ = std::make_unique<http::Client>(std::move(*url), input.options_.http, clock);
    if (!input.options_.frame_timeout) input.options_.frame_timeout = kHttpFrameTimeout;
  }
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
  frame_since_ = clock_->steady();
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
    case Endpoint::Kind::Http:
      reading_ = Reading::Socket;
      ask_at_ = clock_->steady();
      return Done{};
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
  frame_since_ = clock_->steady();
  ++figures_.opened;
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
  const bool page = answer_is_page();
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
  if (client_) client_->close();
  ask_at_.reset();
  if (!reopens_) {
    state_ = State::Ended;
    trouble_ = text;
    return;
  }
  if (frame_since_open_) backoff_.reset();
  const bool news = told_trouble_ != text;
  state_ = State::Opening;
  trouble_ = text;
  const std::string name = text.find(endpoint_.text) == std::string::npos ? endpoint_.text + ": " : "";
  if (news && report_) report_(Severity::Warning, name + text + "; trying again");
  told_trouble_ = text;
  auto pause = backoff_.next();
  if (client_) pause = std::max(pause, client_->pause());
  if (page) pause = std::max(pause, kPagePause);
  if (!endpoint_.listens()) retry_at_ = clock_->steady() + pause;
}

void Input::drop_connector() {
  if (!connector_) return;
  generation_ += connector_->wait().generation + 1;
  connector_.reset();
}

void Input::restart(const std::string& why) {
  if (state_ == State::Open) give_up(why);
}

void Input::give_up(const std::string& why) {
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
  Wait wait = bytes_wait();
  if (const auto due = frame_due()) wait.until = wait.until ? std::min(*wait.until, *due) : *due;
  return wait;
}

Input::Wait Input::bytes_wait() const {
  if (state_ == State::Ended) return {};
  if (state_ == State::Opening && retry_at_) return {-1, false, retry_at_, generation_};
  if (client_) {
    Wait wait = client_->wait();
    wait.generation += generation_;
    if (ask_at_) wait.until = ask_at_;
    if (!drained_) wait.until = clock_->steady();
    return wait;
  }
  if (state_ == State::Open) {
    return {source_fd(), false, drained_ ? std::nullopt : std::optional(clock_->steady()), generation_};
  }
  if (connector_) {
    Wait wait = connector_->wait();
    wait.generation += generation_;
    return wait;
  }
  if (connecting_) return {owned_.get(), true, connect_until_, generation_};
  return {listener_.get(), false, std::nullopt, generation_};
}

// When it is opened again for want of a frame.
std::optional<SteadyTime> Input::frame_due() const {
  const bool trying = connecting_ || connector_ || (client_ && !retry_at_);
  if (!options_.frame_timeout || *options_.frame_timeout == 0ms || state_ == State::Ended) return std::nullopt;
  if (state_ == State::Opening && !trying) return std::nullopt;
  return frame_since_ + *options_.frame_timeout;
}

FramePtr Input::advance() {
  took_bytes_ = false;
  FramePtr frame = turn();
  const SteadyTime now = clock_->steady();
  if (frame) frame_since_ = now;
  const auto due = frame_due();
  // Whoever reads every frame may come seldom: what has waited for us meanwhile is looked at first.
  if (!due || now < *due || (took_bytes_ && now < *due + *options_.frame_timeout)) return frame;
  give_up("no frame for " + seconds(*options_.frame_timeout) + http_remark());
  return frame;
}

// Of a server, and no stream: asking for it over and over does not make it one.
bool Input::answer_is_page() const {
  if (!client_ || frame_since_open_ || client_->state() == http::Client::State::Opening) return false;
  const std::string type = lower(client_->head().header("Content-Type").value_or(""));
  return type.starts_with("text/html") || type.starts_with("application/json");
}

// What the answer, or the way to it, has to do with it that there are no frames.
std::string Input::http_remark() const {
  if (!client_) return "";
  if (client_->state() == http::Client::State::Opening)
    return std::string(" (waiting for ") + client_->waits_for() + ")";
  const auto type = client_->head().header("Content-Type");
  if (frame_since_open_ || !client_->head().present) return "";
  return " (the answer is " + (type ? printable(*type, 80) : "of no type") + ")";
}

// Towards an open answer; true when it is.
bool Input::open_http() {
  if (ask_at_) {
    if (clock_->steady() < *ask_at_) return false;
    ask_at_.reset();
    asked_ = clock_->steady();
    has_picture_ = false;
    client_->start();
  }
  switch (client_->advance()) {
    case http::Client::State::Failed:
      lost(client_->error().text);
      return false;
    case http::Client::State::Open:
      break;
    default:
      return false;
  }
  if (state_ == State::Open) return true;
  const http::ResponseHead& head = client_->head();
  const std::string type(head.header("Content-Type").value_or(""));
  snapshot_ = is_picture(type);
  if (head.present) parser_.announce(head.status, type);
  opened();
  return true;
}

// Whether the answer was one picture, and has been read: the next one is asked for when it is time.
bool Input::answer_over() {
  if (!client_ || !snapshot_ || !has_picture_) return false;
  client_->close();
  ask_at_ = std::max(asked_ + kPictureInterval, clock_->steady());
  return true;
}

FramePtr Input::turn() {
  if (client_ && state_ != State::Ended && !retry_at_ && client_->state() != http::Client::State::Open) {
    if (!open_http()) return nullptr;
  }
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
  if (client_) return client_->read(room, again);
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
    // Only now: what opens and ends without a frame, again and again, is told once.
    if (!told_trouble_.empty() && report_) report_(Severity::Info, endpoint_.text + ": frames come again");
    told_trouble_.clear();
    frame_since_open_ = has_picture_ = true;
    if (newest) ++figures_.superseded;
    newest = std::move(frame);
  };
  for (int reads = 0; taken < kBytesPerTurn && reads < kReadsPerTurn; ++reads) {
    while (auto frame = parser_.next()) {
      give(std::move(*frame));
      if (every_frame_) {
        drained_ = false;
        return std::make_shared<const Frame>(std::move(*newest));
      }
    }
    drained_ = true;
    if (answer_over()) break;
    bool again = false;
    auto got = read_some(parser_.room(), again);
    if (!got || (*got == 0 && !again)) {
      lost(got ? "end of stream" + http_remark() : got.error().text);
      break;
    }
    if (again) break;
    const SteadyTime now = clock_->steady();
    if (now - last_read_ >= kPause) parser_.note_pause();
    last_read_ = now;
    taken += *got;
    took_bytes_ = true;
    figures_.bytes += *got;
    parser_.commit(*got, clock_->wall());
  }
  if (taken >= kBytesPerTurn && every_frame_) {
    drained_ = false;  // what has come with the last bytes is for the next turns, one by one
  } else if (taken >= kBytesPerTurn) {
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
  if (client_) client_->close();
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
