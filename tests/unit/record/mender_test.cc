#include "record/mender.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <filesystem>
#include <vector>

#include "record/index.h"
#include "record/segment.h"
#include "support/io.h"
#include "support/make_frame.h"

namespace {

using namespace fp;
using namespace fp::record;

// A folder with what a recorder leaves behind whose end comes at any moment.
struct Site {
  // A segment of these bytes whose writer is dead.
  void leave(const std::string& bytes, std::string_view index = kIndexHead) const {
    std::filesystem::create_directories(temp / "day");
    test::write_file(temp / "day/.a.mjpeg.part", bytes);
    test::write_file(temp / "day/.a.mjpeg.index.part", index);
  }
  Mended mend() {
    return record::mend(temp.path(), [this](Severity, const std::string& text) { said.push_back(text); });
  }
  [[nodiscard]] std::string text(const std::string& name) const { return test::read_file(temp / name); }
  [[nodiscard]] bool there(const std::string& name) const { return std::filesystem::exists(temp / name); }
  test::TempDir temp;
  std::vector<std::string> said;
  std::string one = test::part_of(*test::make_frame(1));
  std::string two = test::part_of(*test::make_frame(2));
};

TEST_CASE("mend: an open segment is cut to its last whole frame, indexed and named") {
  Site site;
  site.leave(site.one + site.two + site.one.substr(0, site.one.size() - 10));
  const Mended mended = site.mend();
  CHECK(mended.segments == 1);
  CHECK(mended.frames == 2);
  CHECK(mended.cut_bytes == site.one.size() - 10);
  CHECK(site.text("day/a.mjpeg") == site.one + site.two);
  CHECK(read_index(site.temp / "day/a.mjpeg").value() == build_index(site.temp / "day/a.mjpeg").value());
  CHECK_FALSE(site.there("day/.a.mjpeg.part"));
  CHECK_FALSE(site.there("day/.a.mjpeg.index.part"));
}

TEST_CASE("mend: wherever the last part was cut, what was whole stays and nothing else") {
  Site site;
  for (std::size_t cut = 0; cut < site.two.size(); cut += 7) {
    CAPTURE(cut);
    site.leave(site.one + site.two.substr(0, cut));
    site.mend();
    CHECK(site.text("day/a.mjpeg") == site.one);
    std::filesystem::remove_all(site.temp / "day");
  }
}

TEST_CASE("mend: a line end that is missing behind the last picture is put there") {
  for (const std::size_t missing : {1u, 2u}) {
    Site site;
    site.leave(site.one + site.two.substr(0, site.two.size() - missing));
    CHECK(site.mend().cut_bytes == 0);
    CHECK(site.text("day/a.mjpeg") == site.one + site.two);
  }
}

TEST_CASE("mend: zeros behind what was synced, as a power cut leaves them, go") {
  Site site;
  site.leave(site.one + std::string(10'000, '\0'));
  CHECK(site.mend().frames == 1);
  CHECK(site.text("day/a.mjpeg") == site.one);
}

TEST_CASE("mend: a segment without a whole frame is removed") {
  Site site;
  site.leave(site.one.substr(0, 50));
  CHECK(site.mend().segments == 0);
  CHECK(std::filesystem::is_empty(site.temp / "day"));
  CHECK(site.said.empty());
}

TEST_CASE("mend: an index whose segment was never made is removed") {
  Site site;
  site.leave("");
  std::filesystem::remove(site.temp / "day/.a.mjpeg.part");
  site.mend();
  CHECK(std::filesystem::is_empty(site.temp / "day"));
}

TEST_CASE("mend: an index that is empty because the end came that early is removed, unless something is beside it") {
  Site site;
  site.leave("", "");
  site.mend();
  CHECK(site.there("day/.a.mjpeg.part"));
  CHECK(site.there("day/.a.mjpeg.index.part"));
  std::filesystem::remove(site.temp / "day/.a.mjpeg.part");
  site.mend();
  CHECK(std::filesystem::is_empty(site.temp / "day"));
}

TEST_CASE("mend: a segment whose index has its name already gets its own") {
  Site site;
  site.leave(site.one);
  std::filesystem::rename(site.temp / "day/.a.mjpeg.index.part", site.temp / "day/a.mjpeg.index");
  CHECK(site.mend().segments == 1);
  CHECK(site.text("day/a.mjpeg") == site.one);
  CHECK(read_index(site.temp / "day/a.mjpeg").has_value());
}

TEST_CASE("mend: an index whose segment was removed goes, too") {
  Site site;
  test::write_file(site.temp / "a.mjpeg.index", kIndexHead);
  site.mend();
  CHECK_FALSE(site.there("a.mjpeg.index"));
}

TEST_CASE("mend: leaves a segment alone that is being written") {
  Site site;
  Segment segment = Segment::begin(site.temp.path(), "a.mjpeg").value();
  REQUIRE(segment.add(*test::make_frame(1)));
  CHECK(site.mend().segments == 0);
  REQUIRE(segment.add(*test::make_frame(2)));
  REQUIRE(segment.finish());
  CHECK(site.text("a.mjpeg") == site.one + site.two);
  CHECK(site.mend().segments == 0);
}

TEST_CASE("mend: mends what a Segment left that was destroyed unfinished") {
  Site site;
  {
    Segment segment = Segment::begin(site.temp.path(), "a.mjpeg").value();
    REQUIRE(segment.add(*test::make_frame(1)));
  }
  CHECK(site.mend().segments == 1);
  CHECK(site.text("a.mjpeg") == site.one);
}

TEST_CASE("mend: takes another name where its own is taken") {
  Site site;
  site.leave(site.one);
  test::write_file(site.temp / "day/a.mjpeg", "mine");
  CHECK(site.mend().segments == 1);
  CHECK(site.text("day/a.mjpeg") == "mine");
  CHECK(site.text("day/a_2.mjpeg") == site.one);
}

TEST_CASE("mend: leaves files alone that are not ours") {
  Site site;
  site.leave(site.one + "rest", "a download of mine");
  test::write_file(site.temp / ".b.mjpeg.part", "another");
  test::write_file(site.temp / "c.index", "a book's");
  CHECK(site.mend().segments == 0);
  CHECK(site.text("day/.a.mjpeg.part") == site.one + "rest");
  CHECK(site.text("day/.a.mjpeg.index.part") == "a download of mine");
  CHECK(site.text(".b.mjpeg.part") == "another");
  CHECK(site.text("c.index") == "a book's");
}

TEST_CASE("mend: a segment stays as old as its last frame") {
  Site site;
  site.leave(site.one + "rest");
  const std::array<timespec, 2> times = {timespec{1000, 0}, {1000, 0}};
  REQUIRE(::utimensat(AT_FDCWD, (site.temp / "day/.a.mjpeg.part").c_str(), times.data(), 0) == 0);
  site.mend();
  struct stat info {};
  REQUIRE(::stat((site.temp / "day/a.mjpeg").c_str(), &info) == 0);
  CHECK(info.st_mtim.tv_sec == 1000);
}

TEST_CASE("mend: symbolic links are not followed") {
  Site site;
  test::TempDir other;
  test::write_file(other / "target", site.one + "rest");
  site.leave("");
  std::filesystem::remove(site.temp / "day/.a.mjpeg.part");
  std::filesystem::create_symlink(other / "target", site.temp / "day/.a.mjpeg.part");
  CHECK(site.mend().segments == 0);
  CHECK(test::read_file(other / "target") == site.one + "rest");
  CHECK(site.said.size() == 1);
}

}  // namespace
