#include "webrtc-serve/options.h"

#include <doctest/doctest.h>

namespace {

using fp::webrtc_serve::parse_kbps;

TEST_CASE("parse_kbps: a bitrate is a number of kbit/s, or one with k or M behind it") {
  CHECK(parse_kbps("800") == 800u);
  CHECK(parse_kbps("800k") == 800u);
  CHECK(parse_kbps("800K") == 800u);
  CHECK(parse_kbps("1.5M") == 1500u);
  CHECK(parse_kbps("50") == 50u);
  CHECK(parse_kbps("50M") == 50'000u);
}

TEST_CASE("parse_kbps: what is none, or out of range, is refused") {
  for (const char* wrong : {"", "k", "M", "49", "0.04M", "51M", "50001", "-800", "1e99", "nan", "inf", "800kk", "800 k",
                            "800kbit", "0x800"}) {
    CAPTURE(wrong);
    CHECK_FALSE(parse_kbps(wrong));
  }
}

}  // namespace
