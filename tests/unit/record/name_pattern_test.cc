#include "record/name_pattern.h"

#include <doctest/doctest.h>

#include <cstdlib>

namespace {

using namespace fp;
using namespace fp::record;

const WallTime kTime{std::chrono::microseconds(1'763'688'059'999'999)};  // 2025-11-21 01:20:59 UTC

std::string name(const std::string& pattern) {
  return NamePattern::parse(pattern, ".mjpeg", false).value().name(kTime);
}

TEST_CASE("NamePattern: a name is the time of the first frame in UTC") {
  CHECK(name("%Y-%m-%d/%H-%M-%S.mjpeg") == "2025-11-21/01-20-59.mjpeg");
}

TEST_CASE("NamePattern: the extension is put behind where it is missing") { CHECK(name("%H") == "01.mjpeg"); }

TEST_CASE("NamePattern: local names are in the zone of this machine") {
  ::setenv("TZ", "XYZ-5:30", 1);
  ::tzset();
  CHECK(NamePattern::parse("%H-%M-%S", ".mjpeg", true).value().name(kTime) == "06-50-59.mjpeg");
  ::unsetenv("TZ");
  ::tzset();
}

TEST_CASE("NamePattern: names that leave the folder, hide or are too long are refused") {
  for (const std::string& pattern : {std::string("../%H"), std::string("/tmp/%H"), std::string("a//b"),
                                     std::string("%Y/.%H"), std::string(""), std::string("a/"), std::string("a/../b"),
                                     std::string("a\nb"), std::string(300, 'x'), std::string("%Y/.mjpeg")}) {
    CAPTURE(pattern);
    CHECK_FALSE(NamePattern::parse(pattern, ".mjpeg", false).has_value());
  }
}

TEST_CASE("NamePattern: a number goes in front of the extension") {
  CHECK(numbered("a.b/c.mjpeg", 1) == "a.b/c.mjpeg");
  CHECK(numbered("a.b/c.mjpeg", 2) == "a.b/c_2.mjpeg");
}

TEST_CASE("camera_folder: stays one folder whatever the camera is called") {
  CHECK(camera_folder("porch-2_b.x") == "porch-2_b.x");
  CHECK(camera_folder("") == "camera");
  CHECK(camera_folder("../etc") == "%2E.%2Fetc");
  CHECK(camera_folder("a b") == "a%20b");
  CHECK(camera_folder(std::string(5000, '/')).size() <= 100);
}

}  // namespace
