#include "record/segment_reader.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include "support/io.h"
#include "support/make_frame.h"

namespace {

using namespace fp;
using namespace fp::record;

struct Site {
  std::string write(std::string_view bytes) const {
    test::write_file(path, bytes);
    return path;
  }
  test::TempDir temp;
  std::string path = temp / "a.mjpeg";
};

TEST_CASE("SegmentReader: says where each part begins and each picture ends") {
  const Site site;
  const std::string one = test::part_of(*test::make_frame(1));
  const std::string two = test::part_of(*test::make_frame(2));
  auto reader = SegmentReader::open(site.write(one + two)).value();
  CHECK(reader.next().value()->sequence == 1);
  CHECK(reader.offset() == 0);
  CHECK(reader.end() == one.size() - 2);
  CHECK(reader.next().value()->sequence == 2);
  CHECK(reader.offset() == one.size());
  CHECK(reader.end() == one.size() + two.size() - 2);
  CHECK_FALSE(reader.next().value().has_value());
}

TEST_CASE("SegmentReader: begins at the place of a frame") {
  const Site site;
  const std::string one = test::part_of(*test::make_frame(1));
  site.write(one + test::part_of(*test::make_frame(2)));
  auto reader = SegmentReader::open(site.path, {one.size(), 1}).value();
  CHECK(reader.next().value()->sequence == 2);
  CHECK(reader.offset() == one.size());
}

TEST_CASE("SegmentReader: counts a frame that is not whole at the end, and does not give it") {
  const Site site;
  const std::string one = test::part_of(*test::make_frame(1));
  auto reader = SegmentReader::open(site.write(one + one.substr(0, one.size() / 2))).value();
  CHECK(reader.next().value().has_value());
  CHECK_FALSE(reader.next().value().has_value());
  CHECK(reader.skips().of(Skip::Truncated) == 1);
}

TEST_CASE("SegmentReader: bare pictures get 25 times a second from the file's own time, also from the middle") {
  const Site site;
  const std::string jpeg = test::make_jpeg(1);
  site.write(jpeg + jpeg + jpeg);
  const std::array<timespec, 2> times = {timespec{1000, 0}, {1000, 0}};
  REQUIRE(::utimensat(AT_FDCWD, site.path.c_str(), times.data(), 0) == 0);
  auto reader = SegmentReader::open(site.path).value();
  CHECK(format_timestamp(reader.next().value()->captured) == "1000.000000");
  CHECK(format_timestamp(reader.next().value()->captured) == "1000.040000");
  auto middle = SegmentReader::open(site.path, {2 * jpeg.size(), 2}).value();
  const auto frame = middle.next().value();
  CHECK(format_timestamp(frame->captured) == "1000.080000");
  CHECK(frame->sequence == 2);
}

TEST_CASE("SegmentReader: what is no regular file is refused, and does not block") {
  const test::TempDir temp;
  REQUIRE(::mkfifo((temp / "fifo").c_str(), 0600) == 0);
  CHECK_FALSE(SegmentReader::open(temp / "fifo").has_value());
  CHECK_FALSE(SegmentReader::open(temp.path()).has_value());
  CHECK(SegmentReader::open(temp / "missing").error().sys == ENOENT);
}

}  // namespace
