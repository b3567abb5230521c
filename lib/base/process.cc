#include "base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <utility>

#include "base/clock.h"

namespace fp {
namespace {

struct FileActions {
  posix_spawn_file_actions_t raw{};
  FileActions() { posix_spawn_file_actions_init(&raw); }
  ~FileActions() { posix_spawn_file_actions_destroy(&raw); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
};

struct Attributes {
  posix_spawnattr_t raw{};
  Attributes() {
    posix_spawnattr_init(&raw);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&raw, &none);
    posix_spawnattr_setsigdefault(&raw, &all);
    posix_spawnattr_setpgroup(&raw, 0);
    posix_spawnattr_setflags(&raw, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  }
  ~Attributes() { posix_spawnattr_destroy(&raw); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
};

constexpr std::size_t kPipeBytes = 65536;

Result<std::pair<Fd, Fd>> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail(io_error("pipe"));
  return std::pair(Fd(ends[0]), Fd(ends[1]));
}

}  // namespace

Result<ChildProcess> ChildProcess::shell(const std::string& command, Pipe pipe) { return shell(command, pipe, {}); }

Result<ChildProcess> ChildProcess::shell(const std::string& command, Pipe pipe, const Streams& streams) {
  auto main = make_pipe();
  if (!main) return fail(std::move(main).error());
  auto& [read_end, write_end] = *main;
  const bool from = pipe == Pipe::FromChild;
  FileActions actions;
  posix_spawn_file_actions_adddup2(&actions.raw, from ? write_end.get() : read_end.get(), from ? 1 : 0);
  std::optional<std::pair<Fd, Fd>> input;
  if (from && !streams.input.empty()) {
    auto made = make_pipe();
    if (!made) return fail(std::move(made).error());
    input.emplace(std::move(*made));
    // All of it at once: a pipe that nobody reads yet holds 64 KiB.
    const ssize_t put = ::write(input->second.get(), streams.input.data(), std::min(streams.input.size(), kPipeBytes));
    if (put != static_cast<ssize_t>(streams.input.size())) return fail(io_error("pipe", E2BIG));
    posix_spawn_file_actions_adddup2(&actions.raw, input->first.get(), 0);
  } else {
    posix_spawn_file_actions_addopen(&actions.raw, from ? 0 : 1, "/dev/null", from ? O_RDONLY : O_WRONLY, 0);
  }
  std::optional<std::pair<Fd, Fd>> errors;
  if (streams.keep_errors) {
    auto made = make_pipe();
    if (!made) return fail(std::move(made).error());
    errors.emplace(std::move(*made));
    ::fcntl(errors->first.get(), F_SETFL, O_NONBLOCK);
    posix_spawn_file_actions_adddup2(&actions.raw, errors->second.get(), 2);
  }
  posix_spawn_file_actions_addclosefrom_np(&actions.raw, 3);
  Attributes attributes;
  std::string shell = "sh";
  std::string flag = "-c";
  std::string text = command;
  std::array<char*, 4> arguments = {shell.data(), flag.data(), text.data(), nullptr};
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, "/bin/sh", &actions.raw, &attributes.raw, arguments.data(), environ);
  if (error != 0) return fail(io_error("run /bin/sh", error));
  ChildProcess child(pid, std::move(from ? read_end : write_end));
  child.group_ = pid;
  if (errors) child.errors_ = std::move(errors->first);
  return child;
}

std::string ChildProcess::read_errors() {
  std::string text;
  std::array<char, 4096> some{};
  while (errors_ && text.size() < kPipeBytes) {
    const ssize_t got = ::read(errors_.get(), some.data(), some.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(some.data(), static_cast<std::size_t>(got));
  }
  return text;
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      group_(std::exchange(other.group_, -1)),
      pipe_(std::move(other.pipe_)),
      errors_(std::move(other.errors_)),
      status_(other.status_) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  if (this != &other) {
    kill();
    pid_ = std::exchange(other.pid_, -1);
    group_ = std::exchange(other.group_, -1);
    pipe_ = std::move(other.pipe_);
    errors_ = std::move(other.errors_);
    status_ = other.status_;
  }
  return *this;
}

ChildProcess::~ChildProcess() { kill(); }

void ChildProcess::terminate() {
  if (group_ > 0) ::kill(-group_, SIGTERM);
}

void ChildProcess::kill() {
  pipe_.reset();
  // Also when the child itself has ended: a grandchild in its group may live on. A group id is not given to another
  // while a member lives; when none lives kill() fails harmlessly, unless the number was used again in between, which
  // poll_exit() makes unlikely by killing the rest of the group at once.
  if (pid_ > 0) {
    ::kill(-group_, SIGKILL);
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    status_ = status;
  }
  pid_ = -1;
  group_ = -1;
}

std::optional<int> ChildProcess::poll_exit() {
  if (pid_ <= 0) return status_;
  siginfo_t info{};
  // WNOWAIT first: while the child is not reaped its group's number cannot be given to anybody else.
  if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) {
    return std::nullopt;
  }
  kill();
  return status_;
}

bool ChildProcess::wait_for_exit(std::optional<std::chrono::milliseconds> limit) {
  if (pid_ <= 0) return true;
  // A pidfd becomes readable when the process ends (pidfd_open(2)), so nothing has to be polled.
  Fd ended(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  if (!ended) return poll_exit().has_value();
  pollfd wait{ended.get(), POLLIN, 0};
  const auto now = [] { return std::chrono::steady_clock::now(); };
  const std::optional<SteadyTime> until = limit ? std::optional(now() + *limit) : std::nullopt;
  while (::poll(&wait, 1, poll_timeout_ms(until, now())) < 0 && errno == EINTR) {
  }
  return poll_exit().has_value();
}

void ChildProcess::stop(std::chrono::milliseconds grace) {
  if (pid_ <= 0) return;
  pipe_.reset();
  terminate();
  (void)wait_for_exit(grace);
  kill();
}

std::string describe_exit(int wait_status) {
  if (WIFEXITED(wait_status)) return "exit code " + std::to_string(WEXITSTATUS(wait_status));
  if (WIFSIGNALED(wait_status)) {
    const int signal = WTERMSIG(wait_status);
    const char* const name = ::sigdescr_np(signal);
    return "killed by signal " + std::to_string(signal) + (name != nullptr ? " (" + std::string(name) + ")" : "");
  }
  return "ended";
}

}  // namespace fp
