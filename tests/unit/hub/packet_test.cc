#include "hub/packet.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "support/io.h"
#include "support/make_frame.h"

namespace {

using namespace fp;

const std::string kHeader = "--frame\r\nContent-Length: N\r\n\r\n";
const std::string kNext = "--next\r\nContent-Type: image/jpeg\r\n\r\n";

// A packet around a picture of a few bytes, and all of it as text.
struct Sample {
  std::string jpeg = "JPEG";
  std::string all = kHeader + jpeg + "\r\n" + kNext;
  Packet packet{frame(), kHeader, kNext, 7};

 private:
  [[nodiscard]] FramePtr frame() const {
    Frame made;
    made.jpeg = Blob::copy_of(as_bytes(jpeg));
    return std::make_shared<const Frame>(std::move(made));
  }
};

std::string text_of(const std::array<iovec, 3>& pieces) {
  std::string text;
  for (const iovec& piece : pieces) {
    if (piece.iov_len > 0) text.append(static_cast<const char*>(piece.iov_base), piece.iov_len);
  }
  return text;
}

TEST_CASE("Packet: the range with lengths is header, JPEG and line end") {
  const Sample sample;
  const auto range = sample.packet.length_range();
  CHECK(text_of(sample.packet.pieces(range.begin, range.end)) == kHeader + sample.jpeg + "\r\n");
}

TEST_CASE("Packet: the advance range is JPEG, line end and the next part's headers") {
  const Sample sample;
  const auto range = sample.packet.advance_range();
  CHECK(text_of(sample.packet.pieces(range.begin, range.end)) == sample.jpeg + "\r\n" + kNext);
}

TEST_CASE("Packet: any range is given exactly, wherever it begins and ends") {
  const Sample sample;
  for (std::size_t begin = 0; begin <= sample.all.size(); ++begin) {
    for (std::size_t end = begin; end <= sample.all.size(); ++end) {
      if (text_of(sample.packet.pieces(begin, end)) != sample.all.substr(begin, end - begin)) {
        FAIL_CHECK("wrong bytes from " << begin << " to " << end);
      }
    }
  }
}

TEST_CASE("Packet: the JPEG's bytes are the frame's own, not a copy") {
  const Sample sample;
  const auto range = sample.packet.advance_range();
  CHECK(sample.packet.pieces(range.begin, range.end)[1].iov_base ==
        static_cast<const void*>(sample.packet.frame().jpeg.data()));
}

std::string read_all(int fd) {
  std::string bytes(1 << 20, '\0');
  const ssize_t got = ::read(fd, bytes.data(), bytes.size());
  bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return bytes;
}

TEST_CASE("Packet: its pipe holds the same bytes, and is made once") {
  const FramePtr frame = test::make_frame(1, test::make_jpeg(1, 640, 480));
  const Packet packet(frame, kHeader, kNext, 1);
  const int fd = packet.pipe();
  REQUIRE(fd >= 0);
  CHECK(packet.pipe() == fd);
  CHECK(read_all(fd) == text_of(packet.pieces(0, packet.advance_range().end)));
}

TEST_CASE("Packet: a pipe that was dropped is not made again") {
  const Sample sample;
  REQUIRE(sample.packet.pipe() >= 0);
  sample.packet.drop_pipe();
  CHECK(sample.packet.pipe() == -1);
}

TEST_CASE("Packet: its pipe goes with it") {
  int fd = -1;
  {
    const Sample sample;
    fd = sample.packet.pipe();
    REQUIRE(fd >= 0);
  }
  CHECK(::fcntl(fd, F_GETFD) == -1);
}

TEST_CASE("Relay: both framings come out of it, as often as they are asked for") {
  const FramePtr frame = test::make_frame(1, test::make_jpeg(1, 640, 480));
  const Packet packet(frame, kHeader, kNext, 1);
  Relay relay;
  for (int round = 0; round < 3; ++round) {
    for (const Packet::Range range : {packet.length_range(), packet.advance_range()}) {
      const int fd = relay.load(packet, range);
      REQUIRE(fd >= 0);
      CHECK(read_all(fd) == text_of(packet.pieces(range.begin, range.end)));
    }
  }
}

TEST_CASE("Relay: what a socket left behind is gone after discard()") {
  const Sample sample;
  Relay relay;
  REQUIRE(relay.load(sample.packet, sample.packet.length_range()) >= 0);
  relay.discard();
  const int fd = relay.load(sample.packet, sample.packet.length_range());
  REQUIRE(fd >= 0);
  CHECK(read_all(fd).size() == sample.packet.length_range().end);
}

TEST_CASE("Packet: knows its frame and its number") {
  const Sample sample;
  CHECK(sample.packet.index() == 7);
  CHECK(as_text(sample.packet.frame().jpeg.view()) == sample.jpeg);
}

}  // namespace
