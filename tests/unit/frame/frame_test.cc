#include "frame/frame.h"

#include <doctest/doctest.h>

#include "support/make_frame.h"

namespace {

using namespace fp;

Frame frame() {
  Frame frame;
  frame.jpeg = Blob::copy_of(as_bytes("12345"));
  frame.captured = WallTime(std::chrono::microseconds(1'763'688'000'123'456));
  frame.sequence = 42;
  return frame;
}

TEST_CASE("part_header: the bytes are those of mjpeg-frames(5)") {
  CHECK(part_header(frame()) ==
        "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 5\r\nX-Timestamp: 1763688000.123456\r\n"
        "X-Sequence: 42\r\n\r\n");
}

TEST_CASE("part_header: camera, signal, trace and the other X- headers follow, in this order") {
  Frame full = frame();
  full.camera = "front";
  full.signal = Signal::Held;
  full.trace = "camgrab=1.000000";
  full.extra = {{"X-Detections", "{}"}, {"X-Other", "a b"}};
  CHECK(part_header(full) ==
        "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 5\r\nX-Timestamp: 1763688000.123456\r\n"
        "X-Sequence: 42\r\nX-Camera: front\r\nX-Signal: held\r\nX-Trace: camgrab=1.000000\r\nX-Detections: {}\r\n"
        "X-Other: a b\r\n\r\n");
}

TEST_CASE("part_header: a camera and a trace that are given take the place of the frame's") {
  Frame own = frame();
  own.camera = "old";
  own.trace = "old=1.000000";
  const std::string header = part_header(own, {.camera = "new", .trace = "new=2.000000"});
  CHECK(header.find("X-Camera: new\r\n") != std::string::npos);
  CHECK(header.find("X-Trace: new=2.000000\r\n") != std::string::npos);
  CHECK(header.find("old") == std::string::npos);
}

TEST_CASE("x_headers: are the X- lines of part_header alone") {
  CHECK(x_headers(frame()) == "X-Timestamp: 1763688000.123456\r\nX-Sequence: 42\r\n");
}

TEST_CASE("X-Signal: every name is read back, and no other") {
  for (const Signal signal : {Signal::Live, Signal::Held, Signal::Card}) CHECK(parse_signal(name_of(signal)) == signal);
  for (const char* text : {"", "LIVE", "live ", "dead"}) CHECK_FALSE(parse_signal(text).has_value());
}

TEST_CASE("with_hop: a source notes one time, a filter two, and they line up") {
  const WallTime one(std::chrono::seconds(1));
  const WallTime two(std::chrono::seconds(2));
  const std::string source = with_hop("", {"camgrab", true}, one, two);
  CHECK(source == "camgrab=2.000000");
  CHECK(with_hop(source, {"frame-rate", false}, one, two) == "camgrab=2.000000;frame-rate=1.000000/2.000000");
}

TEST_CASE("with_hop: a trace that would pass 4 KiB stays as it is") {
  const WallTime now(std::chrono::seconds(1));
  std::string trace;
  for (int i = 0; i < 1000; ++i) trace = with_hop(trace, {"frame-rate", false}, now, now);
  CHECK(trace.size() <= 4096);
  CHECK(trace.size() > 4000);
  CHECK(trace.ends_with("frame-rate=1.000000/1.000000"));
}

}  // namespace
