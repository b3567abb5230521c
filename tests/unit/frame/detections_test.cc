#include "frame/detections.h"

#include <doctest/doctest.h>

namespace {

using namespace fp;
using jpeg::Geometry;
using jpeg::Turn;

Geometry half() {
  Geometry geometry = Geometry::none({640, 480});
  geometry.to = {320, 240};
  return geometry;
}
Geometry turned(Turn turn) {
  Geometry geometry = Geometry::none({640, 480});
  geometry.turn = turn;
  geometry.to = geometry.turned();
  return geometry;
}
std::string mapped(std::string_view json, const Geometry& geometry) {
  return map_detections(json, geometry).value_or("nothing");
}

TEST_CASE("map_detections: scaling scales boxes and keypoints, and keeps all else and its order") {
  CHECK(mapped(R"({"model":"m","ms":12.5,"objects":[{"label":"p","confidence":0.875,"box":[10,20,30,41],)"
               R"("keypoints":[[1,2,0.5],[3.3,4,1]]}]})",
               half()) == R"({"model":"m","ms":12.5,"objects":[{"label":"p","confidence":0.875,"box":[5,10,15,20.5],)"
                          R"("keypoints":[[0.5,1,0.5],[1.65,2,1]]}]})");
}

TEST_CASE("map_detections: numbers have two decimals at most") {
  Geometry third = Geometry::none({600, 300});
  third.to = {200, 100};
  CHECK(mapped(R"({"objects":[{"box":[100,10,50,20]}]})", third) == R"({"objects":[{"box":[33.33,3.33,16.67,6.67]}]})");
}

TEST_CASE("map_detections: turning keeps left and top the smaller ones") {
  CHECK(mapped(R"({"objects":[{"box":[10,20,30,40]}]})", turned(Turn::by_degrees(90))) ==
        R"({"objects":[{"box":[420,10,40,30]}]})");
  CHECK(mapped(R"({"objects":[{"box":[10,20,30,40]}]})", turned({.flip_x = true})) ==
        R"({"objects":[{"box":[600,20,30,40]}]})");
  CHECK(mapped(R"({"objects":[{"box":[10,20,30,40]}]})", turned(Turn::by_degrees(180))) ==
        R"({"objects":[{"box":[600,420,30,40]}]})");
}

TEST_CASE("map_detections: what was cut away goes, what is half inside is cut") {
  Geometry crop = Geometry::none({640, 480});
  crop.crop = {100, 100, 200, 200};
  crop.to = {200, 200};
  CHECK(mapped(R"({"objects":[{"box":[0,0,50,50]},{"box":[90,150,20,400],"keypoints":[[95,160,1]]},{"label":"seen"}]})",
               crop) == R"({"objects":[{"box":[0,50,10,150],"keypoints":[[-5,60,1]]},{"label":"seen"}]})");
}

TEST_CASE("map_detections: JSON without objects is JSON all the same") {
  CHECK(mapped(R"({"label":"wave","confidence":0.5})", half()) == R"({"label":"wave","confidence":0.5})");
  CHECK(mapped(R"({"objects":[]})", half()) == R"({"objects":[]})");
}

TEST_CASE("map_detections: stays ASCII") {
  CHECK(mapped("{\"model\":\"\\u00e4\"}", half()) == "{\"model\":\"\\u00e4\"}");
  CHECK(mapped("{\"model\":\"\xC3\xA4\"}", half()) == "{\"model\":\"\\u00e4\"}");
}

TEST_CASE("map_detections: what is not the JSON of detections is nothing") {
  for (const char* json :
       {"", "{", "[]", "7", "{}x", R"({"objects":7})", R"({"objects":[7]})", R"({"objects":[{"box":[1,2,3]}]})",
        R"({"objects":[{"box":["1",2,3,4]}]})", R"({"objects":[{"box":7}]})", R"({"objects":[{"box":[1e300,2,3,4]}]})",
        R"({"objects":[{"keypoints":[7]}]})", R"({"objects":[{"keypoints":[[1]]}]})", "{\"model\":\"\xFF\"}"}) {
    CAPTURE(json);
    CHECK_FALSE(map_detections(json, half()).has_value());
  }
}

TEST_CASE("map_detections: brackets without end are nothing, and no stack is lost on them") {
  const std::string deep = R"({"a":)" + std::string(30'000, '[') + std::string(30'000, ']') + "}";
  CHECK_FALSE(map_detections(deep, half()).has_value());
  CHECK_FALSE(map_detections(std::string(60'000, '['), half()).has_value());
}

}  // namespace
