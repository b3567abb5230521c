// A child process in a group of its own, read from, written to, or both, through pipes.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace fp {

/// Runs a command and ends its whole process group with it. One owner, one thread.
///
/// The child gets default signal handling, an empty signal mask, and only descriptors 0, 1 and 2.
class ChildProcess {
 public:
  enum class Pipe {
    FromChild,  ///< fd() reads its standard output
    ToChild,    ///< fd() writes to its standard input
    Both,       ///< fd() reads, input_fd() writes; neither end of ours blocks
  };

  struct Streams {
    std::string input;         ///< FromChild: what it reads on its standard input, at most 64 KiB; "": /dev/null
    bool keep_errors = false;  ///< standard error is a pipe that read_errors() empties, not ours
    std::vector<std::string> environment = {};  ///< "NAME=value", besides our own and before it
  };
  /// Runs `/bin/sh -c command`. Standard error is ours; the stream that is not piped is /dev/null.
  /// Error: Io (no more processes or descriptors). A command that is not found is no error here: the shell says so on
  /// standard error and exits with 127.
  [[nodiscard]] static Result<ChildProcess> shell(const std::string& command, Pipe pipe, const Streams& streams);
  [[nodiscard]] static Result<ChildProcess> shell(const std::string& command, Pipe pipe);

  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ~ChildProcess();  ///< kill(): nobody survives their owner

  [[nodiscard]] int fd() const { return pipe_.get(); }  ///< our end of the pipe; -1 once closed
  void close_pipe() { pipe_.reset(); }
  /// Of Both: our end of the pipe to its standard input; -1 once closed. Writing fails with EPIPE when nobody reads.
  [[nodiscard]] int input_fd() const { return input_.get(); }
  void close_input() { input_.reset(); }
  /// With keep_errors: what to watch for read_errors(); else -1.
  [[nodiscard]] int errors_fd() const { return errors_.get(); }
  /// With keep_errors: what it has written to standard error since, at most 64 KiB. Does not block. A child that nobody
  /// listens to waits when its pipe is full.
  [[nodiscard]] std::string read_errors();
  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Sends SIGTERM to the group.
  void terminate();
  /// Sends SIGKILL to the group and waits for the child (which then takes no time).
  void kill();
  /// The wait status (waitpid(2)) when the child has ended, else nothing. Does not block.
  [[nodiscard]] std::optional<int> poll_exit();
  /// Waits until the child ends, at most `limit` (nothing: for ever). Returns whether it has ended.
  bool wait_for_exit(std::optional<std::chrono::milliseconds> limit);
  /// Terminate, wait at most `grace` for the child to end, then kill. Blocks.
  void stop(std::chrono::milliseconds grace);

 private:
  ChildProcess(pid_t pid, Fd pipe) : pid_(pid), pipe_(std::move(pipe)) {}
  pid_t pid_ = -1;  // -1: moved from, or ended and waited for
  pid_t group_ = -1;
  Fd pipe_;
  Fd input_;
  Fd errors_;
  std::optional<int> status_;
};

/// "exit code 3", "killed by signal 9 (Killed)".
[[nodiscard]] std::string describe_exit(int wait_status);

}  // namespace fp
