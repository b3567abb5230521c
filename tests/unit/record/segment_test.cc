#include "record/segment.h"

#include <doctest/doctest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cerrno>
#include <csignal>
#include <filesystem>

#include "record/index.h"
#include "support/io.h"
#include "support/make_frame.h"

namespace {

using namespace fp;
using namespace fp::record;

struct Site {
  [[nodiscard]] Segment begin(const std::string& name = "a.mjpeg") const {
    return Segment::begin(temp.path(), name).value();
  }
  [[nodiscard]] std::string text(const std::string& name) const { return test::read_file(temp / name); }
  [[nodiscard]] bool there(const std::string& name) const { return std::filesystem::exists(temp / name); }
  test::TempDir temp;
};

// No file may grow beyond this: what a full disk does to a write, but for the errno.
class FileLimit {
 public:
  explicit FileLimit(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit now{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &now);
  }
  FileLimit(const FileLimit&) = delete;
  FileLimit& operator=(const FileLimit&) = delete;
  ~FileLimit() { ::setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_{};
  // Else it kills.
  void (*handler_)(int) = std::signal(SIGXFSZ, SIG_IGN);
};

TEST_CASE("Segment: holds the frames as the stream has them, and an index of them") {
  const Site site;
  const std::string one = test::part_of(*test::make_frame(1));
  const std::string two = test::part_of(*test::make_frame(2));
  Segment segment = site.begin("day/a.mjpeg");
  REQUIRE(segment.add(*test::make_frame(1)));
  REQUIRE(segment.add(*test::make_frame(2)));
  CHECK(segment.bytes() == one.size() + two.size());
  CHECK(segment.frames() == 2);
  CHECK(segment.finish().value() == site.temp / "day/a.mjpeg");
  CHECK(site.text("day/a.mjpeg") == one + two);
  const auto entries = read_index(site.temp / "day/a.mjpeg").value();
  CHECK(entries == build_index(site.temp / "day/a.mjpeg").value());
  CHECK(entries.size() == 2);
}

TEST_CASE("Segment: has a hidden name until it is whole, and then no other") {
  const Site site;
  Segment segment = site.begin();
  REQUIRE(segment.add(*test::make_frame(1)));
  CHECK(site.there(".a.mjpeg.part"));
  CHECK_FALSE(site.there("a.mjpeg"));
  REQUIRE(segment.finish());
  CHECK_FALSE(site.there(".a.mjpeg.part"));
  CHECK_FALSE(site.there(".a.mjpeg.index.part"));
  CHECK(site.there("a.mjpeg"));
}

TEST_CASE("Segment: what was added is in the file at once, and in the index when it was synced") {
  const Site site;
  Segment segment = site.begin();
  REQUIRE(segment.add(*test::make_frame(1)));
  CHECK(site.text(".a.mjpeg.part") == test::part_of(*test::make_frame(1)));
  CHECK(site.text(".a.mjpeg.index.part") == kIndexHead);
  REQUIRE(segment.sync());
  CHECK(site.text(".a.mjpeg.index.part") == std::string(kIndexHead) + "0 1763688000.000000 1\n");
}

TEST_CASE("Segment: takes another name than one that is taken, finished or not") {
  const Site site;
  test::write_file(site.temp / "a.mjpeg", "mine");
  Segment second = site.begin();
  Segment third = site.begin();
  REQUIRE(third.add(*test::make_frame(3)));
  REQUIRE(second.add(*test::make_frame(2)));
  CHECK(third.finish().value() == site.temp / "a_3.mjpeg");
  CHECK(second.finish().value() == site.temp / "a_2.mjpeg");
  CHECK(site.text("a.mjpeg") == "mine");
}

TEST_CASE("Segment: takes no name that somebody has taken while it was written") {
  const Site site;
  Segment segment = site.begin();
  REQUIRE(segment.add(*test::make_frame(1)));
  test::write_file(site.temp / "a.mjpeg", "mine");
  test::write_file(site.temp / "a_2.mjpeg.index", "mine, too");
  CHECK(segment.finish().value() == site.temp / "a_3.mjpeg");
  CHECK(site.text("a.mjpeg") == "mine");
  CHECK(site.text("a_2.mjpeg.index") == "mine, too");
  CHECK(read_index(site.temp / "a_3.mjpeg").has_value());
}

TEST_CASE("Segment: a frame that does not fit leaves the file as it was, and may be tried again") {
  const Site site;
  const std::string one = test::part_of(*test::make_frame(1));
  Segment segment = site.begin();
  REQUIRE(segment.add(*test::make_frame(1)));
  {
    const FileLimit limit(one.size() + 100);
    CHECK(segment.add(*test::make_frame(2)).error().sys == EFBIG);
  }
  CHECK(site.text(".a.mjpeg.part") == one);
  REQUIRE(segment.add(*test::make_frame(2)));
  REQUIRE(segment.finish());
  CHECK(site.text("a.mjpeg") == one + test::part_of(*test::make_frame(2)));
}

TEST_CASE("Segment: of Matroska, too, what does not fit leaves no trace, were it the first frame or the end") {
  const Site site;
  Segment segment = site.begin("a.mkv");
  {
    const FileLimit limit(500);
    CHECK(segment.add(*test::make_frame(7)).error().sys == EFBIG);
  }
  CHECK(site.text(".a.mkv.part").empty());
  REQUIRE(segment.add(*test::make_frame(1)));
  const std::string one = site.text(".a.mkv.part");
  {
    const FileLimit limit(one.size() + 100);
    CHECK(segment.add(*test::make_frame(2)).error().sys == EFBIG);
  }
  CHECK(site.text(".a.mkv.part") == one);
  {
    const FileLimit limit(one.size() + 10);
    CHECK_FALSE(segment.finish());
  }
  REQUIRE(segment.add(*test::make_frame(2)));
  REQUIRE(segment.finish());
  Segment other = site.begin("b.mkv");
  REQUIRE(other.add(*test::make_frame(1)));
  REQUIRE(other.add(*test::make_frame(2)));
  REQUIRE(other.finish());
  CHECK(site.text("a.mkv") == site.text("b.mkv"));
  CHECK(site.text("a.mkv.index") == site.text("b.mkv.index"));
}

TEST_CASE("Segment: an index that does not fit is written when it does") {
  const Site site;
  Segment segment = site.begin();
  REQUIRE(segment.add(*test::make_frame(1)));
  {
    const FileLimit limit(kIndexHead.size() + 5);
    CHECK_FALSE(segment.sync());
    CHECK_FALSE(segment.finish());
    CHECK_FALSE(site.there("a.mjpeg"));
  }
  REQUIRE(segment.finish());
  CHECK(read_index(site.temp / "a.mjpeg").value() == build_index(site.temp / "a.mjpeg").value());
}

TEST_CASE("Segment: where no folder can be made is an error that names it, and nothing is left behind") {
  const Site site;
  test::write_file(site.temp / "day", "a file");
  const auto segment = Segment::begin(site.temp.path(), "day/a.mjpeg");
  REQUIRE_FALSE(segment.has_value());
  CHECK(segment.error().text.find("day") != std::string::npos);
}

}  // namespace
