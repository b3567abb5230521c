#include "webrtc-ingest/child.h"

#include <doctest/doctest.h>

#include <csignal>

#include "support/filter_children.h"
#include "support/loops.h"
#include "support/make_frame.h"

namespace {

using namespace fp;
using namespace fp::ingest;
using namespace std::chrono_literals;

struct Yard {
  Child& start(const std::string& command, std::chrono::milliseconds hang_time = test::kPatience) {
    auto made = Child::start(loop, clock, {command, hang_time},
                             [this](Severity, const std::string& text) { said.push_back(text); });
    REQUIRE(made);
    child = std::move(*made);
    ChildEvents events;
    events.given = [this](const FramePtr& frame) { given.push_back(frame->sequence); };
    events.line = [this](std::string_view line, const nlohmann::ordered_json&) { lines.emplace_back(line); };
    events.ended = [this](ChildEnd how, const std::string& text) {
      ++ends;
      end = how;
      why = text;
    };
    child->attach(std::move(events));
    return *child;
  }
  bool run_until(const std::function<bool()>& holds) { return test::run_until(loop, holds); }
  SystemClock clock;
  Loop loop;
  test::FilterChildren programs;
  std::vector<std::string> said;
  std::vector<std::uint64_t> given;
  std::vector<std::string> lines;
  int ends = 0;
  ChildEnd end = ChildEnd::Ended;
  std::string why;
  std::unique_ptr<Child> child;
};

constexpr const char* kSayNumbers =
    "for header, picture in frames(): print('{\"sequence\":%s,\"bytes\":%d}' % (header['x-sequence'], len(picture)), "
    "flush=True)\n";

// A picture that no pipe holds.
FramePtr large_frame(std::uint64_t sequence) {
  const std::string comment(65'000, 'x');
  const std::string segment = std::string("\xFF\xFE", 2) + static_cast<char>((comment.size() + 2) >> 8) +
                              static_cast<char>((comment.size() + 2) & 0xFF) + comment;
  std::string jpeg = test::make_jpeg(1);
  for (int i = 0; i < 48; ++i) jpeg.insert(2, segment);
  return test::make_frame(sequence, jpeg);
}

TEST_CASE("Child: frames go in whole, one after the other, and lines come out") {
  Yard yard;
  Child& child = yard.start(yard.programs.python(kSayNumbers));
  for (std::uint64_t number = 1; number <= 20; ++number) {
    const FramePtr frame = number % 5 == 0 ? large_frame(number) : test::make_frame(number);
    child.put(frame);
    REQUIRE(yard.run_until([&] { return yard.lines.size() == number; }));
    CHECK(yard.lines.back() ==
          "{\"sequence\":" + std::to_string(number) + ",\"bytes\":" + std::to_string(frame->jpeg.size()) + "}");
  }
  CHECK(child.figures().given == 20);
  CHECK(child.figures().superseded == 0);
  CHECK(child.figures().lines == 20);
}

TEST_CASE("Child: while it has not taken a frame the newest waits, and only what it gets is told") {
  Yard yard;
  const std::string go = yard.programs.path("go");
  Child& child = yard.start(
      yard.programs.python("while not os.path.exists('" + go + "'): time.sleep(.005)\n" + std::string(kSayNumbers)));
  for (std::uint64_t number = 1; number <= 50; ++number) child.put(test::make_frame(number));
  CHECK(yard.given == std::vector<std::uint64_t>{1});
  CHECK(child.figures().superseded == 48);
  test::write_file(go, "");
  REQUIRE(yard.run_until([&] { return yard.lines.size() == 2; }));
  CHECK(yard.given == std::vector<std::uint64_t>{1, 50});
  CHECK(yard.lines[1].starts_with("{\"sequence\":50,"));
}

TEST_CASE("Child: one that ends is told of with its code, behind its last line") {
  Yard yard;
  yard.start("echo '{\"last\":1}'; exit 3");
  REQUIRE(yard.run_until([&] { return yard.ends > 0; }));
  CHECK(yard.lines == std::vector<std::string>{"{\"last\":1}"});
  CHECK(yard.why == "exit code 3");
  CHECK((yard.end == ChildEnd::Ended));
  yard.child->put(test::make_frame(1));  // for nobody
  CHECK(yard.given.empty());
}

TEST_CASE("Child: one that is killed is told of, also when what it started holds its output open") {
  Yard yard;
  Child& child = yard.start("sleep 1000 & exec cat >/dev/null");
  child.put(test::make_frame(1));
  REQUIRE((::kill(child.pid(), SIGKILL) == 0));
  REQUIRE(yard.run_until([&] { return yard.ends > 0; }));
  CHECK(yard.why == "killed by signal 9 (Killed)");
  CHECK(yard.ends == 1);
}

TEST_CASE("Child: one that closes its input and lives on is no use") {
  Yard yard;
  Child& child = yard.start("exec <&-; exec sleep 1000");
  std::uint64_t number = 0;
  REQUIRE(yard.run_until([&] {
    child.put(test::make_frame(++number));
    return yard.ends > 0;
  }));
  CHECK(yard.why == "it closed its input");
}

TEST_CASE("Child: one that closes its output is told of, and gets frames all the same") {
  Yard yard;
  Child& child = yard.start("exec cat >/dev/null");
  std::uint64_t number = 0;
  REQUIRE(yard.run_until([&] {
    child.put(test::make_frame(++number));
    return !yard.said.empty();
  }));
  CHECK(yard.said[0] == "it has closed its standard output: no lines will come");
  const std::uint64_t given = child.figures().given;
  CHECK(yard.run_until([&] {
    child.put(test::make_frame(++number));
    return child.figures().given > given + 3;
  }));
  CHECK(yard.ends == 0);
}

TEST_CASE("Child: one that stops reading hangs; one that reads and says nothing does not") {
  Yard silent;
  Yard stopped;
  Child& one = silent.start("exec cat >/dev/null", 2s);
  Child& two = stopped.start("exec cat >/dev/null", 2s);
  // Both have read something first.
  two.put(test::make_frame(1));
  REQUIRE(stopped.run_until([&] {
    two.put(test::make_frame(2));
    return two.figures().given >= 2;
  }));
  REQUIRE((::kill(two.pid(), SIGSTOP) == 0));
  std::uint64_t number = 2;
  REQUIRE(stopped.run_until([&] {
    one.put(test::make_frame(++number));
    two.put(test::make_frame(number));
    ::ev_run(silent.loop.raw(), EVRUN_NOWAIT);
    return stopped.ends > 0;
  }));
  CHECK((stopped.end == ChildEnd::Hung));
  CHECK(stopped.why == "it has not read its input for 2 s");
  CHECK(silent.ends == 0);
}

TEST_CASE("Child: one that is still being started does not hang") {
  Yard yard;
  const std::string go = yard.programs.path("go");
  Child& child = yard.start(
      yard.programs.python("while not os.path.exists('" + go + "'): time.sleep(.005)\n" + std::string(kSayNumbers)),
      100ms);
  child.put(test::make_frame(1));
  const auto until = yard.clock.steady() + 1s;
  REQUIRE(yard.run_until([&] { return yard.clock.steady() > until; }));
  CHECK(yard.ends == 0);
  test::write_file(go, "");
  CHECK(yard.run_until([&] { return yard.lines.size() == 1; }));
}

TEST_CASE("Child: a filter that writes frames is told once that lines are wanted") {
  Yard yard;
  Child& child = yard.start("exec cat");
  for (std::uint64_t number = 1; number <= 5; ++number) {
    child.put(large_frame(number));
    REQUIRE(yard.run_until([&] { return child.figures().given == number && child.figures().malformed >= number; }));
  }
  CHECK(yard.lines.empty());
  REQUIRE(yard.said.size() == 1);
  CHECK(yard.said[0].starts_with("it writes frames to standard output, where lines of JSON are wanted"));
}

TEST_CASE("Child: lines that are no JSON objects, or too long, are left out and told of once each") {
  Yard yard;
  yard.start(
      yard.programs.python("for i in range(3):\n"
                           "    print('loading')\n"
                           "    print('[1, 2]')\n"
                           "    print('{\"long\":\"' + 'x' * 70000 + '\"}')\n"
                           "    print('{\"deep\":' + '[' * 100 + ']' * 100 + '}')\n"
                           "    print('{\"good\":%d}' % i, flush=True)\n"
                           "sys.stdin.read()\n"));
  REQUIRE(yard.run_until([&] { return yard.lines.size() == 3; }));
  CHECK(yard.child->figures().malformed == 12);
  CHECK(yard.child->figures().lines == 3);
  REQUIRE(yard.said.size() == 2);
  CHECK(yard.said[0] == "a line of its output is no JSON object, and left out: loading");
  CHECK(yard.said[1] == "a line of more than 64 KiB is left out");
}

TEST_CASE("Child: one that writes without end is read at a megabyte a second, and the loop is free") {
  Yard yard;
  yard.start("exec yes '{\"word\":\"again and again\"}'");
  const auto began = yard.clock.steady();
  REQUIRE(yard.run_until([&] { return yard.clock.steady() - began > 2500ms; }));
  const std::size_t bytes = yard.lines.size() * (std::string("{\"word\":\"again and again\"}\n").size());
  CHECK(bytes > Child::kMostBytesPerSecond / 2);
  CHECK(bytes < 4 * Child::kMostBytesPerSecond);
}

TEST_CASE("Child: one that is let go is asked to end, and nobody is told") {
  Yard yard;
  Child& child = yard.start("trap 'echo \"{}\"; exit 0' TERM; while :; do sleep 0.01; done");
  child.let_go();
  CHECK(yard.run_until([&] { return child.has_ended(); }));
  CHECK(yard.ends == 0);
  CHECK(yard.lines.empty());
}

}  // namespace
