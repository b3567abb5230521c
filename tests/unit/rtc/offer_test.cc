#include "rtc/offer.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "base/file.h"

namespace {

using namespace fp;
using namespace fp::rtc;

// Of tests/data/rtc, as real peers made it.
std::string real(const std::string& name) {
  const Result<Blob> file = read_file(FP_RTC_DATA "/" + name + ".sdp", kMaxSdpBytes);
  REQUIRE(file);
  return std::string(as_text(file->view()));
}
std::string without(std::string text, const std::string& what) {
  return text.replace(text.find(what), what.size(), "");
}
std::string with(std::string text, const std::string& what, const std::string& instead) {
  REQUIRE(text.find(what) != std::string::npos);
  return text.replace(text.find(what), what.size(), instead);
}
// A small offer, and `more` lines of its only m-line.
std::string small(const std::string& more = "", const std::string& formats = "96") {
  return "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\nm=video 9 UDP/TLS/RTP/SAVPF " +
         formats +
         "\r\na=mid:0\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdefghijkl\r\na=setup:actpass\r\n"
         "a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F\r\n" +
         more;
}
Description good(const std::string& sdp) {
  Result<Description> description = read_description(sdp);
  if (!description) FAIL(description.error().text);
  return *description;
}
Error bad(const std::string& sdp) {
  Result<Description> description = read_description(sdp);
  REQUIRE_FALSE(description);
  return description.error();
}
std::size_t count(const std::string& text, const std::string& what) {
  std::size_t found = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

TEST_CASE("read_description: Chromium's offer to receive video has both codecs, constrained baseline before baseline") {
  const Description description = good(real("chromium-recvonly"));
  REQUIRE(description.media.size() == 1);
  const Media* video = description.video(/*receives=*/true);
  REQUIRE(video != nullptr);
  CHECK(video->mid == "0");
  CHECK(video->receives);
  CHECK_FALSE(video->sends);
  CHECK(payload_type(*video, Codec::Vp8) == 96);
  CHECK(payload_type(*video, Codec::H264) == 108);  // 42e01f; 102 is 42001f
  CHECK(video->formats.size() == 3);
  CHECK(description.video(/*receives=*/false) == nullptr);
  CHECK(description.data() == nullptr);
}

TEST_CASE("read_description: nothing but candidates with names is taken out of Chromium's offer") {
  const std::string sdp = real("chromium-recvonly");
  const Description description = good(sdp);
  CHECK(count(sdp, ".local") == 2);
  CHECK(count(description.sdp, ".local") == 0);
  CHECK(count(description.sdp, "\n") == count(sdp, "\n") - 2);
  CHECK(count(description.sdp, "rtx/90000") > 0);
  CHECK(count(description.sdp, "ulpfec/90000") == 1);
}

TEST_CASE("read_description: candidates with addresses in figures stay, also those for TCP") {
  const std::string sdp = real("chromium-camera");
  CHECK(good(sdp).sdp == sdp);
  CHECK(count(sdp, " tcp ") > 0);
}

TEST_CASE("read_description: a camera's offer sends and receives") {
  const Description description = good(real("chromium-camera"));
  const Media* video = description.video(/*receives=*/false);
  REQUIRE(video != nullptr);
  CHECK(video->sends);
  CHECK(video->receives);
  CHECK(payload_type(*video, Codec::Vp8).has_value());
}

TEST_CASE("read_description: audio, video and data channels of one offer are told apart") {
  const Description description = good(real("chromium-audio-video"));
  REQUIRE(description.media.size() == 3);
  CHECK(description.media[0].kind == Media::Kind::Audio);
  CHECK(description.media[0].formats.empty());
  CHECK(description.video(true) == &description.media[1]);
  CHECK(description.data() == &description.media[2]);
  CHECK(description.data()->mid == "2");
}

TEST_CASE("read_description: data channels alone, in the newer and the older form") {
  for (const char* name : {"chromium-data", "aiortc-data"}) {
    const Description description = good(real(name));
    CHECK(description.data() != nullptr);
    CHECK(description.video(true) == nullptr);
  }
}

TEST_CASE("read_description: an offer without any m-line is one, and so is our answer to it") {
  CHECK(good(real("chromium-empty")).media.empty());
  CHECK(good(empty_answer()).media.empty());
}

TEST_CASE("read_description: Chromium's answer") {
  const Description description = good(real("chromium-answer"));
  REQUIRE(description.video(true) != nullptr);
  CHECK(payload_type(*description.video(true), Codec::Vp8) == 96);
}

TEST_CASE("read_description: aiortc's offer, whose second H.264 is the one with the constraint") {
  const Description description = good(real("aiortc-recvonly"));
  REQUIRE(description.video(true) != nullptr);
  CHECK(payload_type(*description.video(true), Codec::Vp8) == 97);
  CHECK(payload_type(*description.video(true), Codec::H264) == 101);
}

TEST_CASE("read_description: lines may end in LF alone, and all end in CRLF then") {
  const std::string sdp = small("a=x-something:of no concern\r\n");
  std::string lines;
  for (const char c : sdp) {
    if (c != '\r') lines += c;
  }
  CHECK(good(lines).sdp == sdp);
  lines.pop_back();  // also the last one
  CHECK(good(lines).sdp == sdp);
}

TEST_CASE("read_description: which H.264 we can send and receive") {
  const auto taken = [](const std::string& parameters) {
    const std::string fmtp = parameters.empty() ? "" : "a=fmtp:96 " + parameters + "\r\n";
    const Description description = good(small("a=rtpmap:96 H264/90000\r\n" + fmtp));
    return payload_type(description.media.at(0), Codec::H264).has_value();
  };
  CHECK(taken("packetization-mode=1;profile-level-id=42e01f"));
  CHECK(taken("profile-level-id=42C01F; Packetization-Mode=1"));
  CHECK(taken("packetization-mode=1;profile-level-id=42401f"));
  CHECK(taken("packetization-mode=1;profile-level-id=42001f"));
  CHECK(taken("packetization-mode=1"));
  CHECK_FALSE(taken(""));
  CHECK_FALSE(taken("packetization-mode=0;profile-level-id=42e01f"));
  CHECK_FALSE(taken("packetization-mode=1;profile-level-id=4d001f"));
  CHECK_FALSE(taken("packetization-mode=1;profile-level-id=640c1f"));
  CHECK_FALSE(taken("packetization-mode=1;profile-level-id=42e0"));
  CHECK_FALSE(taken("packetization-mode=1;profile-level-id=42e01g"));
}

TEST_CASE("read_description: a payload type that the m-line does not have is no format") {
  CHECK(good(small("a=rtpmap:97 VP8/90000\r\n")).media.at(0).formats.empty());
  CHECK(good(small("a=rtpmap:96 vp8/90000\r\n")).media.at(0).formats.size() == 1);
}

TEST_CASE("read_description: the direction of the session holds where an m-line has none, and else both ways") {
  CHECK(good(small()).media.at(0).sends);
  CHECK(good(small()).media.at(0).receives);
  const Media recvonly = good(with(small(), "t=0 0\r\n", "t=0 0\r\na=recvonly\r\n")).media.at(0);
  CHECK(recvonly.receives);
  CHECK_FALSE(recvonly.sends);
  const Media sendonly = good(with(small("a=sendonly\r\n"), "t=0 0\r\n", "t=0 0\r\na=recvonly\r\n")).media.at(0);
  CHECK(sendonly.sends);
  CHECK_FALSE(sendonly.receives);
}

TEST_CASE("read_description: an m-line with port 0 is rejected unless it only waits for its bundle") {
  const Description rejected = good(with(small(), "video 9", "video 0"));
  CHECK(rejected.media.at(0).rejected);
  CHECK(rejected.video(true) == nullptr);
  CHECK(good(with(small("a=bundle-only\r\n"), "video 9", "video 0")).video(true) != nullptr);
}

TEST_CASE("read_description: ICE, fingerprint and setup may stand before the first m-line") {
  std::string sdp = small();
  for (const std::string line : {"a=ice-ufrag:abcd\r\n", "a=ice-pwd:0123456789abcdefghijkl\r\n", "a=setup:actpass\r\n",
                                 "a=fingerprint:sha-256 00:01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F\r\n"}) {
    const Error missing = bad(without(sdp, line));
    CHECK(missing.kind == Error::Kind::Malformed);
    CHECK(missing.text.find("m-line 1 has no a=") == 0);
    sdp = with(without(sdp, line), "t=0 0\r\n", "t=0 0\r\n" + line);
    CHECK(good(sdp).media.size() == 1);
  }
}

TEST_CASE("read_description: what webrtcbin would end the program over, or could not answer, is refused in words") {
  const std::string second = small().substr(small().find("m=video"));
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "the SDP is empty"},
      {small("a=ssrc:0 cname:x\r\n"), "m-line 1 has an a=ssrc that cannot be read"},
      {small("a=ssrc:4294967296 cname:x\r\n"), "m-line 1 has an a=ssrc that cannot be read"},
      {"hello", R"(line 1 of the SDP is not "x=...": hello)"},
      {without(small(), "v=0\r\n"), R"(an SDP begins with "v=0")"},
      {without(small(), "o=- 1 2 IN IP4 127.0.0.1\r\n"), "the SDP has no o= line"},
      {with(small(), "o=- 1 2", "o=- 1"), R"(an SDP needs one "o=NAME ID VERSION IN IP4 ADDRESS")"},
      {without(small(), "a=mid:0\r\n"), "m-line 1 has no a=mid"},
      {with(small(), "a=mid:0", "a=mid:"), "m-line 1 has an a=mid that cannot be read, or two"},
      {small("a=mid:1\r\n"), "m-line 1 has an a=mid that cannot be read, or two"},
      {small(second), "m-line 2 has the a=mid of another one"},
      {with(small(), "BUNDLE 0", "BUNDLE 0 1"), "the BUNDLE group has a mid that no m-line has: 1"},
      {with(small(), "a=group:", "a=group:BUNDLE 0\r\na=group:"), "the SDP has two BUNDLE groups"},
      {with(small(), "a=ice-ufrag:abcd", "a=ice-ufrag:a b"), "m-line 1 has an a=ice-ufrag that cannot be read"},
      {small("a=ice-ufrag:efgh\r\n"), "m-line 1 has a=ice-ufrag twice"},
      {with(small(), "00:01", "0001"), "m-line 1 has an a=fingerprint that cannot be read"},
      {with(small(), "actpass", "holdconn"), "m-line 1 has an a=setup that cannot be read"},
      {small("a=recvonly\r\na=sendrecv\r\n"), "m-line 1 has two directions"},
      {with(small(), "video 9", "video x"), R"(m-line 1 is not "m=KIND PORT PROTOCOL FORMAT...")"},
      {with(small(), "SAVPF 96", "SAVPF"), R"(m-line 1 is not "m=KIND PORT PROTOCOL FORMAT...")"},
      {small("", "96 128"), "m-line 1 has a payload type twice, or one that is no number from 0 to 127: 128"},
      {small("", "96 97 96"), "m-line 1 has a payload type twice, or one that is no number from 0 to 127: 96"},
      {without(real("chromium-data"), "a=sctp-port:5000\r\n"), "m-line 1 has no a=sctp-port"},
      {with(real("chromium-data"), "sctp-port:5000", "sctp-port:0"), "m-line 1 has an a=sctp-port that cannot be read"},
      {small("a=x:\xff\r\n"), "the SDP is not UTF-8"},
      {small("a=x:\x01\r\n"), "line 12 of the SDP has a control character"},
      {with(small(), "s=-", std::string("s=\0", 3)), "line 3 of the SDP has a control character"},
      {small("a=x:1\ra=y:2\r\n"), "line 12 of the SDP has a control character"},
  };
  for (const auto& [sdp, why] : cases) {
    const Error error = bad(sdp);
    CHECK(error.kind == Error::Kind::Malformed);
    CHECK(error.text == why);
  }
}

TEST_CASE("read_description: what is too large is refused") {
  CHECK(bad(small(std::string(kMaxSdpBytes, 'a'))).kind == Error::Kind::TooLarge);
  const std::string line = small().substr(small().find("m=video"));
  std::string lines;
  for (std::size_t i = 1; i <= kMaxMediaLines; ++i) {
    std::string mid = "a=mid:";
    mid += std::to_string(i);
    if (i == kMaxMediaLines) {
      CHECK(good(small(lines)).media.size() == kMaxMediaLines);
    }
    lines += with(line, "a=mid:0", mid);
  }
  CHECK(bad(small(lines)).kind == Error::Kind::TooLarge);
}

TEST_CASE("read_description: at most kMaxCandidates candidates are kept") {
  std::string lines;
  for (std::size_t i = 0; i < kMaxCandidates + 10; ++i) {
    lines += "a=candidate:1 1 udp 1 192.0.2.1 " + std::to_string(i) + " typ host\r\n";
  }
  CHECK(count(good(small(lines)).sdp, "a=candidate:") == kMaxCandidates);
}

TEST_CASE("usable_candidate: addresses in figures are, names are not") {
  CHECK(usable_candidate("candidate:1 1 udp 2122194687 192.0.2.2 44721 typ host generation 0 network-id 1"));
  CHECK(usable_candidate("a=candidate:f/+9 1 UDP 1 2001:db8::1 1 typ srflx raddr 0.0.0.0 rport 0 ufrag abcd"));
  CHECK(usable_candidate("candidate:1 1 tcp 1518214911 192.0.2.2 9 typ host tcptype active"));
  for (const char* candidate : {
           "",
           "candidate:",
           "candidate:1 1 udp 1 6f50-4a27.local 1 typ host",
           "candidate:1 1 udp 1 example.org 1 typ host",
           "candidate:1 1 udp 1 192.0.2.1 1 typ srflx raddr example.org rport 1",
           "candidate:1 1 udp 1 192.0.2.1 1 typ srflx raddr 192.0.2.1 rport 65536",
           "candidate:1 1 udp 1 192.0.2.256 1 typ host",
           "candidate:1 1 udp 1 fe80::1%eth0 1 typ host",
           "candidate:1 1 udp 1 192.0.2.1 65536 typ host",
           "candidate:1 1 udp 1 192.0.2.1 -1 typ host",
           "candidate:1 1 udp 4294967296 192.0.2.1 1 typ host",
           "candidate:1 1 udp 0 192.0.2.1 1 typ host",
           "candidate:1 0 udp 1 192.0.2.1 1 typ host",
           "candidate:1 2 udp 1 192.0.2.1 1 typ host",
           "candidate:1 1 tcp 1518214911 192.0.2.2 9 typ host",
           "candidate:1 1 sctp 1 192.0.2.1 1 typ host",
           "candidate:1 1 udp 1 192.0.2.1 1 typ other",
           "candidate:1 1 udp 1 192.0.2.1 1 host typ",
           "candidate:1 1 udp 1 192.0.2.1 1 typ host generation",
           "candidate: 1 udp 1 192.0.2.1 1 typ host",
           "candidate:1  1 udp 1 192.0.2.1 1 typ host",
           "candidate:1 1 udp 1 192.0.2.1 1 typ host x y\r\na=z:1",
           "candidate:1 1 udp 1 192.0.2.1 1 typ host x \xff",
       }) {
    CHECK_MESSAGE(!usable_candidate(candidate), candidate);
  }
  CHECK_FALSE(usable_candidate("candidate:1 1 udp 1 192.0.2.1 1 typ host x " + std::string(kMaxCandidateBytes, 'y')));
}

}  // namespace
