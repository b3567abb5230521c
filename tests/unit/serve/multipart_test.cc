#include "serve/multipart.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>

namespace {

using namespace fp;

TEST_CASE("make_advance_boundary: no two are the same, and each may stand in a header unquoted") {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string boundary = make_advance_boundary();
    CHECK(boundary.size() >= 16);  // 64 bits in hexadecimal, at least
    CHECK(boundary.size() <= 70);  // RFC 2046
    CHECK(std::all_of(boundary.begin(), boundary.end(),
                      [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '-'; }));
    seen.insert(boundary);
  }
  CHECK(seen.size() == 1000);
}

TEST_CASE("advance_headers: the boundary and complete headers without a length") {
  CHECK(advance_headers("frame-1") == "--frame-1\r\nContent-Type: image/jpeg\r\n\r\n");
}

}  // namespace
