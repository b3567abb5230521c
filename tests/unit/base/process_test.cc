#include "base/process.h"

#include <doctest/doctest.h>
#include <pthread.h>
#include <sys/wait.h>

#include <csignal>
#include <vector>

#include "base/text.h"
#include "support/io.h"

namespace {

using namespace fp;
using namespace std::chrono_literals;
using test::eventually;
using test::read_line;
using test::read_to_end;

ChildProcess run(const std::string& command, ChildProcess::Pipe pipe = ChildProcess::Pipe::FromChild) {
  return ChildProcess::shell(command, pipe).value();
}

// A zombie does not run any more, although nobody may have waited for it.
bool runs(pid_t pid) {
  const std::string stat = test::read_file("/proc/" + std::to_string(pid) + "/stat");
  const auto state = stat.rfind(") ");
  return state != std::string::npos && stat[state + 2] != 'Z' && stat[state + 2] != 'X';
}

pid_t pid_in(std::string_view line) { return parse_integer<pid_t>(trim(line)).value(); }

TEST_CASE("ChildProcess: an exit code comes out as it went in") {
  ChildProcess child = run("exit 3");
  REQUIRE(child.wait_for_exit(std::nullopt));
  CHECK(describe_exit(child.poll_exit().value()) == "exit code 3");
}

TEST_CASE("ChildProcess: a command that is not found ends with the shell's 127") {
  ChildProcess child = run("/nonexistent/program 2>/dev/null");
  REQUIRE(child.wait_for_exit(std::nullopt));
  CHECK(describe_exit(child.poll_exit().value()) == "exit code 127");
}

TEST_CASE("ChildProcess: a death by signal is told by number and name") {
  ChildProcess child = run("kill -KILL $$");
  REQUIRE(child.wait_for_exit(std::nullopt));
  CHECK(describe_exit(child.poll_exit().value()) == "killed by signal 9 (Killed)");
}

TEST_CASE("ChildProcess: its standard output can be read to the end") {
  const ChildProcess child = run("echo one; echo two");
  CHECK(read_to_end(child.fd()) == "one\ntwo\n");
}

TEST_CASE("ChildProcess: its standard input is empty when its output is read") {
  const ChildProcess child = run("cat; echo end");
  CHECK(read_to_end(child.fd()) == "end\n");
}

TEST_CASE("ChildProcess: its standard input can be written and closed") {
  ChildProcess child = run("read code; cat; exit $code", ChildProcess::Pipe::ToChild);
  REQUIRE(test::write_all(child.fd(), "7\n"));
  child.close_pipe();
  REQUIRE(child.wait_for_exit(std::nullopt));
  CHECK(describe_exit(child.poll_exit().value()) == "exit code 7");
}

TEST_CASE("ChildProcess: it gets no descriptors but 0, 1 and 2, whatever we have open") {
  std::vector<Fd> leaky;
  for (int i = 0; i < 20; ++i) leaky.emplace_back(::dup(STDERR_FILENO));  // not close-on-exec
  const ChildProcess child = run("ls /proc/$$/fd; true");
  CHECK(read_to_end(child.fd()) == "0\n1\n2\n");
}

TEST_CASE("ChildProcess: it begins with no signal blocked") {
  sigset_t mask;
  sigset_t before;
  sigemptyset(&mask);
  sigaddset(&mask, SIGTERM);
  sigaddset(&mask, SIGUSR1);
  ::pthread_sigmask(SIG_BLOCK, &mask, &before);
  const ChildProcess child = run("grep SigBlk /proc/self/status");
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  CHECK(read_to_end(child.fd()) == "SigBlk:\t0000000000000000\n");
}

TEST_CASE("ChildProcess: SIGPIPE ends it, although we ignore the signal") {
  REQUIRE((std::signal(SIGPIPE, SIG_IGN) == SIG_IGN));  // as all tools do
  ChildProcess child = run("kill -PIPE $$; exit 0");
  REQUIRE(child.wait_for_exit(std::nullopt));
  CHECK(describe_exit(child.poll_exit().value()) == "killed by signal 13 (Broken pipe)");
}

TEST_CASE("ChildProcess: kill() ends its grandchildren, too") {
  ChildProcess child = run("sleep 1000 & echo $!; wait");
  const pid_t grandchild = pid_in(read_line(child.fd()));
  REQUIRE(runs(grandchild));
  child.kill();
  CHECK(eventually([&] { return !runs(grandchild); }));
}

TEST_CASE("ChildProcess: grandchildren that outlive the child end when its end is noticed") {
  ChildProcess child = run("sleep 1000 & echo $!; exit 5");
  const pid_t grandchild = pid_in(read_line(child.fd()));
  REQUIRE(child.wait_for_exit(std::nullopt));
  CHECK(describe_exit(child.poll_exit().value()) == "exit code 5");
  CHECK(eventually([&] { return !runs(grandchild); }));
}

TEST_CASE("ChildProcess: nobody survives their owner") {
  pid_t grandchild = -1;
  {
    const ChildProcess child = run("sleep 1000 & echo $!; wait");
    grandchild = pid_in(read_line(child.fd()));
  }
  CHECK(eventually([&] { return !runs(grandchild); }));
}

TEST_CASE("ChildProcess: one that is moved over another ends the other") {
  ChildProcess child = run("echo $$; exec sleep 1000");
  const pid_t first = pid_in(read_line(child.fd()));
  child = run("echo $$; exec sleep 1000");
  const pid_t second = pid_in(read_line(child.fd()));
  CHECK(eventually([&] { return !runs(first); }));
  CHECK(runs(second));
}

TEST_CASE("ChildProcess: waiting gives up at its limit while the child runs on") {
  ChildProcess child = run("exec sleep 1000");
  CHECK_FALSE(child.wait_for_exit(10ms));
  CHECK_FALSE(child.poll_exit().has_value());
  CHECK(runs(child.pid()));
}

TEST_CASE("ChildProcess: stop() lets a child that heeds SIGTERM end by itself") {
  ChildProcess child = run("trap 'exit 9' TERM; echo ready; while :; do sleep 1000 & wait $!; done");
  REQUIRE(read_line(child.fd()) == "ready\n");
  child.stop(test::kPatience);
  CHECK(describe_exit(child.poll_exit().value()) == "exit code 9");
}

TEST_CASE("ChildProcess: stop() kills a child that does not heed SIGTERM") {
  ChildProcess child = run("trap '' TERM; echo ready; while :; do sleep 1; done");
  REQUIRE(read_line(child.fd()) == "ready\n");
  child.stop(20ms);
  CHECK(describe_exit(child.poll_exit().value()) == "killed by signal 9 (Killed)");
}

TEST_CASE("ChildProcess: with both streams piped, what it is given comes back, and its input can be closed") {
  ChildProcess child = run("cat; exit 4", ChildProcess::Pipe::Both);
  REQUIRE(test::write_all(child.input_fd(), "there and back\n"));
  CHECK(read_line(child.fd()) == "there and back\n");
  child.close_input();
  CHECK(child.input_fd() == -1);
  CHECK(read_to_end(child.fd()).empty());
  REQUIRE(child.wait_for_exit(std::nullopt));
  CHECK(describe_exit(child.poll_exit().value()) == "exit code 4");
}

TEST_CASE("ChildProcess: with both streams piped our ends do not block, and the child's do") {
  const ChildProcess child = run("read line; echo got $line", ChildProcess::Pipe::Both);
  char byte = 0;
  CHECK((::read(child.fd(), &byte, 1) == -1 && errno == EAGAIN));
  const std::string much(1 << 20, 'x');
  ssize_t put = 0;
  while ((put = ::write(child.input_fd(), much.data(), much.size())) > 0) {
  }
  CHECK((put == -1 && errno == EAGAIN));
  // It has waited for the end of the line until now.
  CHECK_FALSE(test::wait_readable(child.fd(), 0ms));
}

TEST_CASE("ChildProcess: its environment is ours and what was added, which wins") {
  REQUIRE((::setenv("FP_TEST_KEPT", "kept", 1) == 0));
  REQUIRE((::setenv("FP_TEST_SET", "old", 1) == 0));
  ChildProcess::Streams streams;
  streams.environment = {"FP_TEST_SET=new", "FP_TEST_MORE=a b=c"};
  const ChildProcess child =
      ChildProcess::shell("echo $FP_TEST_KEPT $FP_TEST_SET $FP_TEST_MORE; env | grep -c ^FP_TEST_SET=",
                          ChildProcess::Pipe::Both, streams)
          .value();
  CHECK(read_to_end(child.fd()) == "kept new a b=c\n1\n");
}

TEST_CASE("ChildProcess: what it writes to standard error can be waited for and kept, beside both other streams") {
  ChildProcess::Streams streams;
  streams.keep_errors = true;
  ChildProcess child = ChildProcess::shell("echo sorry >&2; cat", ChildProcess::Pipe::Both, streams).value();
  REQUIRE(test::wait_readable(child.errors_fd()));
  CHECK(child.read_errors() == "sorry\n");
  CHECK(child.read_errors().empty());
  CHECK(run("true").errors_fd() == -1);
}

}  // namespace
