// Files of Matroska: written, read, mended and played.
#include <doctest/doctest.h>

#include <filesystem>

#include "record/index.h"
#include "record/libav.h"
#include "record/matroska.h"
#include "record/mender.h"
#include "record/player.h"
#include "record/recorder.h"
#include "record/segment.h"
#include "support/fake_clock.h"
#include "support/io.h"
#include "support/make_frame.h"

namespace {

using namespace fp;
using namespace fp::record;
using namespace std::chrono_literals;

// Captured 100 ms after the one before, with all that a header may have.
Frame frame_of(std::uint64_t number) {
  Frame frame = *test::make_frame(number, test::make_jpeg(static_cast<int>(number)));
  frame.captured += number * 100ms + 123us;
  frame.camera = "front door";
  frame.extra.push_back({"X-Detections", R"({"objects":[]})"});
  frame.extra.push_back({"x-own", "in any case: \xC3\xA9"});
  return frame;
}

struct Site {
  // A segment of these frames, left open or not.
  void record(std::uint64_t frames, bool finished = true, const std::string& name = "a.mkv") const {
    Segment segment = Segment::begin(temp.path(), name).value();
    for (std::uint64_t i = 0; i < frames; ++i) REQUIRE(segment.add(frame_of(i)));
    if (finished) REQUIRE(segment.finish());
  }
  Mended mend() {
    return record::mend(temp.path(), [this](Severity, const std::string& text) { said.push_back(text); });
  }
  // All frames of a file as parts.
  [[nodiscard]] std::string parts(const std::string& name = "a.mkv", const OpenBlocks& foreign = {}) const {
    auto reader = SegmentReader::open(temp / name, {}, SegmentReader::kMostFrameBytes, foreign).value();
    std::string text;
    while (auto frame = reader.next().value()) text += test::part_of(*frame);
    return text;
  }
  [[nodiscard]] std::string bytes(const std::string& name) const { return test::read_file(temp / name); }
  test::TempDir temp;
  std::vector<std::string> said;
};

std::string parts_of(std::uint64_t frames) {
  std::string text;
  for (std::uint64_t i = 0; i < frames; ++i) text += test::part_of(frame_of(i));
  return text;
}
std::size_t cluster_at(const std::string& bytes, int number) {
  std::size_t at = bytes.find(matroska::kClusterId);
  for (int i = 0; i < number; ++i) at = bytes.find(matroska::kClusterId, at + 1);
  return at;
}

TEST_CASE("Matroska file: gives the frames as they were, headers too") {
  const Site site;
  site.record(4);
  CHECK(site.parts() == parts_of(4));
}

TEST_CASE("Matroska file: its index says where each Cluster stands, and is what is built from it") {
  const Site site;
  site.record(3);
  const auto index = read_index(site.temp / "a.mkv").value();
  CHECK(index == build_index(site.temp / "a.mkv").value());
  REQUIRE(index.size() == 3);
  for (int i = 0; i < 3; ++i) CHECK(index[static_cast<std::size_t>(i)].offset == cluster_at(site.bytes("a.mkv"), i));
  CHECK(index[2].camera == "front door");
}

TEST_CASE("Matroska file: is whole up to its last frame while it is written") {
  const Site site;
  Segment segment = Segment::begin(site.temp.path(), "a.mkv").value();
  REQUIRE(segment.add(frame_of(0)));
  REQUIRE(segment.add(frame_of(1)));
  CHECK(site.parts(".a.mkv.part") == parts_of(2));
}

TEST_CASE("Matroska file: takes pictures of one size only") {
  const Site site;
  Segment segment = Segment::begin(site.temp.path(), "a.mkv").value();
  CHECK(segment.fits(*test::make_frame(1, test::make_jpeg(1, 64, 32))));
  REQUIRE(segment.add(*test::make_frame(1, test::make_jpeg(1, 48, 32))));
  CHECK(segment.fits(*test::make_frame(2, test::make_jpeg(2, 48, 32))));
  CHECK_FALSE(segment.fits(*test::make_frame(2, test::make_jpeg(2, 64, 32))));
  Segment stream = Segment::begin(site.temp.path(), "a.mjpeg").value();
  REQUIRE(stream.add(*test::make_frame(1, test::make_jpeg(1, 48, 32))));
  CHECK(stream.fits(*test::make_frame(2, test::make_jpeg(2, 64, 32))));
}

TEST_CASE("Matroska file: a recorder begins another one where the size changes") {
  const Site site;
  const SystemClock clock;
  Recorder recorder({.folder = site.temp.path(),
                     .names = NamePattern::parse("a", ".mkv", false).value(),
                     .segment = {},
                     .keep = {},
                     .in_order = true},
                    clock, {});
  for (const int width : {48, 48, 64, 64, 64}) {
    recorder.put({test::make_frame(1, test::make_jpeg(1, width, 32)), SteadyTime()}, "");
  }
  recorder.finish();
  CHECK(read_index(site.temp / "a.mkv").value().size() == 2);
  CHECK(read_index(site.temp / "a_2.mkv").value().size() == 3);
}

TEST_CASE("Matroska file: one that was left open is mended to what it would have been") {
  Site site;
  site.record(3, true, "b.mkv");
  site.record(3, false);
  const std::string left = site.bytes(".a.mkv.part");
  test::write_file(site.temp / ".a.mkv.part", left + left.substr(matroska::kHeadBytes, 500));
  const Mended mended = site.mend();
  CHECK(mended.segments == 1);
  CHECK(mended.frames == 3);
  CHECK(mended.cut_bytes == 500);
  CHECK(site.bytes("a.mkv") == site.bytes("b.mkv"));
  CHECK(site.bytes("a.mkv.index") == site.bytes("b.mkv.index"));
}

TEST_CASE("Matroska file: wherever it was cut, what was whole stays and nothing else") {
  Site site;
  site.record(1, true, "b.mkv");
  site.record(2, false, "c.mkv");
  const std::string two = site.bytes(".c.mkv.part");
  const std::string one = two.substr(0, cluster_at(two, 1));
  std::filesystem::remove(site.temp / ".c.mkv.part");
  std::filesystem::remove(site.temp / ".c.mkv.index.part");
  for (std::size_t cut = one.size(); cut < two.size(); cut += 13) {
    CAPTURE(cut);
    test::write_file(site.temp / ".a.mkv.part", two.substr(0, cut));
    test::write_file(site.temp / ".a.mkv.index.part", kIndexHead);
    CHECK(site.mend().segments == 1);
    CHECK(site.bytes("a.mkv") == site.bytes("b.mkv"));
    std::filesystem::remove(site.temp / "a.mkv");
    std::filesystem::remove(site.temp / "a.mkv.index");
  }
  for (std::size_t cut = 0; cut < one.size(); cut += 13) {
    CAPTURE(cut);
    test::write_file(site.temp / ".a.mkv.part", two.substr(0, cut));
    test::write_file(site.temp / ".a.mkv.index.part", kIndexHead);
    CHECK(site.mend().segments == 0);
    CHECK_FALSE(std::filesystem::exists(site.temp / ".a.mkv.part"));
  }
}

TEST_CASE("Matroska file: zeros where a power cut left them cost what stood there, the head too") {
  Site site;
  site.record(3, true, "b.mkv");
  const std::string whole = site.bytes("b.mkv");
  site.record(3, false);
  const std::string left = site.bytes(".a.mkv.part");
  test::write_file(site.temp / ".a.mkv.part", std::string(matroska::kHeadBytes, '\0') +
                                                  left.substr(matroska::kHeadBytes) + std::string(10'000, '\0'));
  CHECK(site.mend().frames == 3);
  CHECK(site.bytes("a.mkv") == whole);
}

TEST_CASE("Matroska file: one that is whole but for its name is mended to itself") {
  Site site;
  site.record(2);
  const std::string whole = site.bytes("a.mkv");
  std::filesystem::rename(site.temp / "a.mkv", site.temp / ".a.mkv.part");
  CHECK(site.mend().cut_bytes == 0);
  CHECK(site.bytes("a.mkv") == whole);
}

TEST_CASE("Matroska file: a damaged frame is passed over and counted, and those behind it are read") {
  const Site site;
  site.record(4);
  std::string bytes = site.bytes("a.mkv");
  const std::size_t second = cluster_at(bytes, 1);
  const std::size_t third = cluster_at(bytes, 2);
  SUBCASE("its Cluster") { bytes.replace(second, 20, 20, 'x'); }
  SUBCASE("its headers") { bytes.replace(bytes.find("\x75\xA1\x01", second), 20, 20, 'x'); }
  SUBCASE("its picture") { bytes.replace(second + 44, third - second - 44 - 300, third - second - 44 - 300, '\0'); }
  test::write_file(site.temp / "a.mkv", bytes);
  auto reader = SegmentReader::open(site.temp / "a.mkv").value();
  std::vector<std::uint64_t> numbers;
  while (auto frame = reader.next().value()) numbers.push_back(frame->sequence);
  CHECK(numbers == std::vector<std::uint64_t>{0, 2, 3});
  CHECK(reader.skips().total() > 0);
}

TEST_CASE("Matroska file: a frame that is larger than what is asked for is passed over and counted") {
  const Site site;
  site.record(2);
  auto reader = SegmentReader::open(site.temp / "a.mkv", {}, 500).value();
  CHECK_FALSE(reader.next().value().has_value());
  CHECK(reader.skips().of(Skip::TooLarge) == 2);
}

TEST_CASE("Matroska file: is played from any place") {
  Site site;
  test::FakeClock clock;
  site.record(10);
  Player player = Player::open(find_recordings({site.temp.path()}).value(),
                               {.speed = 0, .from = Moment{std::nullopt, 500ms}}, clock, {})
                      .value();
  CHECK(player.advance()->sequence == 5);
}

// Our file as another muxer's: only what is said of its maker differs.
std::string of_another(std::string bytes) {
  for (std::size_t at = 0; (at = bytes.find("framepipe", at)) < matroska::kHeadBytes;)
    bytes.replace(at, 9, "something");
  return bytes;
}

TEST_CASE("Matroska file: that of another program is refused where nothing reads it") {
  const Site site;
  site.record(2);
  test::write_file(site.temp / "other.mkv", of_another(site.bytes("a.mkv")));
  CHECK(SegmentReader::open(site.temp / "other.mkv").error().kind == Error::Kind::Malformed);
}

TEST_CASE("Matroska file: libavformat reads of it what we do, whole, cut, and without an end") {
  if (!libav_blocks()) return;
  const Site site;
  site.record(4);
  site.record(3, false, "b.mkv");
  const std::string whole = of_another(site.bytes("a.mkv"));
  test::write_file(site.temp / "other.mkv", whole);
  CHECK(site.parts("other.mkv", libav_blocks()) == parts_of(4));
  test::write_file(site.temp / "open.mkv", of_another(site.bytes(".b.mkv.part")));
  CHECK(site.parts("open.mkv", libav_blocks()) == parts_of(3));
  test::write_file(site.temp / "cut.mkv", whole.substr(0, cluster_at(whole, 3) + 100));
  CHECK(site.parts("cut.mkv", libav_blocks()).starts_with(parts_of(3)));
}

TEST_CASE("Matroska file: where frames of others say nothing, their times are those of the file") {
  if (!libav_blocks()) return;
  const Site site;
  site.record(2);
  std::string bytes = of_another(site.bytes("a.mkv"));
  for (std::size_t at = 0; (at = bytes.find("X-", at)) != std::string::npos; ++at) bytes[at] = 'Y';
  test::write_file(site.temp / "other.mkv", bytes);
  auto reader = SegmentReader::open(site.temp / "other.mkv", {}, 1 << 20, libav_blocks()).value();
  const Frame first = *reader.next().value();
  CHECK(first.captured == frame_of(0).captured);
  CHECK(first.sequence == 0);
  CHECK(first.camera.empty());
  const Frame second = *reader.next().value();
  CHECK(second.captured == frame_of(0).captured + 100ms);
  CHECK(second.sequence == 1);
}

TEST_CASE("Matroska file: a lie about a size takes no memory") {
  if (!libav_blocks()) return;
  const Site site;
  site.record(2);
  std::string bytes = of_another(site.bytes("a.mkv"));
  // The second Block claims 2^40 bytes, as do all around it.
  for (const unsigned size : {4u, 23u, 32u}) bytes[cluster_at(bytes, 1) + size + 2] = '\x01';
  test::write_file(site.temp / "other.mkv", bytes);
  auto reader = SegmentReader::open(site.temp / "other.mkv", {}, 1 << 20, libav_blocks()).value();
  CHECK(reader.next().value()->sequence == 0);
  auto second = reader.next();
  if (second) CHECK_FALSE(second.value().has_value());
}

}  // namespace
