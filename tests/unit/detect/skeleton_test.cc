#include "detect/skeleton.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>

using namespace fp;
using namespace fp::detect;

namespace {

// A file with `text` in it, for the time of a test.
struct Written {
  explicit Written(const std::string& text) {
    const int fd = ::mkstemp(path);
    REQUIRE(fd >= 0);
    REQUIRE(::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
    ::close(fd);
  }
  ~Written() { ::unlink(path); }
  Written(const Written&) = delete;
  Written& operator=(const Written&) = delete;
  char path[32] = "/tmp/skeleton-test-XXXXXX";
};

std::string reason(const std::string& text) {
  const Written file(text);
  const auto skeleton = read_skeleton(file.path, 17);
  REQUIRE_FALSE(skeleton.has_value());
  const std::string& said = skeleton.error().text;
  REQUIRE(said.starts_with(file.path));
  return said.substr(std::string(file.path).size());
}

}  // namespace

TEST_CASE("Skeleton: a body of 17 and a hand of 21 keypoints are known, and each of their points has a bone") {
  for (const std::size_t keypoints : {17u, 21u}) {
    std::vector<int> bones(keypoints, 0);
    for (const auto& [from, to] : Skeleton::for_keypoints(keypoints).bones) {
      CHECK(from != to);
      ++bones.at(from);
      ++bones.at(to);
    }
    CHECK(std::find(bones.begin(), bones.end(), 0) == bones.end());
  }
}

TEST_CASE("Skeleton: a face of 6 keypoints, and a number that is not known, have no bones") {
  for (const std::size_t keypoints : {0u, 6u, 133u}) CHECK(Skeleton::for_keypoints(keypoints).bones.empty());
}

TEST_CASE("read_skeleton: a bone a line, comments and empty lines between them, any line ends") {
  const Written file("# arms\n5 7\r\n\n \t7\t 9  # the left one\n16 0");
  const auto skeleton = read_skeleton(file.path, 17);
  REQUIRE(skeleton.has_value());
  CHECK(skeleton->bones == std::vector<std::pair<std::size_t, std::size_t>>{{5, 7}, {7, 9}, {16, 0}});
}

TEST_CASE("read_skeleton: says in which line what is wrong") {
  CHECK(reason("5 7\n\n5 17\n") == ":3: there is no keypoint 17: the model has 17, counted from 0");
  CHECK(reason("5\n") == ":1: a line is two numbers of keypoints, as in \"5 7\"");
  CHECK(reason("5 7 9\n") == ":1: a line is two numbers of keypoints, as in \"5 7\"");
  CHECK(reason("# one\nleft right\n") == ":2: 'left' is no number of a keypoint");
  CHECK(reason("-1 2\n") == ":1: '-1' is no number of a keypoint");
  CHECK(reason("99999999999999999999999 2\n").ends_with("is no number of a keypoint"));
}

TEST_CASE("read_skeleton: a file without an end, or with too many bones, is refused") {
  CHECK(read_skeleton("/dev/zero", 17).error().kind == Error::Kind::Malformed);
  std::string many;
  for (int i = 0; i < 5000; ++i) many += "1 2\n";
  CHECK(reason(many) == ":4097: more than 4096 bones");
}

TEST_CASE("read_skeleton: a file that is not there is named") {
  CHECK(read_skeleton("/nowhere/bones", 17).error().text == "open /nowhere/bones: No such file or directory");
}
