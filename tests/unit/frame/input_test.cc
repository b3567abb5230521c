#include "frame/input.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <vector>

#include "base/connector.h"
#include "support/fake_clock.h"
#include "support/io.h"
#include "support/make_frame.h"
#include "support/scripted_server.h"

namespace {

using namespace fp;
using namespace std::chrono_literals;
using test::eventually;
using test::make_frame;
using test::Pair;

const SystemClock kClock;

Input open_input(const std::string& spec, Input::Options options = {}, Report report = {}) {
  return Input::open(parse_endpoint(spec, Direction::In).value(), options, kClock, std::move(report)).value();
}
Input open_input(const Fd& fd, Input::Options options = {}) {
  return open_input("fd:" + std::to_string(fd.get()), options);
}

std::string part(std::uint64_t sequence) { return test::part_of(*make_frame(sequence)); }
std::string parts(std::uint64_t from, std::uint64_t to) {
  std::string text;
  for (std::uint64_t i = from; i < to; ++i) text += part(i);
  return text;
}

// Waits for the next frame; nullptr when the input ends or patience does.
FramePtr next_frame(Input& input) {
  FramePtr frame;
  (void)wait_frame(input, frame, -1, -1, kClock.steady() + test::kPatience, kClock);
  return frame;
}
using Sequences = std::vector<std::uint64_t>;
Sequences all_frames(Input& input) {
  Sequences seen;
  while (const FramePtr frame = next_frame(input)) seen.push_back(frame->sequence);
  return seen;
}

struct Channel {
  const char* name;
  Pair (*make)();
};
const Channel kChannels[] = {{"pipe", test::make_pipe}, {"socketpair", test::make_socketpair}};

TEST_CASE("Input: of many frames that have arrived the newest is given, and the others are counted") {
  for (const Channel& channel : kChannels) {
    CAPTURE(channel.name);
    const Pair pair = channel.make();
    Input input = open_input(pair.read);
    REQUIRE(test::write_all(pair.write.get(), parts(0, 10)));
    const FramePtr frame = next_frame(input);
    REQUIRE(frame != nullptr);
    CHECK(frame->sequence == 9);
    CHECK(input.superseded() == 9);
    CHECK(input.figures().frames == 10);
  }
}

TEST_CASE("Input: with every_frame all are given in order, and then the end") {
  for (const Channel& channel : kChannels) {
    CAPTURE(channel.name);
    Pair pair = channel.make();
    Input input = open_input(pair.read, {.every_frame = true});
    REQUIRE(test::write_all(pair.write.get(), parts(0, 6)));
    pair.write.reset();
    CHECK(all_frames(input) == Sequences{0, 1, 2, 3, 4, 5});
    CHECK(input.ended());
  }
}

TEST_CASE("Input: the newest frame is still given when the end comes with it") {
  for (const Channel& channel : kChannels) {
    CAPTURE(channel.name);
    Pair pair = channel.make();
    Input input = open_input(pair.read);
    REQUIRE(test::write_all(pair.write.get(), parts(0, 3)));
    pair.write.reset();
    CHECK(all_frames(input) == Sequences{2});
    CHECK(input.ended());
  }
}

TEST_CASE("Input: a frame that comes in pieces is given when its last byte is there") {
  const Pair pair = test::make_pipe();
  Input input = open_input(pair.read);
  const FramePtr sent = make_frame(1);
  const std::string text = part_header(*sent) + std::string(as_text(sent->jpeg.view()));
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    REQUIRE(test::write_all(pair.write.get(), text.substr(i, 1)));
    if (input.advance() != nullptr) FAIL("given after " << i + 1 << " of " << text.size() << " bytes");
  }
  REQUIRE(test::write_all(pair.write.get(), text.substr(text.size() - 1)));
  const FramePtr frame = input.advance();
  REQUIRE(frame != nullptr);
  CHECK(as_text(frame->jpeg.view()) == as_text(sent->jpeg.view()));
}

TEST_CASE("Input: a frame that is cut off by the end is counted, not given") {
  Pair pair = test::make_pipe();
  Input input = open_input(pair.read);
  REQUIRE(test::write_all(pair.write.get(), part(1).substr(0, 400)));
  pair.write.reset();
  CHECK(all_frames(input).empty());
  CHECK(input.skips().of(Skip::Truncated) == 1);
}

TEST_CASE("Input: asking when nothing has come does no harm") {
  for (const Channel& channel : kChannels) {
    CAPTURE(channel.name);
    const Pair pair = channel.make();
    Input input = open_input(pair.read);
    for (int i = 0; i < 5; ++i) CHECK(input.advance() == nullptr);
    CHECK(input.state() == Input::State::Open);
    REQUIRE(test::write_all(pair.write.get(), part(1)));
    CHECK(next_frame(input) != nullptr);
  }
}

TEST_CASE("Input: O_NONBLOCK is never set on a descriptor that others share") {
  for (const Channel& channel : kChannels) {
    CAPTURE(channel.name);
    const Pair pair = channel.make();
    Input input = open_input(pair.read);
    CHECK(input.advance() == nullptr);  // did not block
    CHECK((::fcntl(pair.read.get(), F_GETFL) & O_NONBLOCK) == 0);
  }
}

TEST_CASE("Input: a frame over the limit is skipped, and the next one comes") {
  const Pair pair = test::make_pipe();
  Input input = open_input(pair.read, {.max_frame_bytes = 4096});
  const FramePtr large = make_frame(1, test::with_thumbnail(test::make_jpeg(1), std::string(10'000, 'x')));
  REQUIRE(test::write_all(pair.write.get(), test::part_of(*large) + part(2)));
  const FramePtr frame = next_frame(input);
  REQUIRE(frame != nullptr);
  CHECK(frame->sequence == 2);
  CHECK(input.skips().of(Skip::TooLarge) >= 1);
}

TEST_CASE("Input: a regular file gives every frame, in order") {
  const test::TempDir folder;
  test::write_file(folder / "clip", parts(0, 8));
  Input input = open_input(folder / "clip");
  CHECK(input.in_order());
  CHECK(all_frames(input) == Sequences{0, 1, 2, 3, 4, 5, 6, 7});
  CHECK(input.ended());
}

TEST_CASE("Input: a regular file gives every frame also where one turn's reading ends") {
  const test::TempDir folder;
  std::string text((16u << 20) - 500, '\0');  // junk; a turn reads some 16 MiB
  text += parts(0, 8);
  test::write_file(folder / "clip", text);
  Input input = open_input(folder / "clip");
  CHECK(all_frames(input) == Sequences{0, 1, 2, 3, 4, 5, 6, 7});
}

TEST_CASE("Input: a file that is not there and a directory are errors that name it") {
  const test::TempDir folder;
  const auto missing = Input::open(parse_endpoint(folder / "x", Direction::In).value(), {}, kClock, {});
  REQUIRE_FALSE(missing.has_value());
  CHECK(missing.error().sys == ENOENT);
  CHECK(missing.error().text.find(folder / "x") != std::string::npos);
  const auto directory = Input::open(parse_endpoint(folder.path(), Direction::In).value(), {}, kClock, {});
  REQUIRE_FALSE(directory.has_value());
  CHECK(directory.error().sys == EISDIR);
}

TEST_CASE("Input: a descriptor that is not open is an error that names it") {
  const auto input = Input::open(parse_endpoint("fd:987654", Direction::In).value(), {}, kClock, {});
  REQUIRE_FALSE(input.has_value());
  CHECK(input.error().sys == EBADF);
  CHECK(input.error().text.find("fd:987654") != std::string::npos);
}

TEST_CASE("Input: a FIFO survives its writer and takes the next one's frames") {
  const test::TempDir folder;
  const std::string path = folder / "fifo";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  Input input = open_input(path);
  for (std::uint64_t i = 0; i < 3; ++i) {
    CAPTURE(i);
    Fd writer;
    REQUIRE(eventually([&] {
      writer.reset(::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));  // ENXIO while nobody reads
      if (!writer) (void)input.advance();
      return static_cast<bool>(writer);
    }));
    REQUIRE(test::write_all(writer.get(), part(i)));
    const FramePtr frame = next_frame(input);
    REQUIRE(frame != nullptr);
    CHECK(frame->sequence == i);
    writer.reset();
    REQUIRE(eventually([&] { return input.advance() == nullptr && input.state() == Input::State::Opening; }));
  }
  CHECK_FALSE(input.ended());
}

TEST_CASE("Input: a FIFO that has no writer yet may be asked at any time") {
  const test::TempDir folder;
  const std::string path = folder / "fifo";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  std::vector<std::string> said;
  Input input = open_input(path, {}, [&](Severity, const std::string& text) { said.push_back(text); });
  for (int i = 0; i < 3; ++i) CHECK(input.advance() == nullptr);
  CHECK(said.empty());  // nothing was lost: nothing has been there
  CHECK(input.state() == Input::State::Open);
}

TEST_CASE("Input: a command is run again when it ends") {
  const test::TempDir folder;
  test::write_file(folder / "clip", part(7));
  Input input = open_input("exec:cat " + (folder / "clip"));
  for (int i = 0; i < 3; ++i) {
    const FramePtr frame = next_frame(input);
    REQUIRE(frame != nullptr);
    CHECK(frame->sequence == 7);
  }
  CHECK(input.figures().opened >= 3);
}

TEST_CASE("Input: why a command ended is told") {
  std::vector<std::string> said;
  Input input = open_input("exec:exit 3", {}, [&](Severity, const std::string& text) { said.push_back(text); });
  REQUIRE(eventually([&] { return input.advance() == nullptr && !said.empty(); }));
  CHECK(said[0].find("exec:exit 3: ") == 0);
  CHECK_FALSE(input.trouble().empty());
}

TEST_CASE("Input: a command ends with its input") {
  const test::TempDir folder;
  Input input = open_input("exec:trap 'echo ended > " + (folder / "note") + "; exit' TERM; echo up > " +
                           (folder / "up") + "; while :; do sleep 1000 & wait $!; done");
  REQUIRE(eventually([&] { return test::read_file(folder / "up") == "up\n"; }));
  input.close(test::kPatience);
  CHECK(test::read_file(folder / "note") == "ended\n");
  CHECK(input.ended());
}

TEST_CASE("Input: a command that does not heed its end is killed after a second") {
  const test::TempDir folder;
  Input input = open_input("exec:trap '' TERM; echo up > " + (folder / "up") + "; while :; do sleep 1; done");
  REQUIRE(eventually([&] { return test::read_file(folder / "up") == "up\n"; }));
  input.begin_close();
  CHECK(eventually([&] { return input.closed(); }));
}

TEST_CASE("Input: a unix socket is connected to again when its peer restarts") {
  const test::TempDir folder;
  const std::string path = folder / "s";
  Input input = open_input("unix:" + path);  // nobody there yet
  CHECK(input.state() == Input::State::Opening);
  for (std::uint64_t i = 0; i < 2; ++i) {
    CAPTURE(i);
    const auto listener = listen_unix(path);
    REQUIRE(listener.has_value());
    Fd peer;
    REQUIRE(eventually([&] {
      (void)input.advance();
      peer.reset(::accept4(listener->get(), nullptr, nullptr, SOCK_CLOEXEC));
      return static_cast<bool>(peer);
    }));
    REQUIRE(test::write_all(peer.get(), part(i)));
    const FramePtr frame = next_frame(input);
    REQUIRE(frame != nullptr);
    CHECK(frame->sequence == i);
  }
}

TEST_CASE("Input: a listening end takes one producer after the other") {
  const test::TempDir folder;
  const std::string path = folder / "s";
  Input input = open_input("unix-listen:" + path);
  CHECK(input.trouble() == "waiting for a producer");
  for (std::uint64_t i = 0; i < 3; ++i) {
    CAPTURE(i);
    const Fd producer = connect_unix(path).value();
    REQUIRE(test::write_all(producer.get(), part(i)));
    const FramePtr frame = next_frame(input);
    REQUIRE(frame != nullptr);
    CHECK(frame->sequence == i);
  }
  CHECK(eventually([&] { return input.advance() == nullptr && input.state() == Input::State::Opening; }));
}

TEST_CASE("Input: the second producer of a listening end waits until the first has left") {
  const test::TempDir folder;
  const std::string path = folder / "s";
  Input input = open_input("unix-listen:" + path);
  Fd first = connect_unix(path).value();
  const Fd second = connect_unix(path).value();
  REQUIRE(test::write_all(second.get(), part(2)));
  REQUIRE(test::write_all(first.get(), part(1)));
  FramePtr frame = next_frame(input);
  REQUIRE(frame != nullptr);
  CHECK(frame->sequence == 1);
  CHECK(input.advance() == nullptr);
  first.reset();
  frame = next_frame(input);
  REQUIRE(frame != nullptr);
  CHECK(frame->sequence == 2);
}

TEST_CASE("Input: a TCP end tells its port and obeys no orders from the network") {
  Input input = open_input("tcp-listen:0");
  REQUIRE(input.port() != 0);
  const Fd producer = connect_blocking("127.0.0.1", std::to_string(input.port())).value();
  Frame ordered = *make_frame(1);
  ordered.extra = {{"X-Gate", "open"}, {"X-Overlay", "boxes=1"}, {"X-Request", "1"}, {"X-Other", "kept"}};
  pollfd writable{producer.get(), POLLOUT, 0};
  REQUIRE(::poll(&writable, 1, 30'000) == 1);
  REQUIRE(test::write_all(producer.get(), test::part_of(ordered)));
  const FramePtr frame = next_frame(input);
  REQUIRE(frame != nullptr);
  REQUIRE(frame->extra.size() == 1);
  CHECK(frame->extra[0].name == "X-Other");
}

TEST_CASE("Input: orders from a local socket are passed on") {
  const Pair pair = test::make_socketpair();
  Input input = open_input(pair.read);
  Frame ordered = *make_frame(1);
  ordered.extra = {{"X-Gate", "open"}};
  REQUIRE(test::write_all(pair.write.get(), test::part_of(ordered)));
  const FramePtr frame = next_frame(input);
  REQUIRE(frame != nullptr);
  CHECK(frame->extra.size() == 1);
}

// --- http

using test::Peer;
using test::ScriptedServer;

const std::string kMultipart = "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n";

std::string jpeg_of(std::uint64_t sequence) { return std::string(as_text(make_frame(sequence)->jpeg.view())); }

TEST_CASE("Input: http gives the frames of a stream, and what comes over a network may close no gate") {
  const ScriptedServer server([&](Peer& peer, int) {
    peer.request();
    std::string first = part(1);
    first.insert(first.find("\r\n") + 2, "X-Gate: closed\r\nX-Request: 1\r\n");
    peer.send(kMultipart + first + part(2));
    peer.hold();
  });
  Input input = open_input(server.url("/video"), {.every_frame = true});
  const FramePtr frame = next_frame(input);
  REQUIRE(frame != nullptr);
  CHECK(frame->sequence == 1);
  for (const auto& [name, value] : frame->extra) CHECK_FALSE(is_control_header(name));
  CHECK(next_frame(input)->sequence == 2);
  CHECK(input.state() == Input::State::Open);
  CHECK(input.framing().http_content_type == "multipart/x-mixed-replace; boundary=frame");
  CHECK(input.framing().announced_boundary == "frame");
}

TEST_CASE("Input: http that ends is opened again") {
  const ScriptedServer server([&](Peer& peer, int number) {
    peer.request();
    peer.send(kMultipart + part(static_cast<std::uint64_t>(number)));
  });
  Input input = open_input(server.url("/video"), {.every_frame = true});
  for (std::uint64_t i = 0; i < 3; ++i) {
    FramePtr frame;
    REQUIRE(test::eventually([&] { return (frame = input.advance()) != nullptr; }));
    CHECK(frame->sequence == i);
  }
  CHECK(input.figures().opened == 3);
}

TEST_CASE("Input: an answer that is one picture is asked for again each second, in silence") {
  std::vector<std::string> reports;
  const ScriptedServer server([&](Peer& peer, int number) {
    peer.request();
    peer.send("HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n\r\n" + jpeg_of(static_cast<std::uint64_t>(number)));
    if (number % 2 == 1) peer.hold();  // a camera that does not close
  });
  for (const bool every_frame : {false, true}) {
    test::FakeClock clock;
    Input::Options options;
    options.every_frame = every_frame;
    Input input = Input::open(parse_endpoint(server.url("/shot.jpg"), Direction::In).value(), options, clock,
                              [&](Severity, const std::string& text) { reports.push_back(text); })
                      .value();
    for (int i = 0; i < 3; ++i) {
      REQUIRE(test::eventually([&] { return input.advance() != nullptr; }));
      REQUIRE(test::eventually([&] { return input.advance() == nullptr && input.wait().fd == -1; }));
      CHECK(input.state() == Input::State::Open);
      CHECK(input.wait().until == clock.steady() + 1s);
      clock.tick(1s);
    }
    CHECK(input.figures().opened == 1);
    CHECK(input.figures().frames == 3);
  }
  CHECK(reports.empty());
}

TEST_CASE("Input: http that refuses is asked again after 5 s at the earliest") {
  const ScriptedServer server([&](Peer& peer, int) {
    peer.request();
    peer.send("HTTP/1.1 404 Not Found\r\n\r\n");
  });
  test::FakeClock clock;
  std::vector<std::string> reports;
  std::string spec = server.url("/video");
  Input input = Input::open(parse_endpoint(spec.insert(7, "me:geheim@"), Direction::In).value(), {}, clock,
                            [&](Severity, const std::string& text) { reports.push_back(text); })
                    .value();
  REQUIRE(test::eventually([&] {
    (void)input.advance();
    return !reports.empty();
  }));
  CHECK(reports.front() == server.url("/video") + ": 404 Not Found; trying again");
  CHECK(input.trouble() == "404 Not Found");
  CHECK(input.wait().until == clock.steady() + 5s);
  CHECK(input.state() == Input::State::Opening);
}

TEST_CASE("Input: http without a frame for too long is opened again, and says why") {
  const ScriptedServer server([&](Peer& peer, int number) {
    peer.request();
    if (number == 0) peer.send("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>");
    if (number == 1) peer.send(kMultipart + part(7) + part(8).substr(0, 100));
    peer.hold();
  });
  test::FakeClock clock;
  Input::Options options;
  options.frame_timeout = 3s;  // less than a head may take
  Input input = Input::open(parse_endpoint(server.url("/video"), Direction::In).value(), options, clock, {}).value();
  const auto opened = [&](std::uint64_t times) {
    return test::eventually([&] {
      (void)input.advance();
      if (input.state() == Input::State::Opening && input.wait().fd == -1) clock.tick(100ms);
      return input.figures().opened == times && input.figures().bytes > 0;
    });
  };
  REQUIRE(opened(1));
  clock.tick(2999ms);
  (void)input.advance();
  CHECK(input.state() == Input::State::Open);
  clock.tick(1ms);
  (void)input.advance();
  CHECK(input.trouble() == "no frame for 3 s (the answer is text/html)");
  REQUIRE(opened(2));
  REQUIRE(test::eventually([&] { return input.advance() != nullptr || input.figures().frames > 0; }));
  clock.tick(3s);
  (void)input.advance();
  CHECK(input.trouble() == "no frame for 3 s");
  REQUIRE(test::eventually([&] {
    (void)input.advance();
    if (input.wait().fd == -1) clock.tick(100ms);
    return server.connections() == 3;
  }));
  clock.tick(3s);
  REQUIRE(test::eventually([&] {
    (void)input.advance();
    return input.trouble() == "no frame for 3 s (waiting for the answer)";
  }));
}

TEST_CASE("Input: other inputs may have a frame_timeout, too") {
  const Pair pair = test::make_pipe();
  test::FakeClock clock;
  Input::Options options;
  options.frame_timeout = 2s;
  Input input = Input::open(parse_endpoint("exec:sleep 100", Direction::In).value(), options, clock, {}).value();
  CHECK(input.wait().until == clock.steady() + 2s);
  clock.tick(2s);
  (void)input.advance();
  CHECK(input.trouble() == "no frame for 2 s");
  CHECK(input.state() == Input::State::Opening);
}

TEST_CASE("Input: begin_close() ends an http connection at once") {
  std::atomic<bool> left{false};
  const ScriptedServer server([&](Peer& peer, int) {
    peer.request();
    peer.send(kMultipart + part(1));
    peer.hold();
    left = true;
  });
  Input input = open_input(server.url("/video"));
  REQUIRE(next_frame(input) != nullptr);
  CHECK_FALSE(left);
  input.begin_close();
  CHECK(input.closed());
  CHECK(test::eventually([&] { return left.load(); }));
}

}  // namespace
