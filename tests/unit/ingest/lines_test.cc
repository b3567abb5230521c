#include "webrtc-ingest/lines.h"

#include <doctest/doctest.h>

#include <vector>

namespace {

using fp::ingest::Lines;

std::vector<std::string> lines_of(Lines& lines, std::string_view bytes) {
  std::vector<std::string> found;
  lines.feed(bytes, [&](std::string_view line) { found.emplace_back(line); });
  return found;
}

TEST_CASE("Lines: lines that come in pieces are put together, and empty ones are none") {
  Lines lines(100);
  CHECK(lines_of(lines, "{\"a\"").empty());
  CHECK(lines_of(lines, ":1}\r\n\n  \n{\"b\":2}\n{\"c") == std::vector<std::string>{"{\"a\":1}", "{\"b\":2}"});
  CHECK(lines_of(lines, "\":3}\n") == std::vector<std::string>{"{\"c\":3}"});
  CHECK(lines.too_long() == 0);
}

TEST_CASE("Lines: a line over the limit is left out whole, however it comes, and counted once") {
  Lines lines(10);
  CHECK(lines_of(lines, "1234567890\n").size() == 1);
  CHECK(lines_of(lines, "12345678901\nnext\n") == std::vector<std::string>{"next"});
  for (int i = 0; i < 100; ++i) CHECK(lines_of(lines, "abcdef").empty());
  CHECK(lines_of(lines, "\nnext\n") == std::vector<std::string>{"next"});
  CHECK(lines.too_long() == 2);
}

}  // namespace
