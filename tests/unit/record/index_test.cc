#include "record/index.h"

#include <doctest/doctest.h>

#include "support/io.h"
#include "support/make_frame.h"

namespace {

using namespace fp;
using namespace fp::record;

const WallTime kTime{std::chrono::microseconds(1'763'688'000'123'456)};

// A file of `bytes` bytes with this index beside it.
struct Site {
  void put(std::string_view index, std::size_t bytes = 100) const {
    test::write_file(segment, std::string(bytes, 'x'));
    test::write_file(index_of(segment), index);
  }
  test::TempDir temp;
  std::string segment = temp / "a.mjpeg";
  std::string head{kIndexHead};
};

TEST_CASE("index: a line holds offset, time, sequence and the camera with its spaces") {
  const IndexEntry entry{34712, kTime, 42, "front door"};
  CHECK(index_line(entry) == "34712 1763688000.123456 42 front door\n");
  CHECK(parse_index_line("34712 1763688000.123456 42 front door") == entry);
  CHECK(parse_index_line("0 1.000000 0") == IndexEntry{0, WallTime(std::chrono::seconds(1)), 0, ""});
}

TEST_CASE("index: lines that are none are not read as some") {
  for (const char* const line : {"", "0", "0 1.0", "0 1.0 ", "x 1.0 1", "0 x 1", "0 1.0 x", "-1 1.0 1", "end 5"}) {
    CAPTURE(line);
    CHECK_FALSE(parse_index_line(line).has_value());
  }
}

TEST_CASE("index: is read as it was written") {
  const Site site;
  const std::vector<IndexEntry> entries = {{0, kTime, 7, "a b"}, {50, kTime, 8, ""}};
  site.put(site.head + index_line(entries[0]) + index_line(entries[1]) + index_end(100));
  CHECK(read_index(site.segment).value() == entries);
  const Extent extent = read_extent(site.segment).value();
  CHECK(extent.first == kTime);
  CHECK(extent.bytes == 100);
}

TEST_CASE("index: the first and the last time are found in an index that is longer than what is read of it") {
  const Site site;
  std::string text = site.head;
  for (int i = 0; i < 20'000; ++i) {
    text += index_line({static_cast<std::uint64_t>(i), kTime + std::chrono::seconds(i), 0, "camera"});
  }
  site.put(text + index_end(20'000), 20'000);
  const Extent extent = read_extent(site.segment).value();
  CHECK(extent.first == kTime);
  CHECK(extent.last == kTime + std::chrono::seconds(19'999));
}

TEST_CASE("index: one that is not whole, or belongs to another file, is refused") {
  const Site site;
  const std::string line = index_line({0, kTime, 0, ""});
  for (const std::string& text :
       {std::string(), std::string("framepipe-index 2\n"), site.head + line, site.head + line + index_end(99),
        site.head + line + index_end(100).substr(0, 7), site.head + line + index_end(100) + line,
        site.head + index_line({100, kTime, 0, ""}) + index_end(100), site.head + line + line + index_end(100),
        site.head + "junk\n" + index_end(100), site.head}) {
    CAPTURE(text);
    site.put(text);
    CHECK_FALSE(read_index(site.segment).has_value());
  }
}

TEST_CASE("index: the extent of an index that is not whole is refused, too") {
  const Site site;
  const std::string line = index_line({0, kTime, 0, ""});
  for (const std::string& text : {std::string(), site.head, site.head + line, site.head + index_end(100),
                                  site.head + line + index_end(99), site.head + line + "end 100"}) {
    CAPTURE(text);
    site.put(text);
    CHECK_FALSE(read_extent(site.segment).has_value());
  }
}

TEST_CASE("index: is built from frames, with what is damaged left out") {
  const Site site;
  const std::string one = test::part_of(*test::make_frame(1));
  const std::string two = test::part_of(*test::make_frame(2));
  test::write_file(site.segment, one + two + one.substr(0, 60));
  const auto built = build_index(site.segment).value();
  REQUIRE(built.size() == 2);
  CHECK(built[0].offset == 0);
  CHECK(built[1].offset == one.size());
  CHECK(built[1].sequence == 2);
}

TEST_CASE("index: only an index of ours makes a file ours") {
  const Site site;
  test::write_file(site.segment, "x");
  CHECK_FALSE(has_index(site.segment));
  test::write_file(index_of(site.segment), "my notes about a.mjpeg\n");
  CHECK_FALSE(has_index(site.segment));
  test::write_file(index_of(site.segment), site.head);
  CHECK(has_index(site.segment));
}

}  // namespace
