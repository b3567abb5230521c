#include "base/file.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <string>

#include "support/io.h"

using namespace fp;

TEST_CASE("read_file: gives all bytes, also more than one read brings") {
  const test::TempDir folder;
  const std::string text(200'000, 'x');
  test::write_file(folder / "file", text);
  const auto read = read_file(folder / "file", text.size());
  REQUIRE(read.has_value());
  CHECK(as_text(read->view()) == text);
}

TEST_CASE("read_file: a byte more than the limit is too large") {
  const test::TempDir folder;
  test::write_file(folder / "file", std::string(1001, 'x'));
  const auto read = read_file(folder / "file", 1000);
  REQUIRE_FALSE(read.has_value());
  CHECK(read.error().kind == Error::Kind::TooLarge);
}

TEST_CASE("read_file: what may have no end is refused, and a FIFO that nobody writes to blocks nobody") {
  const test::TempDir folder;
  REQUIRE(::mkfifo((folder / "fifo").c_str(), 0600) == 0);
  CHECK(read_file(folder / "fifo", 10).error().text == folder / "fifo" + ": is no regular file");
  CHECK(read_file("/dev/zero", 10).error().text == "/dev/zero: is no regular file");
}

TEST_CASE("read_file: names the file that is not there, and what was to be done with a folder") {
  CHECK(read_file("/nowhere/x", 10).error().text == "open /nowhere/x: No such file or directory");
  CHECK(read_file("/", 10).error().text == "read /: Is a directory");
}

TEST_CASE("stamp_of: a file that was replaced by one of the same size is another one") {
  const test::TempDir folder;
  test::write_file(folder / "file", "one");
  const FileStamp before = stamp_of(folder / "file");
  CHECK(before == stamp_of(folder / "file"));
  test::write_file(folder / "new", "two");
  std::filesystem::rename(folder / "new", folder / "file");
  CHECK(before != stamp_of(folder / "file"));
  CHECK(stamp_of(folder / "nowhere") == FileStamp());
}

TEST_CASE("stamp_of: says whether everybody may read it") {
  const test::TempDir folder;
  test::write_file(folder / "file", "secret");
  REQUIRE(::chmod((folder / "file").c_str(), 0604) == 0);
  CHECK(stamp_of(folder / "file").for_all);
  REQUIRE(::chmod((folder / "file").c_str(), 0640) == 0);
  CHECK_FALSE(stamp_of(folder / "file").for_all);
}
