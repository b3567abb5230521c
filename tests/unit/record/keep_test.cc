#include "record/keep.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <array>
#include <filesystem>
#include <vector>

#include "record/index.h"
#include "support/fake_clock.h"
#include "support/io.h"

namespace {

using namespace fp;
using namespace fp::record;
using namespace std::chrono_literals;

constexpr long kNow = 1'763'688'000;  // the clock's

struct Site {
  // A segment of 1000 bytes with its index, last written so many seconds ago.
  std::string add(const std::string& name, long seconds_ago) const {
    std::filesystem::create_directories(std::filesystem::path(temp / name).parent_path());
    test::write_file(temp / name, std::string(1000 - kIndexHead.size(), 'x'));
    test::write_file(index_of(temp / name), kIndexHead);
    const std::array<timespec, 2> times = {timespec{kNow - seconds_ago, 0}, {kNow - seconds_ago, 0}};
    ::utimensat(AT_FDCWD, (temp / name).c_str(), times.data(), 0);
    return temp / name;
  }
  [[nodiscard]] Keep keep(const Limits& limits, std::uint64_t min_free_bytes = 0) {
    return Keep(temp.path(), {limits, min_free_bytes}, clock, [this](Severity severity, const std::string& text) {
      if (severity != Severity::Debug) said.push_back(text);
    });
  }
  [[nodiscard]] bool there(const std::string& name) const { return std::filesystem::exists(temp / name); }
  [[nodiscard]] std::uint64_t free_bytes() const {
    struct statvfs info {};
    ::statvfs(temp.path().c_str(), &info);
    return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize;
  }
  test::TempDir temp;
  test::FakeClock clock;
  std::vector<std::string> said;
};

TEST_CASE("Keep: removes what is older than its limit, with its index, and nothing else") {
  Site site;
  site.add("old.mjpeg", 61);
  site.add("young.mjpeg", 59);
  Keep keep = site.keep({.time = 60s, .bytes = {}});
  CHECK(keep.enforce(0));
  CHECK_FALSE(site.there("old.mjpeg"));
  CHECK_FALSE(site.there("old.mjpeg.index"));
  CHECK(site.there("young.mjpeg"));
}

TEST_CASE("Keep: removes the oldest until all together are within their size") {
  Site site;
  site.add("b/2.mjpeg", 20);
  site.add("c/1.mjpeg", 30);
  site.add("a/3.mjpeg", 10);
  Keep keep = site.keep({.time = {}, .bytes = 2000});
  CHECK(keep.bytes() == 3000);
  keep.enforce(0);
  CHECK_FALSE(site.there("c/1.mjpeg"));
  CHECK(site.there("b/2.mjpeg"));
  CHECK(keep.bytes() == 2000);
}

TEST_CASE("Keep: counts what is being written") {
  Site site;
  site.add("1.mjpeg", 20);
  site.add("2.mjpeg", 10);
  Keep keep = site.keep({.time = {}, .bytes = 2000});
  keep.enforce(1);
  CHECK_FALSE(site.there("1.mjpeg"));
  CHECK(site.there("2.mjpeg"));
}

TEST_CASE("Keep: counts what has been added since") {
  Site site;
  Keep keep = site.keep({.time = {}, .bytes = 1500});
  keep.added(site.add("1.mjpeg", 20));
  keep.enforce(0);
  CHECK(site.there("1.mjpeg"));
  keep.added(site.add("2.mjpeg", 10));
  keep.enforce(0);
  CHECK_FALSE(site.there("1.mjpeg"));
  CHECK(site.there("2.mjpeg"));
}

TEST_CASE("Keep: removes folders that are empty then, but not the folder of the recordings") {
  Site site;
  site.add("2026/11/1.mjpeg", 100);
  Keep keep = site.keep({.time = 1s, .bytes = {}});
  keep.enforce(0);
  CHECK_FALSE(site.there("2026"));
  CHECK(std::filesystem::exists(site.temp.path()));
}

TEST_CASE("Keep: never touches files without an index of ours, nor open segments") {
  Site site;
  const std::string mine = site.temp / "mine.mjpeg";
  test::write_file(mine, "mine");
  test::write_file(site.temp / "notes.mjpeg", "mine");
  test::write_file(site.temp / "notes.mjpeg.index", "of mine");
  test::write_file(site.temp / ".open.mjpeg.part", "open");
  test::write_file(site.temp / ".open.mjpeg.index.part", kIndexHead);
  site.clock.tick(1000h);
  Keep keep = site.keep({.time = 1s, .bytes = 1}, 1ull << 60);
  CHECK_FALSE(keep.enforce(0));
  for (const char* const name : {"mine.mjpeg", "notes.mjpeg", ".open.mjpeg.part", ".open.mjpeg.index.part"}) {
    CAPTURE(name);
    CHECK(site.there(name));
  }
}

TEST_CASE("Keep: of a disk that is too full the oldest go, which is said once") {
  Site site;
  site.add("1.mjpeg", 20);
  site.add("2.mjpeg", 10);
  Keep keep = site.keep({}, site.free_bytes() + (1ull << 50));
  CHECK_FALSE(keep.enforce(0));
  CHECK(keep.segments() == 0);
  CHECK_FALSE(site.there("2.mjpeg"));
  CHECK(site.said.size() == 1);
}

TEST_CASE("Keep: looks again before it removes what others may have made room for") {
  Site site;
  const std::string first = site.add("1.mjpeg", 30);
  site.add("2.mjpeg", 20);
  site.add("3.mjpeg", 10);
  Keep keep = site.keep({.time = {}, .bytes = 3000});
  std::filesystem::remove(first);
  site.clock.tick(61min);
  keep.added(site.add("4.mjpeg", 0));
  keep.enforce(0);
  CHECK(site.there("2.mjpeg"));
  CHECK(keep.segments() == 3);
}

}  // namespace
