#include "frame/parser.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <random>
#include <vector>

#include "support/jpegs.h"

namespace {

using namespace fp;
using test::make_jpeg;

const WallTime kNow{std::chrono::seconds(1'763'688'000)};

struct Outcome {
  std::vector<Frame> frames;
  Skips skips;
  Framing framing;
  [[nodiscard]] std::vector<std::string> jpegs() const {
    std::vector<std::string> all;
    for (const Frame& frame : frames) all.emplace_back(as_text(frame.jpeg.view()));
    return all;
  }
};

// Feeds `stream` in portions whose sizes `portion` gives, and ends it.
Outcome parse(const std::string& stream, const std::function<std::size_t()>& portion,
              StreamParser::Options options = {}) {
  StreamParser parser(options);
  Outcome outcome;
  for (std::size_t at = 0; at < stream.size();) {
    const std::span<std::uint8_t> room = parser.room();
    const std::size_t size = std::min({portion(), room.size(), stream.size() - at});
    std::memcpy(room.data(), stream.data() + at, size);
    at += size;
    parser.commit(size, kNow);
    while (auto frame = parser.next()) outcome.frames.push_back(std::move(*frame));
  }
  parser.end();
  outcome.skips = parser.skips();
  outcome.framing = parser.framing();
  return outcome;
}

Outcome parse_whole(const std::string& stream, StreamParser::Options options = {}) {
  return parse(
      stream, [] { return std::size_t{1} << 30; }, options);
}

// The same result whatever the portions: whole, byte by byte, and at random.
void expect_frames(const std::string& stream, const std::vector<std::string>& jpegs) {
  CHECK(parse_whole(stream).jpegs() == jpegs);
  CHECK(parse(stream, [] { return std::size_t{1}; }).jpegs() == jpegs);
  std::mt19937 random(1);
  std::uniform_int_distribution<std::size_t> size(1, 400);
  CHECK(parse(stream, [&] { return size(random); }).jpegs() == jpegs);
}

const std::string kA = make_jpeg(1);
const std::string kB = make_jpeg(2);
const std::string kC = make_jpeg(3);
const std::vector<std::string> kAll = {kA, kB, kC};

std::string length_header(const std::string& jpeg) { return "Content-Length: " + std::to_string(jpeg.size()) + "\r\n"; }

// A stream of kAll, each part as `part` makes it.
std::string stream_of(const std::function<std::string(const std::string& jpeg)>& part) {
  return part(kA) + part(kB) + part(kC);
}

std::string ours(const std::string& jpeg, const std::string& headers = "") {
  return "--frame\r\nContent-Type: image/jpeg\r\n" + length_header(jpeg) + headers + "\r\n" + jpeg + "\r\n";
}

}  // namespace

TEST_CASE("StreamParser: a stream as we write it gives every frame, byte for byte") {
  expect_frames(stream_of([](const std::string& jpeg) { return ours(jpeg); }), kAll);
}

TEST_CASE("StreamParser: each framing that real writers use gives every frame") {
  struct Variant {
    const char* name;
    std::function<std::string(const std::string&)> part;
    std::string before;
    std::string after;
  };
  const auto headers = [](const std::string& jpeg) {
    return "Content-Type: image/jpeg\r\n" + length_header(jpeg) + "\r\n";
  };
  const std::vector<Variant> variants = {
      {"ffmpeg: lower-case second words, a dangling boundary at the end",
       [](const std::string& jpeg) {
         return "Content-type: image/jpeg\r\nContent-length: " + std::to_string(jpeg.size()) + "\r\n\r\n" + jpeg +
                "\r\n--ffmpeg\r\n";
       },
       "--ffmpeg\r\n", ""},
      {"GStreamer multipartmux",
       [&](const std::string& jpeg) { return "--ThisRandomString\r\n" + headers(jpeg) + jpeg + "\r\n"; }, "", ""},
      {"go2rtc: a line end in front of each boundary",
       [&](const std::string& jpeg) { return "\r\n--frame\r\n" + headers(jpeg) + jpeg; }, "", ""},
      {"ustreamer and mjpg-streamer: the boundary right behind each JPEG",
       [](const std::string& jpeg) {
         return "Content-Type: image/jpeg\r\n" + length_header(jpeg) + "X-Timestamp: 12.345678\r\n\r\n" + jpeg +
                "\r\n--boundarydonotcross\r\n";
       },
       "--boundarydonotcross\r\n", ""},
      {"advance headers: no length, the next part's headers right behind each JPEG",
       [](const std::string& jpeg) { return jpeg + "\r\n--frame-123\r\nContent-Type: image/jpeg\r\n\r\n"; },
       "--frame-123\r\nContent-Type: image/jpeg\r\n\r\n", ""},
      {"motion: a length padded with spaces",
       [](const std::string& jpeg) {
         return "--BoundaryString\r\nContent-type: image/jpeg\r\nContent-Length:     " + std::to_string(jpeg.size()) +
                "\r\n\r\n" + jpeg + "\r\n";
       },
       "", ""},
      {"no Content-Length",
       [](const std::string& jpeg) { return "--b\r\nContent-Type: image/jpeg\r\n\r\n" + jpeg + "\r\n"; }, "", ""},
      {"no Content-Type",
       [](const std::string& jpeg) { return "--b\r\n" + length_header(jpeg) + "\r\n" + jpeg + "\r\n"; }, "", ""},
      {"no headers at all", [](const std::string& jpeg) { return "--b\r\n\r\n" + jpeg + "\r\n"; }, "", ""},
      {"headers in another order and case, with more between",
       [](const std::string& jpeg) {
         return "--b\r\nSERVER: x\r\ncontent-LENGTH: " + std::to_string(jpeg.size()) +
                "\r\nX-Whatever: {\"a\":1}\r\nCONTENT-TYPE: IMAGE/JPEG; q=1\r\n\r\n" + jpeg + "\r\n";
       },
       "", ""},
      {"a header line of 60,000 bytes",
       [](const std::string& jpeg) { return ours(jpeg, "X-Long: " + std::string(60'000, 'a') + "\r\n"); }, "", ""},
      {"LF alone, with a length",
       [](const std::string& jpeg) {
         return "--b\nContent-Type: image/jpeg\nContent-Length: " + std::to_string(jpeg.size()) + "\n\n" + jpeg + "\n";
       },
       "", ""},
      {"LF alone, no length", [](const std::string& jpeg) { return "--b\nContent-Type: image/jpeg\n\n" + jpeg + "\n"; },
       "", ""},
      {"no line end in front of a boundary, with a length",
       [&](const std::string& jpeg) { return "--b\r\n" + headers(jpeg) + jpeg; }, "", ""},
      {"no line end in front of a boundary, no length",
       [](const std::string& jpeg) { return "--b\r\nContent-Type: image/jpeg\r\n\r\n" + jpeg; }, "", ""},
      {"a blank line first", [](const std::string& jpeg) { return ours(jpeg); }, "\r\n", ""},
      {"two blank lines in front of the JPEG",
       [](const std::string& jpeg) { return "--b\r\nContent-Type: image/jpeg\r\n\r\n\r\n" + jpeg + "\r\n"; }, "", ""},
      {"a closing boundary at the end", [](const std::string& jpeg) { return ours(jpeg); }, "", "--frame--\r\n"},
      {"Foscam: the closing boundary as every separator",
       [&](const std::string& jpeg) { return headers(jpeg) + jpeg + "\r\n--ipcamera--\r\n"; }, "--ipcamera\r\n", ""},
      {"Tasmota, ESP32: the first boundary is missing",
       [&](const std::string& jpeg) { return headers(jpeg) + jpeg + "\r\n--gc0p4Jq0M2Yt08jU534c0p\r\n"; }, "", ""},
      {"a text preamble", [](const std::string& jpeg) { return ours(jpeg); }, "Hello, this is a camera.\r\n", ""},
      {"an HTTP response head first", [](const std::string& jpeg) { return ours(jpeg); },
       "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n", ""},
      {"an HTTP/1.0 head with LF alone, the boundary announced with its dashes",
       [](const std::string& jpeg) { return ours(jpeg); },
       "HTTP/1.0 200\nContent-Type: multipart/x-mixed-replace;boundary=\"--frame\"\n\n", ""},
      {"a redirect's head, then the answer's", [](const std::string& jpeg) { return ours(jpeg); },
       "HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: x\r\n\r\n", ""},
      {"bare JPEGs, nothing between", [](const std::string& jpeg) { return jpeg; }, "", ""},
      {"bare JPEGs with line ends between", [](const std::string& jpeg) { return jpeg + "\r\n"; }, "", ""},
      {"zeros behind each JPEG, inside its length",
       [](const std::string& jpeg) {
         const std::string padded = jpeg + std::string(777, '\0');
         return "--b\r\nContent-Type: image/jpeg\r\n" + length_header(padded) + "\r\n" + padded + "\r\n";
       },
       "", ""},
      {"zeros behind bare JPEGs", [](const std::string& jpeg) { return jpeg + std::string(100, '\0'); }, "", ""},
      {"a length that is too large",
       [](const std::string& jpeg) {
         return "--b\r\nContent-Type: image/jpeg\r\nContent-Length: " + std::to_string(jpeg.size() + 120) + "\r\n\r\n" +
                jpeg + "\r\n";
       },
       "", ""},
      {"a length that is too small",
       [](const std::string& jpeg) {
         return "--b\r\nContent-Type: image/jpeg\r\nContent-Length: " + std::to_string(jpeg.size() - 300) + "\r\n\r\n" +
                jpeg + "\r\n";
       },
       "", ""},
      {"a length that is no number",
       [](const std::string& jpeg) {
         return "--b\r\nContent-Type: image/jpeg\r\nContent-Length: many\r\n\r\n" + jpeg + "\r\n";
       },
       "", ""},
      {"image/jpg", [](const std::string& jpeg) { return "--b\r\nContent-Type: image/jpg\r\n\r\n" + jpeg + "\r\n"; },
       "", ""},
      {"a boundary of 70 odd characters",
       [](const std::string& jpeg) {
         return "--" + std::string(60, '=') + "a'()+_,-./:=?\r\nContent-Type: image/jpeg\r\n\r\n" + jpeg + "\r\n";
       },
       "", ""},
      {"JSON parts in between",
       [](const std::string& jpeg) {
         return "--frame\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n{\"--frame\":1\r\n" +
                ours(jpeg);
       },
       "", ""},
      {"parts of no bytes in between",
       [](const std::string& jpeg) {
         return "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 0\r\n\r\n\r\n" + ours(jpeg);
       },
       "", ""},
  };
  for (const Variant& variant : variants) {
    CAPTURE(variant.name);
    expect_frames(variant.before + stream_of(variant.part) + variant.after, kAll);
  }
}

TEST_CASE("StreamParser: a boundary in the middle of a header block begins a new part") {
  expect_frames("--b\r\nContent-Type: image/jpeg\r\nX-Cut: off\r\n" + ours(kA) + ours(kB), {kA, kB});
}

TEST_CASE("StreamParser: the stream may change its boundary, as when two recordings are put together") {
  const auto other = [](const std::string& jpeg) {
    return "--other\r\nContent-Type: image/jpeg\r\n" + length_header(jpeg) + "\r\n" + jpeg + "\r\n";
  };
  expect_frames(ours(kA) + other(kB) + ours(kC), kAll);
}

TEST_CASE("StreamParser: the end of an EXIF thumbnail is not the end of the picture") {
  const std::string picture = test::with_thumbnail(kA, kB);
  expect_frames("--b\r\nContent-Type: image/jpeg\r\n\r\n" + picture + "\r\n" + ours(kC), {picture, kC});
  expect_frames(picture + kC, {picture, kC});
}

TEST_CASE("StreamParser: a frame is given out with its last byte") {
  for (const std::string& stream : {ours(kA), std::string(kA), "--b\r\nContent-Type: image/jpeg\r\n\r\n" + kA}) {
    const std::size_t end = stream.find(kA) + kA.size();
    StreamParser parser({});
    std::memcpy(parser.room().data(), stream.data(), end - 1);
    parser.commit(end - 1, kNow);
    CHECK_FALSE(parser.next());
    parser.room()[0] = static_cast<std::uint8_t>(stream[end - 1]);
    parser.commit(1, kNow);
    CHECK(parser.next());
  }
}

TEST_CASE("StreamParser: the X- headers come through, and what is missing is filled in") {
  const std::string stream =
      ours(kA,
           "X-Timestamp: 1700000000.25\r\nX-Sequence: 42\r\nX-Camera: front\r\nX-Signal: held\r\n"
           "X-Trace: camgrab=1.0\r\nX-Detections: {\"a\":1}\r\nX-Gate: open\r\n") +
      ours(kB);
  const Outcome outcome = parse_whole(stream);
  REQUIRE(outcome.frames.size() == 2);
  const Frame& first = outcome.frames[0];
  CHECK(format_timestamp(first.captured) == "1700000000.250000");
  CHECK(first.sequence == 42);
  CHECK(first.camera == "front");
  CHECK(first.signal == Signal::Held);
  CHECK(first.trace == "camgrab=1.0");
  REQUIRE(first.extra.size() == 2);
  CHECK(first.extra[0].name == "X-Detections");
  CHECK(first.extra[0].value == "{\"a\":1}");
  CHECK(first.picture.width_px == 48);
  CHECK(first.picture.height_px == 32);
  CHECK(outcome.frames[1].captured == kNow);
  CHECK(outcome.frames[1].sequence == 1);
}

TEST_CASE("StreamParser: orders to filters are stripped from what comes over a network") {
  const Outcome outcome =
      parse_whole(ours(kA, "X-Gate: open\r\nx-overlay: skeleton=0\r\nX-REQUEST: 7\r\nX-Other: 1\r\n"),
                  {.max_frame_bytes = 1 << 20, .strip_control_headers = true});
  REQUIRE(outcome.frames.size() == 1);
  REQUIRE(outcome.frames[0].extra.size() == 1);
  CHECK(outcome.frames[0].extra[0].name == "X-Other");
}

TEST_CASE("StreamParser: a header value that is no line of text is not passed on") {
  const Outcome outcome = parse_whole(ours(kA, std::string("X-Bad: a\xFF") + "b\r\nX-Worse: a\rb\r\nX-Good: c\r\n"));
  REQUIRE(outcome.frames.size() == 1);
  REQUIRE(outcome.frames[0].extra.size() == 1);
  CHECK(outcome.frames[0].extra[0].name == "X-Good");
}

TEST_CASE("StreamParser: a picture that is cut off is dropped and counted, and the next one comes") {
  const std::string cut = kB.substr(0, kB.size() / 2 + 40);
  SUBCASE("its length is right") { expect_frames(ours(kA) + ours(cut) + ours(kC), {kA, kC}); }
  SUBCASE("its length says what the whole would have had") {
    const std::string part = "--frame\r\nContent-Type: image/jpeg\r\n" + length_header(kB) + "\r\n" + cut + "\r\n";
    expect_frames(ours(kA) + part + ours(kC), {kA, kC});
  }
  SUBCASE("there is no length") {
    expect_frames(ours(kA) + "--frame\r\nContent-Type: image/jpeg\r\n\r\n" + cut + "\r\n" + ours(kC), {kA, kC});
  }
  SUBCASE("there are no parts") { expect_frames(kA + cut + kC, {kA, kC}); }
  const Outcome outcome = parse_whole(ours(kA) + ours(cut) + ours(kC));
  CHECK(outcome.skips.of(Skip::Truncated) == 1);
  CHECK(outcome.skips.total() == 1);
}

TEST_CASE("StreamParser: wherever a part is cut off, the frames around it come whole and nothing else does") {
  for (std::size_t size = 2; size < kB.size(); ++size) {
    CAPTURE(size);
    const std::string cut = kB.substr(0, size);
    CHECK(parse_whole(ours(kA) + ours(cut) + ours(kC)).jpegs() == std::vector{kA, kC});
  }
}

TEST_CASE("StreamParser: the thumbnail of a damaged picture is never taken for a frame") {
  // The damage lies behind the APP1 segment with the thumbnail, which is a whole JPEG.
  std::string picture = test::with_thumbnail(kA, kB);
  const std::size_t behind = picture.find(kB) + kB.size();
  picture[behind] = 'x';
  expect_frames(ours(picture) + ours(kC), {kC});
  expect_frames(picture + kC, {kC});
}

TEST_CASE("StreamParser: a damaged picture is counted as corrupt") {
  std::string damaged = kB;
  damaged[2] = 'x';
  const Outcome outcome = parse_whole(ours(kA) + ours(damaged) + ours(kC));
  CHECK(outcome.jpegs() == std::vector{kA, kC});
  CHECK(outcome.skips.of(Skip::Corrupt) == 1);
}

TEST_CASE("StreamParser: a part that says it is a JPEG and is none is counted") {
  const Outcome outcome = parse_whole(ours("GIF89a, really") + ours(kA));
  CHECK(outcome.jpegs() == std::vector{kA});
  CHECK(outcome.skips.of(Skip::NotJpeg) == 1);
}

TEST_CASE("StreamParser: random bytes are skipped, counted, and followed by good frames") {
  std::mt19937 random(7);
  std::string junk(3'000'000, '\0');
  for (char& c : junk) c = static_cast<char>(random());
  const Outcome outcome = parse_whole(junk + ours(kA) + junk + ours(kB) + ours(kC));
  CHECK(outcome.jpegs() == kAll);
  CHECK(outcome.skips.of(Skip::Junk) >= 2);
  CHECK(outcome.skips.bytes >= 5'900'000);
}

TEST_CASE("StreamParser: a length over the limit is refused before its body is read, and good frames after it come") {
  const std::string huge = "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 1073741824\r\n\r\n";
  const Outcome outcome = parse_whole(huge + "not much\r\n" + ours(kA), {.max_frame_bytes = 100'000});
  CHECK(outcome.jpegs() == std::vector{kA});
  CHECK(outcome.skips.of(Skip::TooLarge) == 1);
}

TEST_CASE("StreamParser: a frame that outgrows the limit is dropped, and memory stays bounded") {
  StreamParser parser({.max_frame_bytes = 100'000});
  const std::string head = "--frame\r\nContent-Type: image/jpeg\r\n\r\n" + kA.substr(0, kA.size() - 2);
  std::string stream = head + std::string(1'000'000, 'z') + "\r\n" + ours(kB);
  std::vector<std::string> frames;
  for (std::size_t at = 0; at < stream.size();) {
    const auto room = parser.room();
    CHECK(room.size() <= 2 * 100'000 + 200'000);
    const std::size_t size = std::min<std::size_t>({room.size(), stream.size() - at, 5000});
    std::memcpy(room.data(), stream.data() + at, size);
    parser.commit(size, kNow);
    at += size;
    while (auto frame = parser.next()) frames.emplace_back(as_text(frame->jpeg.view()));
  }
  CHECK(frames == std::vector{kB});
  CHECK(parser.skips().of(Skip::TooLarge) == 1);
}

TEST_CASE("StreamParser: a header without end is given up after 64 KiB, and good frames after it come") {
  const Outcome outcome = parse_whole("--frame\r\nX-A: " + std::string(300'000, 'a') + "\r\n" + ours(kA));
  CHECK(outcome.jpegs() == std::vector{kA});
  CHECK(outcome.skips.of(Skip::HeadersTooLarge) == 1);
}

TEST_CASE("StreamParser: the stream's end inside a frame is counted as cut off") {
  CHECK(parse_whole(ours(kA).substr(0, 400)).skips.of(Skip::Truncated) == 1);
  CHECK(parse_whole(ours(kA)).skips.total() == 0);
}

TEST_CASE("StreamParser: frames given out stay as they are while the parser goes on") {
  StreamParser parser({});
  const std::string stream = stream_of([](const std::string& jpeg) { return ours(jpeg); });
  std::vector<Frame> frames;
  for (int round = 0; round < 50; ++round) {
    const auto room = parser.room();
    REQUIRE(room.size() >= stream.size());
    std::memcpy(room.data(), stream.data(), stream.size());
    parser.commit(stream.size(), kNow);
    while (auto frame = parser.next()) frames.push_back(std::move(*frame));
  }
  REQUIRE(frames.size() == 150);
  for (std::size_t i = 0; i < frames.size(); ++i) CHECK(as_text(frames[i].jpeg.view()) == kAll[i % 3]);
}

TEST_CASE("StreamParser: what follows a JPEG when its writer pauses is noted") {
  const auto tail_of = [](const std::string& behind) {
    StreamParser parser({});
    const std::string stream = ours(kA).substr(0, ours(kA).size() - 2) + behind;
    std::memcpy(parser.room().data(), stream.data(), stream.size());
    parser.commit(stream.size(), kNow);
    while (parser.next()) {
    }
    parser.note_pause();
    for (std::size_t i = 0; i < 4; ++i) {
      if (parser.framing().tails[i] == 1) return static_cast<Framing::Tail>(i);
    }
    FAIL("no pause was noted");
    return Framing::Tail::Nothing;
  };
  CHECK(tail_of("") == Framing::Tail::Nothing);
  CHECK(tail_of("\r\n") == Framing::Tail::Crlf);
  CHECK(tail_of("\r\n--frame\r\n") == Framing::Tail::Boundary);
  CHECK(tail_of("\r\n--frame\r\nContent-Type: image/jpeg\r\n") == Framing::Tail::Boundary);
  CHECK(tail_of("\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\n") == Framing::Tail::Headers);
}

TEST_CASE("StreamParser: what the doctor needs to know is counted") {
  const std::string stream = "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=--frame\r\n\r\n" +
                             ours(kA) + "--frame\nContent-Type: image/jpeg\n\n" + test::without_huffman_tables(kB) +
                             "\n";
  const Framing framing = parse_whole(stream).framing;
  CHECK(framing.http_head);
  CHECK(framing.http_status == 200);
  CHECK(framing.announced_boundary == "--frame");
  CHECK(framing.boundary == "frame");
  CHECK(framing.parts == 2);
  CHECK(framing.without_length == 1);
  CHECK(framing.lf_only == 1);
  CHECK(framing.without_tables == 1);
}
