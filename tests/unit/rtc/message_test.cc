#include "rtc/message.h"

#include <doctest/doctest.h>

#include <string>

#include "rtc/offer.h"

namespace {

using namespace fp;
using namespace fp::rtc;

template <typename T>
T read(const std::string& text) {
  Result<Message> message = parse_message(text);
  if (!message) FAIL(message.error().text);
  const T* wanted = std::get_if<T>(&*message);
  REQUIRE(wanted != nullptr);
  return *wanted;
}
Error bad(const std::string& text) {
  Result<Message> message = parse_message(text);
  REQUIRE_FALSE(message);
  return message.error();
}

TEST_CASE("parse_message: offers and answers, also as simple-peer wraps them") {
  CHECK(read<message::Offer>(R"({"type":"offer","sdp":"v=0\r\n"})").sdp == "v=0\r\n");
  CHECK(read<message::Answer>(R"({"sdp":"v=0","type":"answer","more":[1]})").sdp == "v=0");
  CHECK(read<message::Offer>(R"({"signal":{"type":"offer","sdp":"v=0"},"to":"x"})").sdp == "v=0");
}

TEST_CASE("parse_message: a candidate is a string, an object or null, with or without a type") {
  const Candidate object = read<Candidate>(
      R"({"type":"ice-candidate","candidate":{"candidate":"candidate:1","sdpMid":"0","sdpMLineIndex":2,"usernameFragment":"x"}})");
  CHECK(object.text == "candidate:1");
  CHECK(object.mid == "0");
  CHECK(object.line_index == 2U);
  const Candidate string =
      read<Candidate>(R"({"type":"candidate","candidate":"candidate:1","sdpMid":"a","sdpMLineIndex":null})");
  CHECK(string.text == "candidate:1");
  CHECK(string.mid == "a");
  CHECK_FALSE(string.line_index);
  CHECK(read<Candidate>(R"({"candidate":{"candidate":"candidate:1","sdpMid":null,"sdpMLineIndex":0}})").line_index ==
        0U);
  CHECK(read<Candidate>(R"({"signal":{"candidate":{"candidate":"candidate:1"}}})").text == "candidate:1");
  CHECK(read<Candidate>(R"({"type":"ice-candidate","candidate":null})").text.empty());
  CHECK(read<Candidate>(R"({"candidate":{"candidate":"","sdpMid":"0"}})").text.empty());
}

TEST_CASE("parse_message: what only one program knows is handed on whole") {
  const message::Other hello = read<message::Other>(R"({"type":"hello","name":"tablet 3"})");
  CHECK(hello.type == "hello");
  CHECK(hello.body["name"] == "tablet 3");
  CHECK(read<message::Other>(R"({"renegotiate":true})").type == "renegotiate");
  CHECK(read<message::Other>(R"({"type":"renegotiate","renegotiate":true})").type == "renegotiate");
  const message::Other request = read<message::Other>(R"({"transceiverRequest":{"kind":"video"}})");
  CHECK(request.type == "transceiverRequest");
  CHECK(request.body["transceiverRequest"]["kind"] == "video");
}

TEST_CASE("parse_message: a ping's time comes back as it was, with the server's") {
  const message::Ping ping = read<message::Ping>(R"({"type":"ping","t":1700000000123.25})");
  CHECK(pong_message(ping, 1.5) == R"({"type":"pong","t":1700000000123.25,"server":1.5})");
  CHECK(pong_message(read<message::Ping>(R"({"type":"ping","t":7})"), 1.5) == R"({"type":"pong","t":7,"server":1.5})");
  CHECK_NOTHROW(read<message::Bye>(R"({"type":"bye"})"));
}

TEST_CASE("parse_message: what is not a message is refused in words for who wrote it") {
  for (const char* text : {"", "hello", "[]", "\"offer\"", "{", R"({"type":"offer","sdp":"\ud800"})", "{}{}"}) {
    CHECK(bad(text).text == "a message is one JSON object, nested no deeper than 32");
  }
  CHECK(bad("{\"type\":\"hello\",\"x\":" + std::string(40, '[') + std::string(40, ']') + "}").text ==
        "a message is one JSON object, nested no deeper than 32");
  CHECK(bad("{}").text == R"(a message needs "type": "offer", "answer", "ice-candidate", "ping", "bye" ...)");
  CHECK(bad(R"({"sdp":"v=0"})").text == R"(an "sdp" needs "type": "offer" or "answer" beside it)");
  CHECK(bad(R"({"type":7})").text == R"("type" is a string of 1 to 64 bytes)");
  CHECK(bad(R"({"type":""})").text == R"("type" is a string of 1 to 64 bytes)");
  CHECK(bad(R"({"type":"offer"})").text == R"(an "offer" needs "sdp", a string)");
  CHECK(bad(R"({"type":"answer","sdp":{}})").text == R"(an "answer" needs "sdp", a string)");
  CHECK(bad(R"({"type":"ping"})").text == R"(a "ping" needs "t", a number)");
  CHECK(bad(R"({"type":"ping","t":"1"})").text == R"(a "ping" needs "t", a number)");
  CHECK(bad(R"({"type":"ice-candidate"})").text ==
        R"(an "ice-candidate" needs "candidate": a string, an RTCIceCandidate's object or null)");
  for (const char* text : {R"({"candidate":7})", R"({"candidate":{}})", R"({"candidate":{"candidate":null}})"}) {
    CHECK(bad(text).text == R"("candidate" is a string, an RTCIceCandidate's object or null)");
  }
  CHECK(bad(R"({"candidate":"x","sdpMid":0})").text == R"("sdpMid" is a string of at most 64 bytes)");
  for (const char* index : {"-1", "65536", "0.5", "\"0\""}) {
    CHECK(bad(R"({"candidate":"x","sdpMLineIndex":)" + std::string(index) + "}").text ==
          R"("sdpMLineIndex" is a whole number from 0 to 65535)");
  }
}

TEST_CASE("parse_message: what is too large is refused") {
  CHECK(bad(R"({"type":"offer","sdp":")" + std::string(kMaxSdpBytes + 1, 'v') + "\"}").kind == Error::Kind::TooLarge);
  CHECK(bad(R"({"candidate":")" + std::string(kMaxCandidateBytes + 1, 'c') + "\"}").kind == Error::Kind::TooLarge);
}

TEST_CASE("messages: what is written is what is read") {
  CHECK(description_message("offer", "v=0\r\n") == R"({"type":"offer","sdp":"v=0\r\n"})");
  CHECK(candidate_message({"candidate:1", "0", 0U}) ==
        R"({"type":"ice-candidate","candidate":{"candidate":"candidate:1","sdpMid":"0","sdpMLineIndex":0}})");
  CHECK(candidate_message({"candidate:1", "", {}}) ==
        R"({"type":"ice-candidate","candidate":{"candidate":"candidate:1","sdpMid":null,"sdpMLineIndex":null}})");
  CHECK(error_message("a \"word\"") == R"({"type":"error","error":"a \"word\""})");
  CHECK(error_message("\xff") == "{\"type\":\"error\",\"error\":\"\xef\xbf\xbd\"}");
  CHECK(read<Candidate>(candidate_message({"candidate:1", "m", 3U})).line_index == 3U);
}

}  // namespace
