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
#include <string_view>
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

// O_NONBLOCK is a property of an end of its own: the child's end blocks as ever.
void never_block(const Fd& end) { ::fcntl(end.get(), F_SETFL, ::fcntl(end.get(), F_GETFL) | O_NONBLOCK); }

// Ours, but for what `more` sets. Views into both.
std::vector<char*> environment_with(const std::vector<std::string>& more) {
  std::vector<char*> all;
  for (const std::string& entry : more) all.push_back(const_cast<char*>(entry.c_str()));
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const std::string_view name = text.substr(0, text.find('='));
    const auto sets = [&](const std::string& other) { return other.starts_with(std::string(name) + "="); };
    if (std::none_of(more.begin(), more.end(), sets)) all.push_back(*entry);
  }
  all.push_back(nullptr);
  return all;
}

}  // namespace

Result<ChildProcess> ChildProcess::shell(const std::string& command, Pipe pipe) { return shell(command, pipe, {}); }

Result<ChildProcess> ChildProcess::shell(const std::string& command, Pipe pipe, const Streams& streams) {
  FileActions actions;
  Fd ours;
  // What the child will have as 0, 1 and 2: kept until it has been made.
  Fd input;
  Fd output;
  if (pipe != Pipe::ToChild) {
    auto made = make_pipe();
    if (!made) return fail(std::move(made).error());
    ours = std::move(made->first);
    output = std::move(made->second);
    posix_spawn_file_actions_adddup2(&actions.raw, output.get(), 1);
  } else {
    posix_spawn_file_actions_addopen(&actions.raw, 1, "/dev/null", O_WRONLY, 0);
  }
  Fd to_input;
  if (pipe != Pipe::FromChild || !streams.input.empty()) {
    auto made = make_pipe();
    if (!made) return fail(std::move(made).error());
    input = std::move(made->first);
    to_input = std::move(made->second);
    posix_spawn_file_actions_adddup2(&actions.raw, input.get(), 0);
  } else {
    posix_spawn_file_actions_addopen(&actions.raw, 0, "/dev/null", O_RDONLY, 0);
  }
  if (pipe == Pipe::FromChild && to_input) {
    // All of it at once: a pipe that nobody reads yet holds 64 KiB.
    const ssize_t put = ::write(to_input.get(), streams.input.data(), std::min(streams.input.size(), kPipeBytes));
    if (put != static_cast<ssize_t>(streams.input.size())) return fail(io_error("pipe", E2BIG));
    to_input.reset();
  }
  std::optional<std::pair<Fd, Fd>> errors;
  if (streams.keep_errors) {
    auto made = make_pipe();
    if (!made) return fail(std::move(made).error());
    errors.emplace(std::move(*made));
    never_block(errors->first);
    posix_spawn_file_actions_adddup2(&actions.raw, errors->second.get(), 2);
  }
  if (pipe == Pipe::Both) {
    never_block(ours);
    never_block(to_input);
  }
  posix_spawn_file_actions_addclosefrom_np(&actions.raw, 3);
  Attributes attributes;
  std::string shell = "sh";
  std::string flag = "-c";
  std::string text = command;
  std::array<char*, 4> arguments = {shell.data(), flag.data(), text.data(), nullptr};
  std::vector<char*> environment = environment_with(streams.environment);
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, "/bin/sh", &actions.raw, &attributes.raw, arguments.data(), environment.data());
  if (error != 0) return fail(io_error("run /bin/sh", error));
  ChildProcess child(pid, std::move(pipe == Pipe::ToChild ? to_input : ours));
  child.group_ = pid;
  child.input_ = std::move(to_input);
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
      input_(std::move(other.input_)),
      errors_(std::move(other.errors_)),
      status_(other.status_) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  if (this != &other) {
    kill();
    pid_ = std::exchange(other.pid_, -1);
    group_ = std::exchange(other.group_, -1);
    pipe_ = std::move(other.pipe_);
    input_ = std::move(other.input_);
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
  input_.reset();
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
  input_.reset();
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
