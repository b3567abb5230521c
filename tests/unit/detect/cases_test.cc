// The decoding of every layout against the reference of tests/support/reference.py, number by number.
#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "detect/detector.h"
#include "detect/networks.h"
#include "jpeg/decoder.h"
#include "support/io.h"
#include "support/make_frame.h"

// The library leaves a few bytes of its own behind, once in a process. LeakSanitizer cannot tell them from what we
// might forget to give back to it.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libonnxruntime"; }

using namespace fp;
using namespace fp::detect;
using Json = nlohmann::json;

namespace {

// Absolute below 1, else relative.
void check_near(double got, double wanted) { CHECK(std::abs(got - wanted) <= 1e-4 * std::max(1.0, std::abs(wanted))); }

void check_object(const Object& got, const Json& wanted) {
  check_near(got.confidence, wanted["confidence"]);
  if (wanted["label"].is_string() && !wanted["label"].get<std::string>().starts_with("thing ")) {
    CHECK(got.label == wanted["label"].get<std::string>());
  } else if (wanted["label"].is_string()) {
    CHECK(got.label ==
          "class " + std::to_string(wanted["class"].get<int>()));  // names of a file that is not given here
  }
  REQUIRE(got.box);
  const Box& box = *got.box;
  const Json& right = wanted["box"];
  check_near(box.x, right[0]);
  check_near(box.y, right[1]);
  check_near(box.width_px, right[2]);
  check_near(box.height_px, right[3]);
  const Json keypoints = wanted.value("keypoints", Json::array());
  REQUIRE(got.keypoints.size() == keypoints.size());
  for (std::size_t i = 0; i < keypoints.size(); ++i) {
    check_near(got.keypoints[i].x, keypoints[i][0]);
    check_near(got.keypoints[i].y, keypoints[i][1]);
    check_near(got.keypoints[i].confidence, keypoints[i][2]);
  }
}

void check_case(const std::filesystem::path& folder, const Json& given, bool by_name) {
  ModelOptions options;
  options.path = folder / given["model"].get<std::string>();
  if (by_name) options.layout = parse_layout(given["layout"].get<std::string>());
  if (given.contains("keypoints")) options.keypoints = given["keypoints"].get<int>();
  auto model = open_model(options);
  REQUIRE_MESSAGE(model, model.error().text);
  CHECK(std::string(name_of(model->layout)) == given["layout"].get<std::string>());
  CHECK(model->input == jpeg::Size{given["input"][0], given["input"][1]});

  const FramePtr frame = fp::test::make_frame(1, fp::test::read_file(folder / given["picture"].get<std::string>()));
  const auto detector = make_network_detector(std::move(*model), {given["confidence"], given["iou"]});
  const auto picture = jpeg::Decoder().decode(frame->jpeg.view(), detector->size_for(*frame));
  REQUIRE(picture);
  const auto found = detector->find({*frame, *picture});
  REQUIRE_MESSAGE(found, found.error().text);
  const Json& wanted = given["objects"];
  REQUIRE(found->size() == wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) check_object((*found)[i], wanted[i]);
}

}  // namespace

TEST_CASE("networks of every layout: what is found is what the reference finds, to 1e-4") {
  const std::filesystem::path folder = fp::test::networks();
  std::set<std::string> layouts;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".json") continue;
    const Json given = Json::parse(fp::test::read_file(entry.path()));
    if (!given.contains("objects")) continue;
    CAPTURE(entry.path().filename().string());
    for (const bool by_name : {false, true}) check_case(folder, given, by_name);
    layouts.insert(given["layout"].get<std::string>());
  }
  CHECK(layouts == std::set<std::string>{"yolov5", "yolov8", "yolov8-pose", "yolox", "blazeface", "rtmpose"});
}
