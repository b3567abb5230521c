#include "serve/detection_json.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "serve/detections_of.h"
#include "support/make_frame.h"

namespace {

using namespace fp;

Frame frame_with(const std::vector<std::string>& detections) {
  Frame frame = *test::make_frame(1);
  for (const std::string& json : detections) frame.extra.push_back({"X-Detections", json});
  return frame;
}

TEST_CASE("detections_json: all that a frame carries, in their order") {
  CHECK(detections_json(frame_with({})) == "[]");
  CHECK(detections_json(frame_with({R"({"model":"a","objects":[]})", R"({ "model" : "b" })"})) ==
        R"([{"model":"a","objects":[]},{"model":"b"}])");
}

TEST_CASE("detections_json: what cannot be read is left out, and the rest stays") {
  for (const std::string& bad :
       {std::string("{"), std::string("}"), std::string("[1]"), std::string("\"text\""), std::string("{} {}"),
        std::string("{\"a\":1}\nevent: figures"), std::string(), std::string(60'000, '['),
        "{\"a\":" + std::string(40, '[') + std::string(40, ']') + "}"}) {
    CAPTURE(bad.substr(0, 40));
    CHECK(detections_json(frame_with({bad, R"({"model":"b"})"})) == R"([{"model":"b"}])");
  }
}

TEST_CASE("detections_json: is one line of ASCII, whatever the labels are") {
  CHECK(detections_json(frame_with({"{\"label\":\"caf\xC3\xA9\\n\"}"})) == "[{\"label\":\"caf\\u00e9\\n\"}]");
}

TEST_CASE("detection_error: is what the last header tells, in words") {
  CHECK_FALSE(detection_error(frame_with({})));
  CHECK_FALSE(detection_error(frame_with({R"({"model":"a","objects":[]})"})));
  CHECK(detection_error(frame_with({R"({"model":"b"})", R"({"error":"too small"})"})) == "too small");
  CHECK_FALSE(detection_error(frame_with({R"({"error":"of another"})", R"({"model":"b"})"})));
  CHECK_FALSE(detection_error(frame_with({R"({"error":"of another"})", "{"})));
  for (const char* none : {R"({"error":7})", R"({"error":null})", R"({"error":""})", R"({"error":{"a":1}})"}) {
    CAPTURE(none);
    CHECK_FALSE(detection_error(frame_with({none})));
  }
}

TEST_CASE("adds_detections: a header that was there before is no news") {
  CHECK_FALSE(adds_detections(frame_with({}), frame_with({})));
  CHECK_FALSE(adds_detections(frame_with({"{}"}), frame_with({"{}"})));
  CHECK_FALSE(adds_detections(frame_with({}), frame_with({"{}"})));
  CHECK(adds_detections(frame_with({"{}"}), frame_with({})));
  CHECK(adds_detections(frame_with({"{}", "{}"}), frame_with({"{}"})));
  CHECK(adds_detections(frame_with({R"({"model":"b"})"}), frame_with({"{}"})));
}

}  // namespace
