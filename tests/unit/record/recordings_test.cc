#include "record/recordings.h"

#include <doctest/doctest.h>

#include <filesystem>

#include "record/segment.h"
#include "support/io.h"
#include "support/make_frame.h"

namespace {

using namespace fp;
using namespace fp::record;

FramePtr captured_at(long seconds) {
  Frame frame = *test::make_frame(0);
  frame.captured = WallTime(std::chrono::seconds(seconds));
  return std::make_shared<const Frame>(std::move(frame));
}

struct Site {
  void record(const std::string& name, long seconds) const {
    Segment segment = Segment::begin(temp.path(), name).value();
    REQUIRE(segment.add(*captured_at(seconds)));
    REQUIRE(segment.add(*captured_at(seconds + 5)));
    REQUIRE(segment.finish());
  }
  [[nodiscard]] std::vector<std::string> find(const std::vector<std::string>& names) const {
    std::vector<std::string> paths;
    const auto recordings = find_recordings(names).value();
    for (const Recording& recording : recordings) paths.push_back(recording.path.substr(temp.path().size() + 1));
    return paths;
  }
  test::TempDir temp;
};
using Names = std::vector<std::string>;

TEST_CASE("find_recordings: a folder's are in the order of their first frames, whatever they are called") {
  const Site site;
  site.record("b/x.mjpeg", 300);
  site.record("a/z.mjpeg", 200);
  site.record("y.mjpeg", 100);
  test::write_file(site.temp / "foreign.mjpeg", test::part_of(*captured_at(250)));
  CHECK(site.find({site.temp.path()}) == Names{"y.mjpeg", "a/z.mjpeg", "foreign.mjpeg", "b/x.mjpeg"});
}

TEST_CASE("find_recordings: what is open, hidden or something else is left out") {
  const Site site;
  site.record("a.mjpeg", 100);
  Segment open = Segment::begin(site.temp.path(), "b.mjpeg").value();
  REQUIRE(open.add(*captured_at(200)));
  test::write_file(site.temp / "notes.txt", "x");
  std::filesystem::create_directory(site.temp / "d.mjpeg");
  CHECK(site.find({site.temp.path()}) == Names{"a.mjpeg"});
}

TEST_CASE("find_recordings: files are in the order they are named") {
  const Site site;
  site.record("a.mjpeg", 100);
  site.record("b.mjpeg", 200);
  CHECK(site.find({site.temp / "b.mjpeg", site.temp / "a.mjpeg"}) == Names{"b.mjpeg", "a.mjpeg"});
}

TEST_CASE("find_recordings: the extent of a file comes from its index") {
  const Site site;
  site.record("a.mjpeg", 100);
  const auto recordings = find_recordings({site.temp / "a.mjpeg"}).value();
  REQUIRE(recordings[0].extent.has_value());
  CHECK(recordings[0].extent->last == captured_at(105)->captured);
}

TEST_CASE("find_recordings: what is missing, and a folder without any, is an error that names it") {
  const Site site;
  CHECK(find_recordings({site.temp / "missing"}).error().text.find("missing") != std::string::npos);
  CHECK(find_recordings({site.temp.path()}).error().text.find(site.temp.path()) != std::string::npos);
}

}  // namespace
