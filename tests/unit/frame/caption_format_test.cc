#include "frame/caption_format.h"

#include <doctest/doctest.h>

#include <cstdlib>

namespace {

using namespace fp;

// TZ of this process, for as long as the test runs.
struct Zone {
  explicit Zone(const char* name) { ::setenv("TZ", name, 1); }
  Zone(const Zone&) = delete;
  Zone& operator=(const Zone&) = delete;
  ~Zone() {
    ::unsetenv("TZ");
    ::tzset();
  }
};

Frame frame() {
  Frame result;
  result.captured = WallTime(std::chrono::microseconds(1'763'688'000'007'999));
  result.sequence = 42;
  result.camera = "yard";
  return result;
}
std::string text(const std::string& format, const Frame& of = frame()) {
  return CaptionFormat::parse(format).value().of(of);
}

TEST_CASE("CaptionFormat: what strftime knows is the frame's own time, in local time") {
  {
    const Zone zone("UTC");
    CHECK(text("%F %T") == "2025-11-21 01:20:00");
  }
  const Zone zone("XYZ-5:30");
  CHECK(text("%F %T") == "2025-11-21 06:50:00");
}

TEST_CASE("CaptionFormat: milliseconds, sequence and camera") {
  const Zone zone("UTC");
  CHECK(text("%T.%{ms}") == "01:20:00.007");
  CHECK(text("%{camera} #%{sequence}") == "yard #42");
}

TEST_CASE("CaptionFormat: a percent sign is written twice, and a name's own is no format") {
  CHECK(text("100 %%") == "100 %");
  CHECK(text("%%{ms}") == "%{ms}");
  Frame odd = frame();
  odd.camera = "%Y%n%%";
  CHECK(text("%{camera}", odd) == "%Y%n%%");
}

TEST_CASE("CaptionFormat: one line, and no longer than that") {
  CHECK(text("a%nb%tc") == "a b c");
  Frame odd = frame();
  odd.camera = std::string(5000, 'x');
  CHECK(text("%{camera}", odd).empty());
}

TEST_CASE("CaptionFormat: another name in braces is refused, with those that there are") {
  for (const char* format : {"%{fps}", "%T %{}", "%{MS}"}) {
    const auto result = CaptionFormat::parse(format);
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().text.find("%{sequence}") != std::string::npos);
  }
}

TEST_CASE("CaptionFormat: loose ends are taken as they are") {
  CHECK_FALSE(text("100%").empty());
  CHECK_FALSE(text("%{ms").empty());
  CHECK(text("").empty());
}

}  // namespace
