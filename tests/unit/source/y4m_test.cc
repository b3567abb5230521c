#include "source/y4m.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <string>

#include "support/fake_clock.h"

namespace {

using namespace fp;

struct Pipe {
  Fd read_end;
  Fd write_end;
  Pipe() {
    std::array<int, 2> ends{};
    REQUIRE(::pipe2(ends.data(), O_CLOEXEC) == 0);
    read_end = Fd(ends[0]);
    write_end = Fd(ends[1]);
  }
  void put(const std::string& text) const {
    REQUIRE(::write(write_end.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()));
  }
};

std::string picture(int luma, int width = 16, int height = 16) {
  const auto pixels = static_cast<std::size_t>(width * height);
  return "FRAME\n" + std::string(pixels, static_cast<char>(luma)) + std::string(pixels / 2, '\x80');
}

struct Reader {
  test::FakeClock clock;
  std::string told;
  Pipe pipe;
  Y4m y4m;
  explicit Reader(Y4m::Options options = {})
      : y4m(pipe.read_end.get(), "in", options, clock,
            [this](Severity, const std::string& text) { told += text + "\n"; }) {}
};

TEST_CASE("Y4m: the newest of the pictures that have come, with the number it came as") {
  Reader reader;
  reader.pipe.put("YUV4MPEG2 W16 H16 F30:1 Ip A1:1 C420jpeg\n" + picture(50) + picture(100) + picture(200));
  const FramePtr frame = reader.y4m.advance();
  REQUIRE(frame);
  CHECK(frame->sequence == 2);
  CHECK(frame->picture.width_px == 16);
  CHECK(reader.y4m.superseded() == 2);
  CHECK_FALSE(reader.y4m.advance());
}

TEST_CASE("Y4m: with every_frame each picture, in order, and then the end") {
  Reader reader({.every_frame = true});
  reader.pipe.put("YUV4MPEG2 W16 H16\n" + picture(50) + picture(100) + picture(200));
  reader.pipe.write_end.reset();
  for (std::uint64_t i = 0; i < 3; ++i) {
    const FramePtr frame = reader.y4m.advance();
    REQUIRE(frame);
    CHECK(frame->sequence == i);
  }
  CHECK_FALSE(reader.y4m.advance());
  CHECK(reader.y4m.ended());
  CHECK_FALSE(reader.y4m.error());
}

TEST_CASE("Y4m: a head and pictures in the smallest portions") {
  Reader reader;
  const std::string all = "YUV4MPEG2 W8 H8 C422 XCOLORRANGE=FULL\nFRAME Ip\n" + std::string(128, '\x40');
  FramePtr frame;
  for (const char c : all) {
    CHECK_FALSE(frame);
    reader.pipe.put(std::string(1, c));
    frame = reader.y4m.advance();
  }
  CHECK(frame);
}

TEST_CASE("Y4m: what is no YUV4MPEG2 is refused with a word about what is") {
  for (const std::string head : {"RIFF....AVI ", "YUV4MPEG2 W0 H16\n", "YUV4MPEG2 W16\n", "YUV4MPEG2 W99999 H2\n",
                                 "YUV4MPEG2 W16 H16 C420p10\n", "Y\n"}) {
    CAPTURE(head);
    Reader reader;
    reader.pipe.put(head + std::string(2000, 'x'));
    CHECK_FALSE(reader.y4m.advance());
    CHECK(reader.y4m.ended());
    REQUIRE(reader.y4m.error());
    CHECK(reader.y4m.error()->text.starts_with("in: "));
  }
}

TEST_CASE("Y4m: a picture over the limit is refused before anything is allocated for it") {
  Reader reader({.max_frame_bytes = 1000});
  reader.pipe.put("YUV4MPEG2 W16000 H16000\n");
  CHECK_FALSE(reader.y4m.advance());
  REQUIRE(reader.y4m.error());
  CHECK(reader.y4m.error()->text.find("--max-frame-bytes") != std::string::npos);
}

TEST_CASE("Y4m: junk between pictures is counted, and the next picture comes") {
  Reader reader({.every_frame = true});
  reader.pipe.put("YUV4MPEG2 W16 H16\n" + picture(50) + "junk FRAMEx" + std::string(500, 'j') + picture(100));
  reader.pipe.write_end.reset();
  CHECK(reader.y4m.advance());
  CHECK(reader.y4m.advance());
  CHECK_FALSE(reader.y4m.advance());
  CHECK(reader.y4m.ended());
  CHECK(reader.y4m.skips().of(Skip::Junk) == 1);
  CHECK(reader.y4m.skips().bytes == 511);
}

TEST_CASE("Y4m: a picture that is cut off by the end is counted") {
  Reader reader;
  reader.pipe.put("YUV4MPEG2 W16 H16\n" + picture(50) + picture(60).substr(0, 100));
  reader.pipe.write_end.reset();
  CHECK(reader.y4m.advance());
  CHECK_FALSE(reader.y4m.advance());
  CHECK(reader.y4m.ended());
  CHECK(reader.y4m.skips().of(Skip::Truncated) == 1);
}

}  // namespace
