#include "webrtc-ingest/words.h"

#include <doctest/doctest.h>

namespace {

using namespace fp;
using namespace fp::ingest;
using namespace std::chrono_literals;
using Json = nlohmann::ordered_json;

constexpr WallTime kNoon{1'763'688'000s};

TEST_CASE("words: a result holds the child's line as it stands, with the frame's times") {
  const TimedFrame frame{7, 1'763'687'999'900.25, kNoon, {}, false};
  CHECK(result_message(&frame, kNoon + 1500us, R"({"word":"hello","x":1.50})") ==
        R"({"type":"result","frame":7,"T_start":1763687999900.250,"T_receive":1763688000000.000,)"
        R"("T_inference":1763688000001.500,"result":{"word":"hello","x":1.50}})");
  CHECK(Json::parse(result_message(nullptr, kNoon, "{}"))["frame"].is_null());
}

TEST_CASE("words: a time that is not known is null") {
  const Json json = Json::parse(received_message({3, {}, kNoon, {}, false}));
  CHECK(json["frame"] == 3);
  CHECK(json["T_start"].is_null());
  CHECK(json["T_receive"] == 1'763'688'000'000.0);
}

TEST_CASE("words: whatever a reason holds, the message is JSON") {
  const Json json = Json::parse(child_message("ended", "exit code 1: \"\\\n\x01\xFF"));
  CHECK(json["state"] == "ended");
  CHECK_FALSE(Json::parse(child_message("ready")).contains("error"));
}

TEST_CASE("words: a name that a person typed becomes one for X-Camera") {
  CHECK(camera_name("tablet 3") == "tablet-3");
  CHECK(camera_name("  Küche / links_2 ") == "K-che-links_2");
  CHECK(camera_name("\r\nX-Evil: 1") == "X-Evil-1");
  CHECK(camera_name("***").empty());
  CHECK(camera_name(std::string(100, 'a')).size() == 32);
  CHECK(camera_name(std::string(31, 'a') + " bcd") == std::string(31, 'a'));
}

}  // namespace
