#include "base/file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>

using namespace fp;

namespace {

// A pipe by its name, holding `text` and nothing behind it.
struct Held {
  explicit Held(const std::string& text) {
    REQUIRE(::pipe2(ends, O_CLOEXEC) == 0);
    REQUIRE(::fcntl(ends[1], F_SETPIPE_SZ, 1 << 18) > 0);
    REQUIRE(::write(ends[1], text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    ::close(ends[1]);
  }
  ~Held() { ::close(ends[0]); }
  Held(const Held&) = delete;
  Held& operator=(const Held&) = delete;
  [[nodiscard]] std::string path() const { return "/proc/self/fd/" + std::to_string(ends[0]); }
  int ends[2] = {-1, -1};
};

}  // namespace

TEST_CASE("read_file: gives all bytes, also those of a pipe and more than one read brings") {
  const std::string text(200'000, 'x');
  const Held held(text);
  const auto read = read_file(held.path(), text.size());
  REQUIRE(read.has_value());
  CHECK(as_text(read->view()) == text);
}

TEST_CASE("read_file: a byte more than the limit is too large") {
  const Held held(std::string(1001, 'x'));
  const auto read = read_file(held.path(), 1000);
  REQUIRE_FALSE(read.has_value());
  CHECK(read.error().kind == Error::Kind::TooLarge);
}

TEST_CASE("read_file: a device without an end is left at the limit") {
  const auto read = read_file("/dev/zero", 1 << 20);
  REQUIRE_FALSE(read.has_value());
  CHECK(read.error().kind == Error::Kind::TooLarge);
}

TEST_CASE("read_file: names the file that is not there, and what was to be done with a folder") {
  CHECK(read_file("/nowhere/x", 10).error().text == "open /nowhere/x: No such file or directory");
  CHECK(read_file("/", 10).error().text == "read /: Is a directory");
}
