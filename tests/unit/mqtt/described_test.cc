#include "mqtt/described.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "support/make_frame.h"

namespace {

using namespace fp;
using Json = nlohmann::json;

TEST_CASE("detections_message: says of which frame it speaks, and what every detector has found") {
  Frame frame = *test::make_frame(7);
  frame.extra = {{"X-Detections", R"({"model":"a","objects":[{"label":"person","confidence":0.9}]})"},
                 {"X-Other", "{}"},
                 {"x-detections", R"({"model":"b","objects":[]})"}};
  const auto text = mqtt::detections_message(frame, "door");
  REQUIRE(text.has_value());
  CHECK(text->find('\n') == std::string::npos);
  const Json json = Json::parse(*text);
  CHECK(json["camera"] == "door");
  CHECK(json["timestamp"] == 1'763'688'000.0);
  CHECK(json["sequence"] == 7);
  CHECK(json["width"] == 48);
  CHECK(json["height"] == 32);
  REQUIRE(json["detections"].size() == 2);
  CHECK(json["detections"][0]["objects"][0]["label"] == "person");
  CHECK(json["detections"][1]["model"] == "b");
}

TEST_CASE("detections_message: nothing is said of a frame that nobody has looked at, or of what is no JSON") {
  Frame frame = *test::make_frame(7);
  CHECK_FALSE(mqtt::detections_message(frame, "door").has_value());
  frame.extra = {{"X-Detections", "[1,2]"}, {"X-Detections", "{"}};
  CHECK_FALSE(mqtt::detections_message(frame, "door").has_value());
}

TEST_CASE("discovery_message: names the camera's topics, and an id that no camera of another prefix has") {
  const auto url = mqtt::parse_url("mqtt://me:secret@b/site/hall/door").value();
  const std::string text = mqtt::discovery_message(url, "door", "1.2.3");
  CHECK(text.find("secret") == std::string::npos);
  const Json json = Json::parse(text);
  CHECK(json["topic"] == "site/hall/door/frame");
  CHECK(json["availability_topic"] == "site/hall/door/status");
  CHECK(json["json_attributes_topic"] == "site/hall/door/detections");
  CHECK(json["payload_available"] == "online");
  CHECK(json["unique_id"] == "framepipe_site_hall_door");
  CHECK(json["device"]["sw_version"] == "1.2.3");
  CHECK(mqtt::discovery_topic("homeassistant", url, "door") == "homeassistant/camera/framepipe_site_hall_door/config");
}

}  // namespace
