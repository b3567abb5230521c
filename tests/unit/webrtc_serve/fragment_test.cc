#include "webrtc-serve/fragment.h"

#include <doctest/doctest.h>

#include <string>

namespace {

using fp::webrtc_serve::kMostFragmentCandidates;
using fp::webrtc_serve::parse_fragment;

TEST_CASE("parse_fragment: candidates have the mid that stands in front of them (RFC 8840, 4.4)") {
  const auto found = parse_fragment(
      "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n"
      "a=candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host\r\n"
      "m=video 9 RTP/AVP 96\r\na=mid:one\n a=candidate:2 1 udp 1 192.0.2.2 1 typ host \na=end-of-candidates\r\n");
  REQUIRE(found.size() == 2);
  CHECK(found[0].text == "candidate:1387637174 1 udp 2122260223 192.0.2.1 61764 typ host");
  CHECK(found[0].mid == "0");
  CHECK(found[1].text == "candidate:2 1 udp 1 192.0.2.2 1 typ host");
  CHECK(found[1].mid == "one");
}

TEST_CASE("parse_fragment: without a mid a candidate is of the first line") {
  const auto found = parse_fragment("a=candidate:2 1 udp 1 192.0.2.2 1 typ host");
  REQUIRE(found.size() == 1);
  CHECK(found[0].mid.empty());
  CHECK(found[0].line_index == 0u);
}

TEST_CASE("parse_fragment: what is something else gives nothing, and no number of lines gives more than the limit") {
  CHECK(parse_fragment("").empty());
  CHECK(parse_fragment("\n\n\r\r\na=candidat:\n\xff\xfe").empty());
  std::string many;
  for (int line = 0; line < 10'000; ++line) many += "a=candidate:x\n";
  CHECK(parse_fragment(many).size() == kMostFragmentCandidates);
}

}  // namespace
