#include "frame/output.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cerrno>
#include <thread>
#include <vector>

#include "base/connector.h"
#include "frame/parser.h"
#include "support/io.h"
#include "support/make_frame.h"

namespace {

using namespace fp;
using namespace std::chrono_literals;
using test::eventually;
using test::make_frame;
using test::Pair;
using test::wait_readable;

using OutputPtr = std::unique_ptr<Output>;

OutputPtr open_output(const std::string& spec, Output::Options options = {}) {
  return Output::open(parse_endpoint(spec, Direction::Out).value(), std::move(options), {}).value();
}
OutputPtr open_output(const Fd& fd, Output::Options options = {}) {
  return open_output("fd:" + std::to_string(fd.get()), std::move(options));
}

// The sequence numbers of the next `count` frames; fewer when the stream ends.
std::vector<std::uint64_t> read_frames(int fd, std::size_t count) {
  StreamParser parser({});
  std::vector<std::uint64_t> sequences;
  test::read_until(fd, [&, fed = std::size_t{0}](const std::string& text) mutable {
    while (fed < text.size()) {
      const auto room = parser.room();
      const std::size_t take = std::min(room.size(), text.size() - fed);
      std::copy_n(text.begin() + static_cast<std::ptrdiff_t>(fed), take, room.begin());
      parser.commit(take, WallTime());
      fed += take;
      while (auto frame = parser.next()) sequences.push_back(frame->sequence);
    }
    return sequences.size() >= count;
  });
  return sequences;
}

using Sequences = std::vector<std::uint64_t>;

struct Channel {
  const char* name;
  Pair (*make)();
};
const Channel kChannels[] = {{"pipe", test::make_pipe}, {"socketpair", test::make_socketpair}};

TEST_CASE("Output: what leaves is header, JPEG and line end, byte for byte") {
  for (const Channel& channel : kChannels) {
    CAPTURE(channel.name);
    Pair pair = channel.make();
    const FramePtr frame = make_frame(3);
    const OutputPtr output = open_output(pair.write);
    REQUIRE(output->put(frame));
    output->finish(test::kPatience);
    pair.write.reset();
    CHECK(test::read_to_end(pair.read.get()) == test::part_of(*frame));
  }
}

TEST_CASE("Output: a reader that was away gets what was begun, then the newest, and nothing between") {
  for (const Channel& channel : kChannels) {
    CAPTURE(channel.name);
    Pair pair = channel.make();
    const OutputPtr output = open_output(pair.write);
    REQUIRE(output->put(make_frame(0)));
    REQUIRE(eventually([&] { return output->figures().written == 1; }));
    for (std::uint64_t i = 1; i < 100; ++i) REQUIRE(output->put(make_frame(i)));
    CHECK(read_frames(pair.read.get(), 2) == Sequences{0, 99});
    REQUIRE(eventually([&] { return output->figures().written == 2; }));
    CHECK(output->figures().dropped == 98);
  }
}

TEST_CASE("Output: a frame that is larger than the pipe arrives whole") {
  for (const Channel& channel : kChannels) {
    CAPTURE(channel.name);
    Pair pair = channel.make();
    const OutputPtr output = open_output(pair.write);
    const FramePtr frame =
        make_frame(1, test::with_thumbnail(test::make_jpeg(1, 3000, 2000), std::string(60'000, 'x')));
    REQUIRE(frame->jpeg.size() > 100'000);
    REQUIRE(output->put(frame));
    const std::string expected = test::part_of(*frame);
    CHECK(test::read_until(pair.read.get(), [&](const std::string& text) { return text.size() >= expected.size(); }) ==
          expected);
  }
}

TEST_CASE("Output: with every_frame nothing is dropped, however slow the reader") {
  for (const Channel& channel : kChannels) {
    CAPTURE(channel.name);
    Pair pair = channel.make();
    const OutputPtr output = open_output(pair.write, {.every_frame = true, .trace = {}});
    const std::string jpeg = test::make_jpeg(1, 640, 480);
    Sequences seen;
    std::thread reader([&] { seen = read_frames(pair.read.get(), 60); });
    Sequences expected;
    for (std::uint64_t i = 0; i < 60; ++i) {
      expected.push_back(i);
      CHECK(output->put(make_frame(i, jpeg)));
    }
    reader.join();
    CHECK(seen == expected);
    CHECK(output->figures().dropped == 0);
  }
}

TEST_CASE("Output: a reader that leaves is noticed without a frame, and put() says so") {
  for (const Channel& channel : kChannels) {
    for (const bool every_frame : {false, true}) {
      CAPTURE(channel.name);
      CAPTURE(every_frame);
      Pair pair = channel.make();
      const OutputPtr output = open_output(pair.write, {.every_frame = every_frame, .trace = {}});
      pair.read.reset();
      CHECK(wait_readable(output->gone_fd()));
      CHECK_FALSE(output->put(make_frame(1)));
      CHECK_FALSE(output->error().has_value());  // a quiet end
    }
  }
}

TEST_CASE("Output: a reader that leaves in the middle of a frame is a quiet end, too") {
  for (const Channel& channel : kChannels) {
    CAPTURE(channel.name);
    Pair pair = channel.make();
    const OutputPtr output = open_output(pair.write);
    REQUIRE(output->put(make_frame(1, test::with_thumbnail(test::make_jpeg(1, 3000, 2000), std::string(60'000, 'x')))));
    REQUIRE(wait_readable(pair.read.get()));
    pair.read.reset();
    CHECK(wait_readable(output->gone_fd()));
    CHECK_FALSE(output->error().has_value());
  }
}

TEST_CASE("Output: drain() delivers the frame that waits, then says that all is gone") {
  for (const Channel& channel : kChannels) {
    CAPTURE(channel.name);
    Pair pair = channel.make();
    const OutputPtr output = open_output(pair.write);
    REQUIRE(output->put(make_frame(0)));
    REQUIRE(eventually([&] { return output->figures().written == 1; }));
    REQUIRE(output->put(make_frame(1)));
    output->drain();
    CHECK_FALSE(wait_readable(output->gone_fd(), 0ms));  // the reader has not taken the first one yet
    CHECK(read_frames(pair.read.get(), 2) == Sequences{0, 1});
    CHECK(wait_readable(output->gone_fd()));
  }
}

TEST_CASE("Output: finish() waits no longer than its grace, and ends on a frame boundary") {
  for (const Channel& channel : kChannels) {
    CAPTURE(channel.name);
    Pair pair = channel.make();
    const OutputPtr output = open_output(pair.write);
    const FramePtr first = make_frame(0);
    REQUIRE(output->put(first));
    REQUIRE(eventually([&] { return output->figures().written == 1; }));
    REQUIRE(output->put(make_frame(1)));
    output->finish(10ms);
    pair.write.reset();
    CHECK(test::read_to_end(pair.read.get()) == test::part_of(*first));
  }
}

TEST_CASE("Output: is gone after as many frames as its limit") {
  for (const Channel& channel : kChannels) {
    CAPTURE(channel.name);
    Pair pair = channel.make();
    const OutputPtr output = open_output(pair.write, {.every_frame = true, .limit = 3, .trace = {}});
    for (std::uint64_t i = 0; i < 3; ++i) REQUIRE(output->put(make_frame(i)));
    CHECK(wait_readable(output->gone_fd()));
    CHECK_FALSE(output->put(make_frame(3)));
    pair.write.reset();
    CHECK(read_frames(pair.read.get(), 4) == Sequences{0, 1, 2});
  }
}

TEST_CASE("Output: with a trace, each frame tells that it passed here") {
  Pair pair = test::make_pipe();
  const OutputPtr output = open_output(pair.write, {.trace = TraceHop{"frame-rate", false}});
  REQUIRE(output->put(make_frame(1)));
  output->finish(test::kPatience);
  pair.write.reset();
  const std::string text = test::read_to_end(pair.read.get());
  CHECK(text.find("\r\nX-Trace: frame-rate=1763688000.000000/") != std::string::npos);
}

TEST_CASE("Output: says how long its reader took for a frame, when it was asked to measure") {
  for (const Channel& channel : kChannels) {
    CAPTURE(channel.name);
    Pair pair = channel.make();
    const OutputPtr output = open_output(pair.write, {.trace = {}, .measure = true});
    REQUIRE(output->put(make_frame(0)));
    REQUIRE(eventually([&] { return output->figures().taking >= 50ms; }));
    CHECK(output->figures().taken == 0);
    CHECK(read_frames(pair.read.get(), 1) == Sequences{0});
    // No other frame is needed to see that this one was taken.
    REQUIRE(eventually([&] { return output->figures().taken == 1; }));
    CHECK(output->figures().take_time >= 50ms);
    CHECK(output->figures().taking == 0ns);
  }
}

TEST_CASE("Output: measures each frame that is taken, for several readers too") {
  const OutputPtr output = open_output("tcp-listen:0", {.trace = {}, .measure = true});
  const Fd one = connect_blocking("127.0.0.1", std::to_string(output->port())).value();
  const Fd other = connect_blocking("127.0.0.1", std::to_string(output->port())).value();
  REQUIRE(eventually([&] { return output->figures().readers == 2; }));
  for (std::uint64_t i = 0; i < 3; ++i) {
    REQUIRE(output->put(make_frame(i)));
    CHECK(read_frames(one.get(), 1) == Sequences{i});
    CHECK(read_frames(other.get(), 1) == Sequences{i});
    REQUIRE(eventually([&] { return output->figures().taken == 2 * (i + 1); }));
  }
}

TEST_CASE("Output: with every_frame the time that a frame had to wait for the reader is measured") {
  Pair pair = test::make_pipe();
  const OutputPtr output = open_output(pair.write, {.every_frame = true, .trace = {}, .measure = true});
  const FramePtr large = make_frame(0, test::with_thumbnail(test::make_jpeg(1, 3000, 2000), std::string(60'000, 'x')));
  REQUIRE(output->put(large));  // larger than the pipe
  REQUIRE(eventually([&] { return output->figures().taking >= 30ms; }));
  CHECK(read_frames(pair.read.get(), 1) == Sequences{0});
  REQUIRE(eventually([&] { return output->figures().taken == 1; }));
  CHECK(output->figures().take_time >= 30ms);
}

TEST_CASE("Output: measures nothing unless it is asked to") {
  Pair pair = test::make_pipe();
  const OutputPtr output = open_output(pair.write);
  REQUIRE(output->put(make_frame(0)));
  CHECK(read_frames(pair.read.get(), 1) == Sequences{0});
  REQUIRE(output->put(make_frame(1)));
  REQUIRE(eventually([&] { return output->figures().written == 2; }));
  CHECK(output->figures().taken == 0);
  CHECK(output->figures().taking == 0ns);
}

TEST_CASE("Output: O_NONBLOCK is never set on a descriptor that others share") {
  for (const Channel& channel : kChannels) {
    CAPTURE(channel.name);
    Pair pair = channel.make();
    const OutputPtr output = open_output(pair.write);
    REQUIRE(output->put(make_frame(1)));
    REQUIRE(eventually([&] { return output->figures().written == 1; }));
    CHECK((::fcntl(pair.write.get(), F_GETFL) & O_NONBLOCK) == 0);
  }
}

TEST_CASE("Output: lines of text leave one for each frame, whether or not the reader has taken those before") {
  for (const Channel& channel : kChannels) {
    CAPTURE(channel.name);
    Pair pair = channel.make();
    Output::Options options;
    options.line = [](const Frame& frame) { return "frame " + std::to_string(frame.sequence); };
    const OutputPtr output = open_output(pair.write, std::move(options));
    // Some of them together: none may take another one's place.
    for (std::uint64_t i = 0; i < 3; ++i) REQUIRE(output->put(make_frame(i)));
    REQUIRE(eventually([&] { return output->figures().written == 3; }));
    output->finish(test::kPatience);
    pair.write.reset();
    CHECK(test::read_to_end(pair.read.get()) == "frame 0\nframe 1\nframe 2\n");
    CHECK(output->figures().dropped == 0);
  }
}

TEST_CASE("Output: none takes everything and counts it") {
  const OutputPtr output = open_output("none", {.limit = 2, .trace = {}});
  CHECK(output->put(make_frame(0)));
  CHECK_FALSE(wait_readable(output->gone_fd(), 0ms));
  CHECK(output->put(make_frame(1)));
  CHECK(wait_readable(output->gone_fd(), 0ms));
  CHECK_FALSE(output->put(make_frame(2)));
}

TEST_CASE("Output: a descriptor that is not open is an error") {
  const auto output = Output::open(parse_endpoint("fd:987654", Direction::Out).value(), {}, {});
  REQUIRE_FALSE(output.has_value());
  CHECK(output.error().sys == EBADF);
  CHECK(output.error().text.find("fd:987654") != std::string::npos);
}

TEST_CASE("Output: a terminal gets no frames, but the advice to pipe them on") {
  const Fd terminal(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal) return;  // no /dev/pts here
  const auto output =
      Output::open(parse_endpoint("fd:" + std::to_string(terminal.get()), Direction::Out).value(), {}, {});
  REQUIRE_FALSE(output.has_value());
  CHECK(output.error().kind == Error::Kind::Unsupported);
  CHECK(output.error().text.find("terminal") != std::string::npos);
}

TEST_CASE("Output: a regular file takes every frame that was waited for, one behind the other") {
  const test::TempDir folder;
  std::string expected;
  {
    const OutputPtr output = open_output(folder / "out.mjpeg", {.every_frame = true, .trace = {}});
    for (std::uint64_t i = 0; i < 5; ++i) {
      const FramePtr frame = make_frame(i);
      expected += test::part_of(*frame);
      REQUIRE(output->put(frame));
    }
    output->finish(test::kPatience);
  }
  CHECK(test::read_file(folder / "out.mjpeg") == expected);
}

TEST_CASE("Output: a path in no folder is an error that names it") {
  const auto output = Output::open(parse_endpoint("/no/such/folder/x", Direction::Out).value(), {}, {});
  REQUIRE_FALSE(output.has_value());
  CHECK(output.error().sys == ENOENT);
  CHECK(output.error().text.find("/no/such/folder/x") != std::string::npos);
}

TEST_CASE("Output: a FIFO may get its reader later, and another one after that") {
  const test::TempDir folder;
  const std::string path = folder / "fifo";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  const OutputPtr output = open_output(path);
  for (std::uint64_t i = 0; i < 2; ++i) {
    CAPTURE(i);
    const Fd reader(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    REQUIRE(eventually([&] { return output->figures().readers == 1; }));
    REQUIRE(output->put(make_frame(i)));
    CHECK(read_frames(reader.get(), 1) == Sequences{i});
  }
}

TEST_CASE("Output: a command gets the frames, and at the end time to finish with them") {
  const test::TempDir folder;
  const std::string path = folder / "copy";
  const FramePtr frame = make_frame(1);
  {
    const OutputPtr output = open_output("exec:cat > " + path + ".part && mv " + path + ".part " + path);
    REQUIRE(output->put(frame));
    output->finish(test::kPatience);
  }
  CHECK(test::read_file(path) == test::part_of(*frame));
}

TEST_CASE("Output: a command that ends is run again") {
  const test::TempDir folder;
  const std::string path = folder / "runs";
  const OutputPtr output = open_output("exec:head -c 1 >/dev/null; echo run >> " + path);
  CHECK(eventually([&] { return output->put(make_frame(1)) && test::read_file(path).find("run\nrun\n") == 0; }));
}

TEST_CASE("Output: a unix socket that nobody listens on yet is tried until somebody does") {
  const test::TempDir folder;
  const std::string path = folder / "s";
  const OutputPtr output = open_output("unix:" + path);
  REQUIRE(output->put(make_frame(5)));
  const auto listener = listen_unix(path);
  REQUIRE(listener.has_value());
  REQUIRE(wait_readable(listener->get()));
  const Fd peer(::accept4(listener->get(), nullptr, nullptr, SOCK_CLOEXEC));
  CHECK(read_frames(peer.get(), 1) == Sequences{5});
}

TEST_CASE("Output: a unix socket is connected to again when its peer has left") {
  const test::TempDir folder;
  const std::string path = folder / "s";
  const auto listener = listen_unix(path);
  REQUIRE(listener.has_value());
  const OutputPtr output = open_output("unix:" + path);
  for (std::uint64_t i = 0; i < 3; ++i) {
    CAPTURE(i);
    REQUIRE(wait_readable(listener->get()));
    const Fd peer(::accept4(listener->get(), nullptr, nullptr, SOCK_CLOEXEC));
    REQUIRE(eventually([&] { return output->figures().readers == 1; }));
    REQUIRE(output->put(make_frame(i)));
    CHECK(read_frames(peer.get(), 1) == Sequences{i});
  }
}

TEST_CASE("Output: each reader of a listening end has its own pace") {
  const test::TempDir folder;
  const std::string path = folder / "s";
  const OutputPtr output = open_output("unix-listen:" + path);
  const Fd quick = connect_unix(path).value();
  const Fd away = connect_unix(path).value();
  REQUIRE(eventually([&] { return output->figures().readers == 2; }));
  Sequences seen;
  for (std::uint64_t i = 0; i < 20; ++i) {
    REQUIRE(output->put(make_frame(i)));
    for (const std::uint64_t one : read_frames(quick.get(), 1)) seen.push_back(one);
    if (i == 0) REQUIRE(eventually([&] { return output->figures().written == 2; }));
  }
  CHECK(seen == Sequences{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19});
  CHECK(read_frames(away.get(), 2) == Sequences{0, 19});
}

TEST_CASE("Output: who comes to a listening end gets the newest frame at once") {
  const test::TempDir folder;
  const OutputPtr output = open_output("unix-listen:" + (folder / "s"));
  for (std::uint64_t i = 0; i < 3; ++i) REQUIRE(output->put(make_frame(i)));
  const Fd late = connect_unix(folder / "s").value();
  CHECK(read_frames(late.get(), 1) == Sequences{2});
}

TEST_CASE("Output: a reader that leaves a listening end is forgotten, and what it got stays counted") {
  const test::TempDir folder;
  const OutputPtr output = open_output("unix-listen:" + (folder / "s"));
  {
    const Fd reader = connect_unix(folder / "s").value();
    REQUIRE(eventually([&] { return output->figures().readers == 1; }));
    REQUIRE(output->put(make_frame(0)));
    REQUIRE(read_frames(reader.get(), 1) == Sequences{0});
  }
  CHECK(eventually([&] { return output->put(make_frame(1)) && output->figures().readers == 0; }));
  CHECK(output->figures().written >= 1);
}

TEST_CASE("Output: the 65th reader of a listening end is turned away") {
  const test::TempDir folder;
  const OutputPtr output = open_output("unix-listen:" + (folder / "s"));
  std::vector<Fd> readers;
  for (int i = 0; i < 65; ++i) readers.push_back(connect_unix(folder / "s").value());
  CHECK(test::read_to_end(readers.back().get()).empty());
  CHECK(output->figures().readers == 64);
}

TEST_CASE("Output: a listening TCP end tells the port it got") {
  const OutputPtr output = open_output("tcp-listen:0");
  REQUIRE(output->port() != 0);
  const Fd reader = connect_blocking("127.0.0.1", std::to_string(output->port())).value();
  REQUIRE(eventually([&] { return output->figures().readers == 1; }));
  REQUIRE(output->put(make_frame(4)));
  CHECK(read_frames(reader.get(), 1) == Sequences{4});
}

TEST_CASE("Output: a TCP reader that was away gets the newest, not all that came between") {
  const OutputPtr output = open_output("tcp-listen:0");
  const Fd reader = connect_blocking("127.0.0.1", std::to_string(output->port())).value();
  REQUIRE(eventually([&] { return output->figures().readers == 1; }));
  // The kernel takes some frames off our hands before the window is shut; far fewer than were put.
  const std::string jpeg = test::make_jpeg(1, 1280, 960);
  for (std::uint64_t i = 0; i < 3000; ++i) REQUIRE(output->put(make_frame(i, jpeg)));
  output->drain();
  Sequences seen;
  do {
    const Sequences next = read_frames(reader.get(), 1);
    if (next.empty()) break;
    seen.insert(seen.end(), next.begin(), next.end());
  } while (seen.back() != 2999);
  REQUIRE_FALSE(seen.empty());
  CHECK(seen.back() == 2999);
}

}  // namespace
