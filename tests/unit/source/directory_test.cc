#include "source/directory.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <vector>

#include "support/fake_clock.h"
#include "support/io.h"
#include "support/jpegs.h"

namespace {

using namespace fp;
using namespace std::chrono_literals;
using Order = Directory::Order;

// Pictures are told apart by their width.
std::string picture(int width_px) { return test::make_jpeg(width_px, width_px, 16); }

// A real folder under real inotify, on a clock that stands still.
struct Site {
  Directory open(Directory::Options options) {
    return Directory::open(path, options, clock, [this](Severity, const std::string& text) { said.push_back(text); })
        .value();
  }
  Directory open(Order order = Order::Arrival) { return open({.fps = 0, .order = order, .keep = {}}); }
  // Renamed into the folder, as careful writers do.
  void land(const std::string& name, std::string_view bytes) const {
    const std::string outside = temp / "outside";
    test::write_file(outside, bytes);
    std::filesystem::rename(outside, path + "/" + name);
  }
  void land(const std::string& name, int width_px) const { land(name, picture(width_px)); }
  void write(const std::string& name, std::string_view bytes) const { test::write_file(path + "/" + name, bytes); }
  [[nodiscard]] bool holds(const std::string& name) const { return std::filesystem::exists(path + "/" + name); }

  test::TempDir temp;
  std::string path = temp / "frames";
  bool made = std::filesystem::create_directory(path);
  test::FakeClock clock;
  std::vector<std::string> said;
};

// The width of the next picture, 0 for none.
int next(Directory& directory) {
  const FramePtr frame = directory.advance();
  return frame ? frame->picture.width_px : 0;
}

TEST_CASE("Directory: what is no directory is an error that names it") {
  Site site;
  site.write("file", "x");
  for (const std::string& path : {site.temp / "missing", site.path + "/file"}) {
    CAPTURE(path);
    const auto directory = Directory::open(path, {}, site.clock, {});
    REQUIRE_FALSE(directory.has_value());
    CHECK(static_cast<int>(failure_of(directory.error()).code) == static_cast<int>(Exit::NoInput));
    CHECK(directory.error().text.find(path) != std::string::npos);
  }
}

TEST_CASE("Directory: shows what is written into it and what is renamed into it") {
  Site site;
  Directory directory = site.open();
  CHECK(next(directory) == 0);
  site.write("a.jpg", picture(20));
  CHECK(next(directory) == 20);
  site.land("b.jpg", 30);
  CHECK(next(directory) == 30);
  CHECK(next(directory) == 0);
  CHECK(directory.figures().shown == 2);
}

TEST_CASE("Directory: frames are counted from 0, and dated by their arrival") {
  Site site;
  Directory directory = site.open();
  for (std::uint64_t i = 0; i < 3; ++i) {
    site.clock.tick(1s);
    site.land("a.jpg", 20 + static_cast<int>(i));
    const FramePtr frame = directory.advance();
    REQUIRE(frame != nullptr);
    CHECK(frame->sequence == i);
    CHECK(frame->captured == site.clock.wall());
  }
}

TEST_CASE("Directory: a file that is written again is shown again") {
  Site site;
  Directory directory = site.open();
  site.land("live.jpg", 20);
  CHECK(next(directory) == 20);
  site.land("live.jpg", 24);
  CHECK(next(directory) == 24);
}

TEST_CASE("Directory: of a burst of files only the newest is shown, the rest is counted") {
  Site site;
  Directory directory = site.open();
  for (int i = 0; i < 300; ++i) site.land("frame_" + std::to_string(i) + ".jpg", "not even looked at");
  site.land("last.jpg", 20);
  CHECK(next(directory) == 20);
  CHECK(next(directory) == 0);
  CHECK(directory.superseded() == 300);
  CHECK(directory.figures().skips.total() == 0);
}

TEST_CASE("Directory: names count by their ending, in any case; hidden ones do not") {
  Site site;
  Directory directory = site.open();
  int width = 20;
  for (const char* name : {"a.jpg", "B.JPG", "c.JpEg", "d.x.jpeg", "e f.jpg"}) {
    CAPTURE(name);
    site.land(name, ++width);
    CHECK(next(directory) == width);
  }
  for (const char* name : {"a.txt", "jpg", ".hidden.jpg", ".jpg", "a.jpg.part", "a.jpg~", "a.png"}) {
    CAPTURE(name);
    site.land(name, ++width);
    CHECK(next(directory) == 0);
  }
}

TEST_CASE("Directory: a folder or a FIFO with such a name does no harm") {
  Site site;
  Directory directory = site.open();
  std::filesystem::create_directory(site.path + "/folder.jpg");
  REQUIRE(::mkfifo((site.path + "/fifo.jpg").c_str(), 0600) == 0);
  CHECK(next(directory) == 0);
  site.clock.tick(1s);
  CHECK(next(directory) == 0);
  site.land("a.jpg", 20);
  CHECK(next(directory) == 20);
}

TEST_CASE("Directory: what was there before is left alone, or shown when asked for") {
  Site site;
  site.land("a.jpg", 20);
  site.land("b.jpg", 22);
  Directory fresh = site.open();
  CHECK(next(fresh) == 0);
  Directory existing = site.open({.fps = 0, .existing = true, .keep = {}});
  CHECK(next(existing) == 22);
  CHECK(next(existing) == 0);
}

TEST_CASE("Directory: a file that vanishes before it is read is forgotten") {
  Site site;
  Directory directory = site.open();
  site.land("a.jpg", 20);
  site.land("b.jpg", 22);
  std::filesystem::remove(site.path + "/b.jpg");
  CHECK(next(directory) == 20);
}

TEST_CASE("Directory: by name, the highest counts, digits by their value") {
  Site site;
  Directory directory = site.open(Order::Name);
  site.land("frame_10.jpg", 20);
  site.land("frame_9.jpg", 22);
  CHECK(next(directory) == 20);
  CHECK(next(directory) == 0);
  site.land("frame_8.jpg", 24);
  CHECK(next(directory) == 0);
  site.land("frame_11.jpg", 26);
  CHECK(next(directory) == 26);
}

TEST_CASE("Directory: by modification time, the latest counts") {
  Site site;
  Directory directory = site.open(Order::Mtime);
  const auto land_at = [&](const std::string& name, int width_px, long seconds) {
    const std::string outside = site.temp / "outside";
    test::write_file(outside, picture(width_px));
    const timespec times[2] = {{seconds, 0}, {seconds, 500'000'000}};
    REQUIRE(::utimensat(AT_FDCWD, outside.c_str(), times, 0) == 0);
    std::filesystem::rename(outside, site.path + "/" + name);
  };
  land_at("new.jpg", 20, 2000);
  land_at("old.jpg", 22, 1000);
  const FramePtr frame = directory.advance();
  REQUIRE(frame != nullptr);
  CHECK(frame->picture.width_px == 20);
  CHECK(frame->captured == WallTime(std::chrono::milliseconds(2'000'500)));
  CHECK(next(directory) == 0);
  land_at("older.jpg", 24, 1500);
  CHECK(next(directory) == 0);
  land_at("newest.jpg", 26, 3000);
  CHECK(next(directory) == 26);
}

TEST_CASE("Directory: by the time in the name, which is the frame's; names without one are left out") {
  Site site;
  Directory directory = site.open(Order::Timestamp);
  site.land("cam_1763733839.jpg", 20);
  site.land("cam_1763733838.jpg", 22);
  site.land("readme.jpg", 24);
  site.land("cover.jpg", 26);
  const FramePtr frame = directory.advance();
  REQUIRE(frame != nullptr);
  CHECK(frame->picture.width_px == 20);
  CHECK(frame->captured == WallTime(std::chrono::seconds(1'763'733'839)));
  CHECK(next(directory) == 0);
  CHECK(site.said.size() == 1);
}

TEST_CASE("Directory: a partial file is never shown, and an older whole one meanwhile") {
  Site site;
  Directory directory = site.open();
  const std::string whole = picture(30);
  site.land("a.jpg", 20);
  site.land("b.jpg", whole.substr(0, whole.size() / 2));
  CHECK(next(directory) == 20);
  site.clock.tick(300ms);
  CHECK(next(directory) == 0);
  site.write("b.jpg", whole);
  CHECK(next(directory) == 30);
  CHECK(directory.figures().skips.total() == 0);
}

TEST_CASE("Directory: a file that grows piece by piece is shown when it is whole") {
  Site site;
  Directory directory = site.open();
  const std::string whole = picture(30);
  const Fd fd(::open((site.path + "/a.jpg").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  for (std::size_t at = 0; at < whole.size(); at += 50) {
    REQUIRE(test::write_all(fd.get(), whole.substr(at, 50)));
    site.clock.tick(150ms);
    if (next(directory) != 0) FAIL("shown while it was written");
  }
  site.clock.tick(200ms);
  CHECK(next(directory) == 30);
}

TEST_CASE("Directory: a file whose writer never closes is shown once it was left alone for the settle time") {
  Site site;
  Directory directory = site.open();
  Fd fd(::open((site.path + "/a.jpg").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  REQUIRE(test::write_all(fd.get(), picture(30)));
  CHECK(next(directory) == 0);
  site.clock.tick(199ms);
  CHECK(next(directory) == 0);
  CHECK(directory.wait().until == site.clock.steady() + 1ms);
  site.clock.tick(1ms);
  CHECK(next(directory) == 30);
  fd.reset();
  site.clock.tick(1s);
  CHECK(next(directory) == 0);  // closing it makes no new picture
}

TEST_CASE("Directory: an empty file waits, and is shown when it is filled") {
  Site site;
  Directory directory = site.open();
  site.land("a.jpg", "");
  CHECK(next(directory) == 0);
  site.write("a.jpg", picture(20));
  CHECK(next(directory) == 20);
}

TEST_CASE("Directory: a file that stays cut off is given up after ten seconds, and counted") {
  Site site;
  Directory directory = site.open();
  site.land("a.jpg", picture(20).substr(0, 300));
  for (int i = 0; i < 90; ++i) {
    CHECK(next(directory) == 0);
    site.clock.tick(100ms);
  }
  CHECK(directory.figures().skips.total() == 0);
  for (int i = 0; i < 20; ++i) {
    CHECK(next(directory) == 0);
    site.clock.tick(100ms);
  }
  CHECK(directory.figures().skips.of(Skip::Truncated) == 1);
  CHECK_FALSE(site.said.empty());
}

TEST_CASE("Directory: what is no JPEG, a damaged one and a huge one are counted by reason") {
  Site site;
  Directory directory = site.open({.fps = 0, .keep = {}, .max_frame_bytes = 10'000});
  struct Case {
    std::string bytes;
    Skip reason;
  };
  for (const Case& one : {Case{"GIF89a, in truth", Skip::NotJpeg},
                          {"\xFF\xD8hello", Skip::Corrupt},
                          {std::string(10'001, 'x'), Skip::TooLarge}}) {
    CAPTURE(name_of(one.reason));
    site.land("a.jpg", one.bytes);
    for (int i = 0; i < 10; ++i) {
      CHECK(next(directory) == 0);
      site.clock.tick(200ms);
    }
    CHECK(directory.figures().skips.of(one.reason) == 1);
  }
  site.land("a.jpg", 20);
  CHECK(next(directory) == 20);
}

TEST_CASE("Directory: padding is cut off and missing tables are put in") {
  Site site;
  Directory directory = site.open();
  const std::string jpeg = picture(20);
  site.land("a.jpg", jpeg + std::string(500, '\0'));
  CHECK(as_text(directory.advance()->jpeg.view()) == jpeg);
  site.land("b.jpg", test::without_huffman_tables(jpeg));
  CHECK(directory.advance()->picture.huffman_tables);
}

TEST_CASE("Directory: pictures come no faster than the rate, and the newest then") {
  Site site;
  Directory directory = site.open({.fps = 10, .keep = {}});
  site.land("a.jpg", 20);
  CHECK(next(directory) == 20);
  site.land("b.jpg", 22);
  CHECK(next(directory) == 0);
  site.land("c.jpg", 24);
  CHECK(next(directory) == 0);
  site.clock.tick(100ms);
  CHECK(next(directory) == 24);
  CHECK(directory.superseded() == 1);
}

TEST_CASE("Directory: with every_frame all are shown, in the order of their arrival, at any rate") {
  Site site;
  Directory directory = site.open({.fps = 1, .keep = {}, .every_frame = true});
  for (int i = 0; i < 10; ++i) site.land("f" + std::to_string(9 - i) + ".jpg", 20 + i);
  for (int i = 0; i < 10; ++i) CHECK(next(directory) == 20 + i);
  CHECK(next(directory) == 0);
  CHECK(directory.superseded() == 0);
}

TEST_CASE("Directory: removed and made again, it goes on") {
  Site site;
  Directory directory = site.open(Order::Name);
  site.land("z.jpg", 20);
  CHECK(next(directory) == 20);
  std::filesystem::remove_all(site.path);
  site.clock.tick(1s);
  CHECK(next(directory) == 0);
  std::filesystem::create_directory(site.path);
  site.land("a.jpg", 22);  // lower than the last one: a new series
  site.clock.tick(1s);
  CHECK(next(directory) == 22);
  CHECK(directory.figures().rescans == 1);
  site.land("b.jpg", 24);
  CHECK(next(directory) == 24);
}

TEST_CASE("Directory: moved away and another one put in its place, it follows the path") {
  Site site;
  Directory directory = site.open();
  std::filesystem::rename(site.path, site.temp / "elsewhere");
  std::filesystem::create_directory(site.path);
  test::write_file(site.temp / "elsewhere/old.jpg", picture(20));
  site.land("new.jpg", 22);
  CHECK(next(directory) == 22);
  site.clock.tick(1s);
  CHECK(next(directory) == 0);
}

TEST_CASE("Directory: a link that is pointed at another folder is followed") {
  Site site;
  const std::string link = site.temp / "link";
  const std::string other = site.temp / "other";
  std::filesystem::create_directory(other);
  std::filesystem::create_directory_symlink(site.path, link);
  Directory directory = Directory::open(link, {.fps = 0, .keep = {}}, site.clock, {}).value();
  std::filesystem::remove(link);
  std::filesystem::create_directory_symlink(other, link);
  site.clock.tick(2s);
  CHECK(next(directory) == 0);
  test::write_file(other + "/a.jpg", picture(20));
  CHECK(next(directory) == 20);
}

TEST_CASE("Directory: keep deletes what is older than the picture shown, but the newest so many") {
  Site site;
  Directory directory = site.open({.fps = 0, .order = Order::Name, .keep = 2});
  site.write("notes.txt", "mine");
  for (int i = 1; i <= 6; ++i) {
    site.land("f" + std::to_string(i) + ".jpg", 20 + i);
    CHECK(next(directory) == 20 + i);
  }
  site.clock.tick(1s);
  CHECK(next(directory) == 0);
  for (const char* gone : {"f1.jpg", "f2.jpg", "f3.jpg"}) CHECK_FALSE(site.holds(gone));
  for (const char* kept : {"f4.jpg", "f5.jpg", "f6.jpg", "notes.txt"}) CHECK(site.holds(kept));
  CHECK(directory.figures().deleted == 3);
}

TEST_CASE("Directory: keep 0 leaves only the picture shown, whatever the order") {
  for (const Order order : {Order::Arrival, Order::Mtime, Order::Name, Order::Timestamp}) {
    CAPTURE(static_cast<int>(order));
    Site site;
    Directory directory = site.open({.fps = 0, .order = order, .keep = 0});
    for (int i = 1; i <= 3; ++i) {
      site.land("176373383" + std::to_string(i) + ".jpg", 20 + i);
      CHECK(next(directory) == 20 + i);
    }
    site.clock.tick(1s);
    CHECK(next(directory) == 0);
    CHECK_FALSE(site.holds("1763733831.jpg"));
    CHECK_FALSE(site.holds("1763733832.jpg"));
    CHECK(site.holds("1763733833.jpg"));
  }
}

TEST_CASE("Directory: without keep nothing is ever deleted") {
  Site site;
  Directory directory = site.open();
  for (int i = 0; i < 3; ++i) {
    site.land("f" + std::to_string(i) + ".jpg", 20 + i);
    CHECK(next(directory) == 20 + i);
  }
  site.clock.tick(1min);
  CHECK(next(directory) == 0);
  for (int i = 0; i < 3; ++i) CHECK(site.holds("f" + std::to_string(i) + ".jpg"));
}

TEST_CASE("Directory: by looking, without inotify, it finds what lands and what changes") {
  Site site;
  site.land("before.jpg", 18);
  Directory directory = site.open({.fps = 20, .keep = {}, .poll = true});
  CHECK(directory.wait().fd == -1);
  CHECK(next(directory) == 0);
  site.land("a.jpg", 20);
  site.clock.tick(1s);
  CHECK(next(directory) == 20);
  site.clock.tick(1s);
  CHECK(next(directory) == 0);
  site.land("a.jpg", 22);
  site.clock.tick(1s);
  CHECK(next(directory) == 22);
}

TEST_CASE("Directory: by looking, it survives the folder's end and return") {
  Site site;
  Directory directory = site.open({.fps = 20, .keep = {}, .poll = true});
  CHECK(next(directory) == 0);
  std::filesystem::remove_all(site.path);
  site.clock.tick(1s);
  CHECK(next(directory) == 0);
  std::filesystem::create_directory(site.path);
  site.land("a.jpg", 20);
  site.clock.tick(1s);
  CHECK(next(directory) == 20);
}

TEST_CASE("Directory: its descriptor wakes whoever waits") {
  Site site;
  Directory directory = site.open();
  CHECK_FALSE(test::wait_readable(directory.wait().fd, 0ms));
  site.land("a.jpg", 20);
  CHECK(test::wait_readable(directory.wait().fd));
}

}  // namespace
