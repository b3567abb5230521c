#include "base/text.h"

#include <doctest/doctest.h>

#include <limits>

namespace {

using namespace fp;
using namespace std::string_literals;

TEST_CASE("trim: spaces, tabs, CR and LF go from both ends only") {
  CHECK(trim(" \t\r\n a b \r\n") == "a b");
  CHECK(trim("a") == "a");
  CHECK(trim(" \t\r\n").empty());
  CHECK(trim("").empty());
}

TEST_CASE("equal_ignoring_case: ASCII letters match in any case, and nothing else does") {
  CHECK(equal_ignoring_case("Content-TYPE", "content-type"));
  CHECK_FALSE(equal_ignoring_case("content-type", "content-typ"));
  CHECK_FALSE(equal_ignoring_case("@", "`"));  // 32 apart like letters, and none
  CHECK_FALSE(equal_ignoring_case("\xC4", "\xE4"));
}

TEST_CASE("starts_with_ignoring_case: a text shorter than the prefix does not match") {
  CHECK(starts_with_ignoring_case("IMAGE/webp", "image/"));
  CHECK_FALSE(starts_with_ignoring_case("imag", "image/"));
  CHECK(starts_with_ignoring_case("x", ""));
}

TEST_CASE("split: empty parts are kept") {
  CHECK(split("a,b", ',') == std::vector<std::string_view>{"a", "b"});
  CHECK(split(",a,", ',') == std::vector<std::string_view>{"", "a", ""});
  CHECK(split("", ',') == std::vector<std::string_view>{""});
}

TEST_CASE("parse_integer: the whole text must be a number that fits") {
  CHECK(parse_integer<int>("-12") == -12);
  CHECK(parse_integer<std::uint64_t>("18446744073709551615") == std::numeric_limits<std::uint64_t>::max());
  CHECK(parse_integer<std::uint16_t>("007") == 7);
  for (const char* text : {"", " 1", "1 ", "1x", "+1", "-1", "65536", "0x1", "1.0"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_integer<std::uint16_t>(text).has_value());
  }
}

TEST_CASE("parse_double: the whole text must be a finite decimal number") {
  CHECK(parse_double("1.5") == 1.5);
  CHECK(parse_double("-2") == -2.0);
  for (const char* text : {"", " 1", "1 ", "1x", "inf", "-inf", "nan", "1e999", "1,5", "0x1p3", "."}) {
    CAPTURE(text);
    CHECK_FALSE(parse_double(text).has_value());
  }
}

TEST_CASE("is_utf8: whole sequences are, overlong ones, surrogates and halves are not") {
  CHECK(is_utf8(""));
  CHECK(is_utf8("gr\xc3\xbcn \xe2\x82\xac \xf0\x9f\x90\x88"));
  for (const char* text : {"\xff", "a\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\x80"}) {
    CHECK_FALSE(is_utf8(text));
  }
}

TEST_CASE("json_escape: quotes, backslashes and control characters are escaped") {
  CHECK(json_escape("say \"a\\b\"") == R"(say \"a\\b\")");
  CHECK(json_escape("a\nb\tc\x01"s) == R"(a\u000ab\u0009c\u0001)");
  CHECK(json_escape("a\0b"s) == R"(a\u0000b)");
}

TEST_CASE("json_escape: UTF-8 passes as it is") {
  const std::string text =
      "K\xC3\xBC"
      "che \xE2\x82\xAC \xF0\x9F\x93\xB7 \xF4\x8F\xBF\xBF \xED\x9F\xBF";
  CHECK(json_escape(text) == text);
}

TEST_CASE("json_escape: bytes that are not UTF-8 become U+FFFD, one each") {
  struct Case {
    const char* what;
    std::string bytes;
    std::string escaped;
  };
  const std::vector<Case> cases = {
      {"a lone continuation byte", "a\x80z", "a\\ufffdz"},
      {"a lead byte at the end", "a\xC3", "a\\ufffd"},
      {"a lead byte before a letter", "\xC3z", "\\ufffdz"},
      {"a sequence cut off in its middle", "\xE2\x82z", "\\ufffd\\ufffdz"},
      {"an overlong slash of two bytes", "\xC0\xAF", "\\ufffd\\ufffd"},
      {"an overlong slash of three bytes", "\xE0\x80\xAF", "\\ufffd\\ufffd\\ufffd"},
      {"an overlong slash of four bytes", "\xF0\x80\x80\xAF", "\\ufffd\\ufffd\\ufffd\\ufffd"},
      {"a surrogate", "\xED\xA0\x80", "\\ufffd\\ufffd\\ufffd"},
      {"a code point behind the last", "\xF4\x90\x80\x80", "\\ufffd\\ufffd\\ufffd\\ufffd"},
      {"bytes that never occur", "\xFE\xFF", "\\ufffd\\ufffd"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.what);
    CHECK(json_escape(one.bytes) == one.escaped);
  }
}

TEST_CASE("printable: control characters cannot reach a terminal") {
  CHECK(printable("a\x1B[2Jb\r\n\x7F"s) == "a\\x1b[2Jb\\x0d\\x0a\\x7f");
  CHECK(printable("K\xC3\xBC"
                  "che") ==
        "K\xC3\xBC"
        "che");
}

TEST_CASE("printable: a text of the limit stays whole, a longer one is cut and says so") {
  CHECK(printable("12345", 5) == "12345");
  CHECK(printable("123456", 5) == "12345...");
  CHECK(printable(std::string(1000, 'x')).size() == 203);
}

TEST_CASE("printable: escapes count towards the limit") {
  CHECK(printable(std::string(1000, '\x01'), 40).size() <= 43);
}

TEST_CASE("human_bytes: powers of 1000 with one digit behind the point") {
  struct Case {
    std::uint64_t bytes;
    const char* text;
  };
  for (const Case& one : {Case{0, "0 B"},
                          {17, "17 B"},
                          {999, "999 B"},
                          {1000, "1.0 KB"},
                          {34'500, "34.5 KB"},
                          {999'949, "1.0 MB"},
                          {1'200'000, "1.2 MB"},
                          {3'400'000'000, "3.4 GB"},
                          {5'000'000'000'000, "5.0 TB"},
                          {7'000'000'000'000'000, "7000.0 TB"}}) {
    CAPTURE(one.bytes);
    CHECK(human_bytes(one.bytes) == one.text);
  }
}

TEST_CASE("is_plain_name takes letters, digits, - and _, 64 of them at most") {
  for (const char* good : {"a", "Front-door_2", "-"}) CHECK(is_plain_name(good));
  CHECK(is_plain_name(std::string(64, 'x')));
  CHECK_FALSE(is_plain_name(std::string(65, 'x')));
  for (const char* bad : {"", "a b", "a/b", "a.b", "\xC3\xA9", "a,b", "*"}) CHECK_FALSE(is_plain_name(bad));
}

TEST_CASE("hex has two digits a byte") {
  CHECK(hex({}).empty());
  CHECK(hex(as_bytes(std::string_view("\x00\x0F\xA0\xFF", 4))) == "000fa0ff");
}

TEST_CASE("entries_of leaves out comments and empty lines, and counts them") {
  const auto entries = entries_of("# a comment\n\n one \r\n\t\n#x\ntwo # no comment");
  REQUIRE(entries.size() == 2);
  CHECK(entries[0].number == 3);
  CHECK(entries[0].text == "one");
  CHECK(entries[1].number == 6);
  CHECK(entries[1].text == "two # no comment");
  CHECK(entries_of("").empty());
}

}  // namespace
