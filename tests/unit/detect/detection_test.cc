#include "detect/detection.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

using namespace fp;
using namespace fp::detect;

namespace {

Object person(double confidence) {
  Object object;
  object.label = "person";
  object.confidence = confidence;
  object.box = Box{10.126, 20, 30.5, 40};
  return object;
}

}  // namespace

TEST_CASE("to_json: says model, time and objects in pixels of the frame") {
  Detections found{"yolov8n", 12.345, {person(0.91)}, ""};
  found.objects[0].keypoints = {{1.5, 2, 0.25}, {3, 4, 1}};
  CHECK(to_json(found) ==
        R"({"model":"yolov8n","ms":12.35,"objects":[{"label":"person","confidence":0.91,"box":[10.13,20,30.5,40],)"
        R"("keypoints":[[1.5,2,0.25],[3,4,1]]}]})");
}

TEST_CASE("to_json: what was recognised in a window has its times and no box") {
  Object word;
  word.label = "hello";
  word.confidence = 0.5;
  word.span = Span{WallTime(std::chrono::microseconds(1'763'688'000'123'456)),
                   WallTime(std::chrono::microseconds(1'763'688'009'000'000))};
  const auto json = nlohmann::json::parse(to_json({"signs", 3, {word}, ""}));
  const auto& object = json["objects"][0];
  CHECK_FALSE(object.contains("box"));
  CHECK(object["t_start"].get<double>() == doctest::Approx(1763688000.123456).epsilon(1e-12));
  CHECK(object["t_end"].get<double>() == doctest::Approx(1763688009.0).epsilon(1e-12));
}

TEST_CASE("to_json: the best come first, and those that do not fit are left out and that is said") {
  Detections found{"m", 1, {}, ""};
  for (int i = 0; i < 1000; ++i) found.objects.push_back(person(i / 1000.0));
  const std::string text = to_json(found);
  CHECK(text.size() <= kMostHeaderBytes);
  CHECK(text.size() > kMostHeaderBytes - 200);
  const auto json = nlohmann::json::parse(text);
  CHECK(json["truncated"] == true);
  CHECK(json["objects"][0]["confidence"].get<double>() == doctest::Approx(0.999));
  CHECK(json["objects"][1]["confidence"].get<double>() == doctest::Approx(0.998));
}

TEST_CASE("to_json: is one line of ASCII whatever a label says") {
  Object strange = person(0.5);
  strange.label = "caf\xc3\xa9\r\n\xff\"";
  const std::string text = to_json({"m", 1, {strange}, ""});
  for (const char c : text) CHECK((c >= 0x20 && c < 0x7f));
  CHECK(nlohmann::json::parse(text)["objects"][0]["label"] == "caf\xc3\xa9\r\n\xef\xbf\xbd\"");
}

TEST_CASE("to_json: numbers that are none become 0") {
  Object strange = person(std::nan(""));
  strange.box = Box{std::numeric_limits<double>::infinity(), 1e300, -1e300, 1};
  CHECK(to_json({"m", 0, {strange}, ""}).find(R"("confidence":0,"box":[0,0,0,1])") != std::string::npos);
}

TEST_CASE("parse_detections: reads what to_json wrote") {
  Detections found{"m", 2, {person(0.75)}, ""};
  found.objects[0].keypoints = {{1, 2, 0.5}};
  const auto read = parse_detections(to_json(found));
  REQUIRE(read);
  CHECK(read->model == "m");
  REQUIRE(read->objects.size() == 1);
  CHECK(read->objects[0].label == "person");
  CHECK(read->objects[0].box == Box{10.13, 20, 30.5, 40});
  REQUIRE(read->objects[0].keypoints.size() == 1);
  CHECK(read->objects[0].keypoints[0].confidence == 0.5);
}

TEST_CASE("parse_detections: refuses what is not of that shape, and leaves parts that are not") {
  for (const char* bad : {"", "[]", "{", R"({"objects":1})", R"({"model":"m"})"}) CHECK_FALSE(parse_detections(bad));
  CHECK_FALSE(parse_detections(R"({"objects":[)" + std::string(40, '[') + std::string(40, ']') + "]}"));
  const auto read = parse_detections(
      R"({"objects":[1,{"label":7,"box":[1,2,"x",4]},{"label":"a","keypoints":[[1,2],[null,1]],"box":[1,2,3]}]})");
  REQUIRE(read);
  REQUIRE(read->objects.size() == 2);
  CHECK(read->objects[0].label.empty());
  CHECK_FALSE(read->objects[0].box);
  CHECK(read->objects[1].keypoints.empty());
  CHECK_FALSE(read->objects[1].box);
}
