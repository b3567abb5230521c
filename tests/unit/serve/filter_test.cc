#include "serve/filter.h"

#include <doctest/doctest.h>

#include <csignal>

#include "support/filter_children.h"
#include "support/loops.h"
#include "support/make_frame.h"

namespace {

using namespace fp;
using namespace std::chrono_literals;
using Kind = FilterError::Kind;

struct Site {
  Filter& filter(const std::string& command, std::chrono::milliseconds timeout = test::kPatience) {
    filter_.emplace(loop, clock, FilterOptions{.name = "detect", .command = command, .timeout = timeout},
                    [this](Severity, const std::string& text) { said.push_back(text); });
    return *filter_;
  }
  // Asks for this frame; the answer goes to the end of `results`.
  std::unique_ptr<Filter::Question> ask(FramePtr frame, FilterOrder order = {}) {
    return filter_->ask([frame] { return frame; }, std::move(order),
                        [this](FilterResult result) { results.push_back(std::move(result)); });
  }
  bool run_until(const std::function<bool()>& holds) { return test::run_until(loop, holds); }
  FilterResult answer_to(FramePtr frame, FilterOrder order = {}) {
    results.clear();
    const auto question = ask(std::move(frame), std::move(order));
    REQUIRE(run_until([&] { return !results.empty(); }));
    return results.front();
  }
  [[nodiscard]] bool has_said(const std::string& text) const {
    return std::any_of(said.begin(), said.end(),
                       [&](const std::string& line) { return line.find(text) != std::string::npos; });
  }
  SystemClock clock;
  Loop loop;
  std::vector<std::string> said;
  std::vector<FilterResult> results;
  test::FilterChildren children;
  std::optional<Filter> filter_;
};

std::string extra(const Frame& frame, std::string_view name) {
  for (const Header& header : frame.extra) {
    if (equal_ignoring_case(header.name, name)) return header.value;
  }
  return "none";
}

// A picture that no pipe holds.
FramePtr large_frame(std::uint64_t sequence) {
  auto frame = std::make_shared<Frame>(*test::make_frame(sequence));
  std::string jpeg(as_text(frame->jpeg.view()));
  for (int i = 0; i < 64; ++i) {
    const std::string comment(65'000, 'x');
    jpeg.insert(2, std::string("\xFF\xFE", 2) + static_cast<char>((comment.size() + 2) >> 8) +
                       static_cast<char>((comment.size() + 2) & 0xFF) + comment);
  }
  frame->jpeg = Blob::copy_of(as_bytes(jpeg));
  return frame;
}

TEST_CASE("Filter: what the child makes of a frame is the answer, and has none of our orders in it") {
  Site site;
  site.filter("exec cat");
  auto asked = std::make_shared<Frame>(*test::make_frame(7, test::make_jpeg(3)));
  asked->camera = "front";
  asked->extra = {{"X-Gate", "closed"}, {"X-Request", "666"}, {"X-Own", "kept"}};
  const FilterResult result = site.answer_to(asked, {.gate_open = true, .overlay = "boxes=1"});
  REQUIRE(result);
  const Frame& frame = **result;
  CHECK(as_text(frame.jpeg.view()) == test::make_jpeg(3));
  CHECK(frame.sequence == 7);
  CHECK(frame.captured == asked->captured);
  CHECK(frame.camera == "front");
  REQUIRE(frame.extra.size() == 1);
  CHECK(extra(frame, "X-Own") == "kept");
  CHECK(std::string(site.filter_->status()) == "ready");
  CHECK(site.filter_->figures().answered == 1);
}

TEST_CASE("Filter: the child is told to obey orders, and gets those of the question in place of the camera's") {
  Site site;
  site.filter(site.children.python(R"(
for header, picture in frames():
    write(picture, "X-Saw: %s %s %s %s" % (os.environ["FRAMEPIPE_CONTROL_HEADERS"], header.get("x-gate"),
          header.get("x-overlay"), header.get("x-camera")))
)"));
  auto asked = std::make_shared<Frame>(*test::make_frame(1));
  asked->extra = {{"X-Gate", "closed"}, {"X-Overlay", "boxes=0"}};
  CHECK(extra(**site.answer_to(asked, {.gate_open = true, .overlay = "labels=1"}), "X-Saw") == "1 open labels=1 None");
  asked->camera = "yard";
  CHECK(extra(**site.answer_to(asked, {.gate_open = false, .overlay = ""}), "X-Saw") == "1 closed None yard");
  CHECK(extra(**site.answer_to(asked), "X-Saw") == "1 None None yard");
}

TEST_CASE("Filter: a frame without a number answers the question in hand, and what it does not say is the question's") {
  Site site;
  site.filter(site.children.python("for header, picture in frames(): write(picture)\n"));
  auto asked = std::make_shared<Frame>(*test::make_frame(41));
  asked->camera = "front";
  const FilterResult result = site.answer_to(asked);
  REQUIRE(result);
  CHECK((*result)->sequence == 41);
  CHECK((*result)->captured == asked->captured);
  CHECK((*result)->camera == "front");
}

TEST_CASE("Filter: what the child's header does say is the answer's") {
  Site site;
  site.filter(site.children.python(
      "for header, picture in frames(): write(picture, 'X-Timestamp: 5.5', 'X-Sequence: 9', 'X-Detections: {}')\n"));
  const FilterResult result = site.answer_to(test::make_frame(41));
  REQUIRE(result);
  CHECK((*result)->sequence == 9);
  CHECK((*result)->captured == WallTime(5500ms));
  CHECK(extra(**result, "X-Detections") == "{}");
}

TEST_CASE("Filter: a frame with another number is thrown away and counted, and so is one that nobody asked for") {
  Site site;
  site.filter(site.children.python(R"(
for header, picture in frames():
    write(picture, "X-Request: 99", "X-Sequence: 1")
    write(picture, "X-Request: " + header["x-request"], "X-Sequence: 2")
    write(picture, "X-Request: " + header["x-request"], "X-Sequence: 3")
    write(picture, "X-Sequence: 4")
)"));
  CHECK((*site.answer_to(test::make_frame(1)))->sequence == 2);
  CHECK(site.run_until([&] { return site.filter_->figures().late == 3; }));
  CHECK(site.filter_->figures().answered == 1);
}

TEST_CASE("Filter: what is no frame is skipped and counted") {
  Site site;
  site.filter(site.children.python(R"(
for header, picture in frames():
    print("Hello, this is a program that prints", flush=True)
    write(picture, *again(header))
)"));
  CHECK(site.answer_to(test::make_frame(1)));
  CHECK(site.filter_->skips().of(Skip::Junk) == 1);
}

TEST_CASE("Filter: the frame is fetched when its turn comes, and questions take turns as they came") {
  Site site;
  site.filter("exec cat");
  std::uint64_t newest = 1;
  std::vector<std::uint64_t> order;
  std::vector<std::unique_ptr<Filter::Question>> questions;
  for (int i = 0; i < 5; ++i) {
    questions.push_back(site.filter_->ask([&] { return test::make_frame(newest++); }, {},
                                          [&, i](const FilterResult& result) {
                                            REQUIRE(result);
                                            CHECK((*result)->sequence == static_cast<std::uint64_t>(i) + 1);
                                            order.push_back((*result)->sequence);
                                          }));
  }
  CHECK(newest == 1);
  CHECK(site.run_until([&] { return order.size() == 5; }));
}

TEST_CASE("Filter: a question without a frame is told so, and the next one has its turn") {
  Site site;
  site.filter("exec cat");
  const auto none = site.ask(nullptr);
  const auto one = site.ask(test::make_frame(1));
  REQUIRE(site.run_until([&] { return site.results.size() == 2; }));
  CHECK(site.results[0].error().kind == Kind::NoFrame);
  CHECK(site.results[1]);
}

TEST_CASE("Filter: a question that is destroyed is withdrawn, waiting or in hand, and the next one has its turn") {
  Site site;
  const std::string go = site.children.path("go");
  site.filter(site.children.python("for header, picture in frames():\n    while not os.path.exists('" + go +
                                   "'): time.sleep(.005)\n    write(picture, *again(header))\n"));
  auto in_hand = site.ask(test::make_frame(1));
  auto waiting = site.ask(test::make_frame(2));
  const auto last = site.ask(test::make_frame(3));
  REQUIRE(site.run_until([&] { return in_hand->begun(); }));
  CHECK_FALSE(waiting->begun());
  in_hand.reset();
  waiting.reset();
  test::write_file(go, "");
  REQUIRE(site.run_until([&] { return !site.results.empty(); }));
  REQUIRE(site.results.size() == 1);
  CHECK((*site.results[0])->sequence == 3);
}

TEST_CASE("Filter: whoever is answered may ask again and destroy the question at once") {
  Site site;
  site.filter("exec cat");
  std::unique_ptr<Filter::Question> question;
  int answered = 0;
  std::function<void()> again = [&] {
    question = site.filter_->ask([] { return test::make_frame(1); }, {},
                                 [&](const FilterResult&) {
                                   if (++answered < 50) again();
                                 });
  };
  again();
  CHECK(site.run_until([&] { return answered == 50; }));
}

TEST_CASE("Filter: one question too many is told so, later") {
  Site site;
  site.filter("exec sleep 1000");
  std::vector<std::unique_ptr<Filter::Question>> questions;
  for (std::size_t i = 0; i < Filter::kMostWaiting; ++i) questions.push_back(site.ask(test::make_frame(1)));
  const auto one_more = site.ask(test::make_frame(1));
  CHECK(site.results.empty());
  REQUIRE(site.run_until([&] { return !site.results.empty(); }));
  REQUIRE(site.results.size() == 1);
  CHECK(site.results[0].error().kind == Kind::Crowded);
  CHECK(status_of(Kind::Crowded) == 503);
}

TEST_CASE("Filter: a child that ends fails the question in hand with its code and its last words, and is run again") {
  Site site;
  const std::string mended = site.children.path("mended");
  site.filter(site.children.python("for header, picture in frames():\n    if os.path.exists('" + mended +
                                   "'): write(picture, *again(header))\n"
                                   "    else: sys.stderr.write('loading\\nno model\\n'); sys.exit(69)\n"));
  const FilterResult result = site.answer_to(test::make_frame(1));
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == Kind::Lost);
  CHECK(result.error().text == "filter detect: exit code 69: no model");
  CHECK(site.has_said("filter detect: loading"));
  CHECK(std::string(site.filter_->status()) == "restarting");
  test::write_file(mended, "");
  CHECK(site.answer_to(test::make_frame(2)));
  CHECK(site.filter_->figures().restarts == 1);
  CHECK(site.filter_->figures().failed == 1);
  CHECK(site.filter_->trouble().empty());
}

TEST_CASE("Filter: a child that is killed fails the question in hand; those that wait have the next child") {
  Site site;
  site.filter("exec cat");
  CHECK(site.answer_to(test::make_frame(1)));
  site.results.clear();
  REQUIRE((::kill(site.filter_->pid(), SIGSTOP) == 0));
  const auto in_hand = site.ask(test::make_frame(2));
  const auto waiting = site.ask(test::make_frame(3));
  REQUIRE(site.run_until([&] { return in_hand->begun(); }));
  REQUIRE((::kill(site.filter_->pid(), SIGKILL) == 0));
  REQUIRE(site.run_until([&] { return site.results.size() == 2; }));
  CHECK(site.results[0].error().text == "filter detect: killed by signal 9 (Killed)");
  REQUIRE(site.results[1]);
  CHECK((*site.results[1])->sequence == 3);
}

TEST_CASE("Filter: a child that hangs fails the question at the time limit, and is killed and run again") {
  Site site;
  const std::string mended = site.children.path("mended");
  site.filter(site.children.python("print('loaded', file=sys.stderr, flush=True)\n"
                                   "for header, picture in frames():\n    if not os.path.exists('" +
                                   mended + "'): open('" + mended +
                                   "', 'w'); time.sleep(1000)\n"
                                   "    write(picture, *again(header))\n"),
              1000ms);
  const FilterResult result = site.answer_to(test::make_frame(1));
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == Kind::TimedOut);
  CHECK(status_of(result.error().kind) == 504);
  CHECK(site.run_until([&] { return site.answer_to(test::make_frame(2)).has_value(); }));
  CHECK(site.filter_->figures().restarts >= 1);
  CHECK(site.filter_->figures().timed_out >= 1);
  // What it said before is not why.
  CHECK(site.has_said("filter detect: loaded"));
  CHECK(site.has_said("filter detect: no answer within 1 s; starting it again"));
}

TEST_CASE("Filter: a child that says more than anybody reads does not fill the log") {
  Site site;
  site.filter(
      "i=0; while [ $i -lt 1000 ]; do echo line $i >&2; i=$((i+1)); done; echo last words >&2; exec sleep 1000");
  REQUIRE(site.run_until([&] { return site.has_said("left out here"); }));
  CHECK(site.said.size() < 500);
}

TEST_CASE("Filter: a child that has not begun to read is being started, and is not killed for it") {
  Site site;
  const std::string go = site.children.path("go");
  site.filter(site.children.python("while not os.path.exists('" + go +
                                   "'): time.sleep(.005)\n"
                                   "for header, picture in frames(): write(picture, *again(header))\n"),
              1000ms);
  const pid_t pid = site.filter_->pid();
  const FilterResult result = site.answer_to(test::make_frame(1));
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == Kind::TimedOut);
  CHECK(result.error().text == "filter detect: it has not begun to read yet");
  CHECK(std::string(site.filter_->status()) == "starting");
  test::write_file(go, "");
  CHECK(site.run_until([&] { return site.answer_to(test::make_frame(2)).has_value(); }));
  CHECK(site.filter_->pid() == pid);
  CHECK(site.filter_->figures().restarts == 0);
}

TEST_CASE("Filter: those that wait while it cannot be started fail at their own time limit, with the reason") {
  Site site;
  site.filter("echo no model >&2; exit 69", 200ms);
  // The pause before the next try is longer than that by now.
  REQUIRE(site.run_until([&] { return site.filter_->figures().restarts == 4; }));
  const FilterResult result = site.answer_to(test::make_frame(1));
  REQUIRE_FALSE(result);
  CHECK(result.error().kind == Kind::Lost);
  CHECK(result.error().text == "filter detect: exit code 69: no model");
}

TEST_CASE("Filter: a child that never reads takes no more of our memory than the frame in hand") {
  Site site;
  site.filter("exec sleep 1000");
  std::weak_ptr<const Frame> first;
  std::vector<std::unique_ptr<Filter::Question>> questions;
  int fetched = 0;
  for (int i = 0; i < 20; ++i) {
    questions.push_back(site.filter_->ask(
        [&] {
          ++fetched;
          return large_frame(1);
        },
        {}, [](const FilterResult&) {}));
  }
  REQUIRE(site.run_until([&] { return fetched > 0; }));
  for (int i = 0; i < 100; ++i) ::ev_run(site.loop.raw(), EVRUN_NOWAIT);
  CHECK(fetched == 1);
}

TEST_CASE("Filter: a frame that no pipe holds goes there and back whole") {
  Site site;
  site.filter("exec cat");
  const FramePtr frame = large_frame(5);
  for (int i = 0; i < 3; ++i) {
    const FilterResult result = site.answer_to(frame);
    REQUIRE(result);
    CHECK(as_text((*result)->jpeg.view()) == as_text(frame->jpeg.view()));
  }
}

TEST_CASE("Filter: one that answers before it has read all is given the rest, and then the next question") {
  Site site;
  const std::string jpeg = test::make_jpeg(1);
  std::string hex;
  for (const char c : jpeg) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    hex += kDigits[static_cast<unsigned char>(c) >> 4];
    hex += kDigits[static_cast<unsigned char>(c) & 15];
  }
  test::write_file(site.children.path("picture"), hex);
  ::setenv("FP_TEST_PICTURE", site.children.path("picture").c_str(), 1);
  site.filter(site.children.python(R"(
while True:
    head = b""
    while not head.endswith(b"\r\n\r\n"): head += os.read(0, 1)
    fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
    picture = bytes.fromhex(open(os.environ["FP_TEST_PICTURE"]).read())
    write(picture, "X-Request: " + fields["X-Request"])
    left = int(fields["Content-Length"]) + 2
    while left: left -= len(os.read(0, min(left, 65536)))
)"));
  CHECK(site.answer_to(large_frame(1)));
  CHECK(site.answer_to(large_frame(2)));
}

TEST_CASE("Filter: a question may outlive its filter") {
  Site site;
  site.filter("exec cat");
  const auto question = site.ask(test::make_frame(1));
  site.filter_.reset();
  CHECK(site.results.empty());
}

TEST_CASE("Filter: its child ends with it") {
  Site site;
  site.filter("trap '' TERM; echo ready >&2; while :; do sleep 1; done");
  REQUIRE(site.run_until([&] { return site.has_said("ready"); }));
  const pid_t pid = site.filter_->pid();
  site.filter_.reset();
  CHECK((::kill(pid, 0) == -1 && errno == ESRCH));
}

}  // namespace
