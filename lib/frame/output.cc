#include "frame/output.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <list>
#include <vector>

#include "base/connector.h"
#include "frame/sink.h"

namespace fp {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostReaders = 64;

// A pipe that we inherited, opened anew: the O_NONBLOCK of the new open file is ours alone.
Target borrow(int fd) {
  Target target;
  struct stat info {};
  if (::fstat(fd, &info) == 0 && S_ISFIFO(info.st_mode)) {
    target.fd = Fd(::open(("/proc/self/fd/" + std::to_string(fd)).c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  }
  if (!target.fd) target.borrowed = fd;
  return target;
}

Result<Target> connected(Result<Fd> fd, const std::string& name) {
  if (!fd) return fail(std::move(fd).error().in(name));
  pollfd one{fd->get(), POLLOUT, 0};
  if (::poll(&one, 1, 5000) == 0) return fail(io_error(name, ETIMEDOUT));
  if (const int error = connect_error(fd->get()); error != 0) return fail(io_error(name, error));
  set_keepalive(fd->get());
  Target target;
  target.fd = std::move(*fd);
  return target;
}

Result<Target> open_path(const std::string& path) {
  struct stat info {};
  const bool fifo = ::stat(path.c_str(), &info) == 0 && S_ISFIFO(info.st_mode);
  Target target;
  target.fd = Fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC | (fifo ? O_NONBLOCK : O_CREAT | O_TRUNC), 0666));
  if (!target.fd) return fail(io_error(path));  // ENXIO: a FIFO without a reader
  return target;
}

class Discard final : public Output {
 public:
  explicit Discard(Options options) : options_(std::move(options)) {}
  bool put(FramePtr frame) override {
    figures_.taken = ++figures_.written;
    figures_.bytes += frame->jpeg.size();
    if (options_.limit == 0 || figures_.written < options_.limit) return true;
    gone_.raise();
    return figures_.written == options_.limit;
  }
  [[nodiscard]] int gone_fd() const override { return gone_.fd(); }
  void drain() override { gone_.raise(); }
  void finish(std::chrono::milliseconds /*grace*/) override {}
  [[nodiscard]] Figures figures() const override { return figures_; }
  [[nodiscard]] std::optional<Error> error() const override { return std::nullopt; }
  [[nodiscard]] std::uint16_t port() const override { return 0; }

 private:
  Options options_;
  Figures figures_;
  Event gone_;
};

class Single final : public Output {
 public:
  Single(OpenTarget open, bool reopens, Options options, const std::string& name, Report report)
      : sink_(std::move(open), reopens, std::move(options), name, std::move(report), [this] { gone_.raise(); }) {}
  bool put(FramePtr frame) override { return sink_.put(std::move(frame)); }
  [[nodiscard]] int gone_fd() const override { return gone_.fd(); }
  void drain() override { sink_.drain(); }
  void finish(std::chrono::milliseconds grace) override { sink_.finish(grace); }
  [[nodiscard]] Figures figures() const override { return sink_.figures(); }
  [[nodiscard]] std::optional<Error> error() const override { return sink_.error(); }
  [[nodiscard]] std::uint16_t port() const override { return 0; }

 private:
  Event gone_;  // before the sink, whose thread raises it
  Sink sink_;
};

// A hub of readers, each with its own thread, slot and pace.
class Listening final : public Output {
 public:
  Listening(Fd listener, std::string unix_path, std::string name, Options options, Report report)
      : listener_(std::move(listener)),
        unix_path_(std::move(unix_path)),
        name_(std::move(name)),
        options_(std::move(options)),
        report_(std::move(report)),
        thread_([this] { accept_readers(); }) {}
  ~Listening() override { finish(0ms); }

  bool put(FramePtr frame) override {
    const std::lock_guard lock(mutex_);
    if (options_.limit > 0 && put_ >= options_.limit) return false;
    sweep();
    for (auto& reader : readers_) reader->put(frame);
    newest_ = std::move(frame);
    if (++put_ == options_.limit) gone_.raise();
    return true;
  }
  [[nodiscard]] int gone_fd() const override { return gone_.fd(); }
  void drain() override { gone_.raise(); }
  void finish(std::chrono::milliseconds grace) override {
    stop_.raise();
    if (thread_.joinable()) thread_.join();
    const std::lock_guard lock(mutex_);
    if (listener_ && !unix_path_.empty()) ::unlink(unix_path_.c_str());
    listener_.reset();
    for (auto& reader : readers_) reader->drain(grace);
    for (auto& reader : readers_) reader->finish(grace);
    sweep();
  }
  [[nodiscard]] Figures figures() const override {
    const std::lock_guard lock(mutex_);
    Figures all = past_;
    std::vector<Figures> each;
    for (const auto& reader : readers_) add(all, each.emplace_back(reader->figures()));
    all.readers = readers_.size();
    if (each.empty()) return all;
    const auto middle_of = [&](auto figure) {
      const auto middle = each.begin() + static_cast<std::ptrdiff_t>(each.size() / 2);
      std::ranges::nth_element(each, middle, {}, figure);
      return (*middle).*figure;
    };
    all.take_time = middle_of(&Figures::take_time);
    all.taking = middle_of(&Figures::taking);
    return all;
  }
  [[nodiscard]] std::optional<Error> error() const override { return std::nullopt; }
  [[nodiscard]] std::uint16_t port() const override { return local_port(listener_.get()); }

 private:
  static void add(Figures& all, const Figures& one) {
    all.written += one.written;
    all.dropped += one.dropped;
    all.bytes += one.bytes;
    all.taken += one.taken;
  }
  void sweep() {
    for (auto reader = readers_.begin(); reader != readers_.end();) {
      if (!(*reader)->gone()) {
        ++reader;
        continue;
      }
      add(past_, (*reader)->figures());
      reader = readers_.erase(reader);
    }
  }
  void accept_readers() {
    for (;;) {
      std::array<pollfd, 2> fds = {pollfd{stop_.fd(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
      ::poll(fds.data(), fds.size(), -1);
      if (fds[0].revents != 0) return;
      Fd peer(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (!peer) {
        // Out of descriptors, most likely: the pending connection keeps poll() awake, so rest a little.
        pollfd stop{stop_.fd(), POLLIN, 0};
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) ::poll(&stop, 1, 100);
        continue;
      }
      set_keepalive(peer.get());
      const std::lock_guard lock(mutex_);
      sweep();
      if (readers_.size() >= kMostReaders) {
        if (report_) report_(Severity::Warning, name_ + ": a reader is turned away: 64 are connected");
        continue;
      }
      auto handed = std::make_shared<Fd>(std::move(peer));
      const auto open = [handed]() -> Result<Target> {
        Target target;
        target.fd = std::move(*handed);
        return target;
      };
      Options options = options_;
      options.limit = 0;
      readers_.push_back(std::make_unique<Sink>(open, false, options, name_, report_, nullptr));
      if (newest_) readers_.back()->put(newest_);
    }
  }

  Fd listener_;
  const std::string unix_path_;  // to be unlinked at the end
  const std::string name_;
  const Options options_;
  Report report_;
  Event stop_;
  Event gone_;
  mutable std::mutex mutex_;
  std::list<std::unique_ptr<Sink>> readers_;
  Figures past_;
  FramePtr newest_;
  std::uint64_t put_ = 0;
  std::thread thread_;
};

Result<std::unique_ptr<Output>> open_listening(const Endpoint& endpoint, Output::Options options, Report report) {
  auto listener = endpoint.kind == Endpoint::Kind::UnixListen ? listen_unix(endpoint.address)
                                                              : listen_tcp({endpoint.address, endpoint.port});
  if (!listener) return fail(std::move(listener).error());
  return std::make_unique<Listening>(std::move(*listener), socket_file(endpoint), endpoint.text, std::move(options),
                                     std::move(report));
}

}  // namespace

Result<std::unique_ptr<Output>> Output::open(const Endpoint& endpoint, Options options, Report report) {
  const auto single = [&](OpenTarget target, bool reopens) -> std::unique_ptr<Output> {
    const std::string name = endpoint.kind == Endpoint::Kind::Standard ? "standard output" : endpoint.text;
    return std::make_unique<Single>(std::move(target), reopens, std::move(options), name, std::move(report));
  };
  switch (endpoint.kind) {
    case Endpoint::Kind::None:
      return std::make_unique<Discard>(std::move(options));
    case Endpoint::Kind::Standard:
    case Endpoint::Kind::Fd: {
      const int fd = endpoint.kind == Endpoint::Kind::Standard ? STDOUT_FILENO : endpoint.fd;
      if (::fcntl(fd, F_GETFD) < 0) return fail(io_error(endpoint.text));
      if (!options.line && ::isatty(fd) != 0) {
        return fail({Error::Kind::Unsupported, 0,
                     "standard output is a terminal, and frames are binary: pipe it on, as in '... | mjpeg-serve', or "
                     "name an --output"});
      }
      return single([fd]() -> Result<Target> { return borrow(fd); }, false);
    }
    case Endpoint::Kind::Path: {
      auto first = open_path(endpoint.address);
      const bool fifo = !first ? first.error().sys == ENXIO : false;
      if (!first && !fifo) return fail(std::move(first).error());
      struct stat info {};
      const bool again = fifo || (::fstat(first->get(), &info) == 0 && S_ISFIFO(info.st_mode));
      auto handed = std::make_shared<Result<Target>>(std::move(first));
      return single(
          [handed, path = endpoint.address]() -> Result<Target> {
            if (*handed && (*handed)->fd) return std::move(**handed);
            return open_path(path);
          },
          again);
    }
    case Endpoint::Kind::Unix:
      return single([=] { return connected(connect_unix(endpoint.address), endpoint.text); }, true);
    case Endpoint::Kind::Tcp:
      return single([=] { return connected(connect_blocking(endpoint.address, endpoint.port), endpoint.text); }, true);
    case Endpoint::Kind::Exec:
      return single(
          [=]() -> Result<Target> {
            auto child = ChildProcess::shell(endpoint.address, ChildProcess::Pipe::ToChild);
            if (!child) return fail(std::move(child).error());
            ::fcntl(child->fd(), F_SETFL, O_NONBLOCK);
            Target target;
            target.child.emplace(std::move(*child));
            return target;
          },
          true);
    case Endpoint::Kind::Http:
      return fail({Error::Kind::Unsupported, 0, endpoint.text + ": frames are not sent to URLs"});
    case Endpoint::Kind::UnixListen:
    case Endpoint::Kind::TcpListen:
      break;
  }
  return open_listening(endpoint, std::move(options), std::move(report));
}

}  // namespace fp
