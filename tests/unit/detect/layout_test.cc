#include "detect/layout.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

using namespace fp;
using namespace fp::detect;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Outputs of a network, with their numbers: 0 at first.
class Outputs {
 public:
  float* add(const std::string& name, const Shape& shape) {
    std::size_t count = 1;
    for (const std::int64_t side : shape) count *= static_cast<std::size_t>(side);
    values_.push_back(std::vector<float>(count));
    tensors_.push_back({name, shape, values_.back()});
    return values_.back().data();
  }
  [[nodiscard]] const std::vector<Tensor>& tensors() const { return tensors_; }

 private:
  std::vector<std::vector<float>> values_;  // each stays where it is when this grows: moved vectors keep their numbers
  std::vector<Tensor> tensors_;
};

ModelFacts facts_of(jpeg::Size input, const std::vector<std::pair<std::string, Shape>>& outputs) {
  ModelFacts facts;
  facts.input = input;
  for (const auto& [name, shape] : outputs) facts.outputs.push_back({name, shape, {}});
  return facts;
}

ModelFacts facts_of(jpeg::Size input, const Shape& shape) { return facts_of(input, {{"output0", shape}}); }

constexpr jpeg::Size kUsual{640, 640};
constexpr jpeg::Size kSmall{64, 64};  // 84 places on three grids, 85 on four

Candidate candidate_of(int class_index, double confidence, const Box& box) {
  return {class_index, confidence, box, {}};
}

}  // namespace

TEST_CASE("parse_layout: every name goes there and back, and nothing else is one") {
  for (const char* name : {"yolov5", "yolov8", "yolov8-pose", "yolox", "blazeface", "rtmpose", "sequence"}) {
    CAPTURE(name);
    REQUIRE(parse_layout(name));
    CHECK(std::string(name_of(*parse_layout(name))) == name);
  }
  for (const char* name : {"auto", "", "YOLOv8", "yolo"}) CHECK_FALSE(parse_layout(name));
}

TEST_CASE("recognise: the shapes that exports have") {
  CHECK(recognise(facts_of(kUsual, {1, 84, 8400})).value() == Layout::YoloV8);
  CHECK(recognise(facts_of(kUsual, {1, 5, 8400})).value() == Layout::YoloV8);
  CHECK(recognise(facts_of(kUsual, {1, 25200, 85})).value() == Layout::YoloV5);
  CHECK(recognise(facts_of({1280, 1280}, {1, 102000, 85})).value() == Layout::YoloV5);  // four grids
  CHECK(recognise(facts_of(kUsual, {1, 8400, 85})).value() == Layout::YoloX);
  CHECK(recognise(facts_of(kUsual, {1, 56, 8400})).value() == Layout::YoloV8Pose);
  CHECK(recognise(facts_of({192, 256}, {{"simcc_x", {1, 17, 384}}, {"simcc_y", {1, 17, 512}}})).value() ==
        Layout::RtmPose);
  CHECK(recognise(facts_of({192, 256}, {{"b", {1, 17, 512}}, {"a", {1, 17, 384}}})).value() == Layout::RtmPose);
  CHECK(recognise(
            facts_of({256, 256}, {{"d", {1, 384, 16}}, {"b", {1, 512, 16}}, {"c", {1, 384, 1}}, {"a", {1, 512, 1}}}))
            .value() == Layout::BlazeFace);
  // A network that cuts out shapes has their masks as a second output.
  CHECK(recognise(facts_of(kUsual, {{"output0", {1, 116, 8400}}, {"output1", {1, 32, 160, 160}}})).value() ==
        Layout::YoloV8);
}

TEST_CASE("recognise: what goes in decides between a window and a picture") {
  ModelFacts facts = facts_of(kSmall, {1, 5});
  CHECK_FALSE(recognise(facts));  // a classifier of pictures
  facts.window = true;
  CHECK(recognise(facts).value() == Layout::Sequence);
  ModelFacts detector = facts_of(kSmall, {1, 7, 84});
  detector.window = true;
  CHECK_FALSE(recognise(detector));
}

TEST_CASE("recognise: 56 rows are a body's pose, unless the user or the model says how many keypoints there are") {
  ModelFacts facts = facts_of(kUsual, {1, 56, 8400});
  facts.keypoints = 21;
  CHECK(recognise(facts).value() == Layout::YoloV8);
  facts = facts_of(kUsual, {1, 68, 8400});
  CHECK(recognise(facts).value() == Layout::YoloV8);
  facts.keypoints = 21;
  CHECK(recognise(facts).value() == Layout::YoloV8Pose);
  facts.keypoints.reset();
  facts.pose = true;
  CHECK(recognise(facts).value() == Layout::YoloV8Pose);
  CHECK(keypoints_of(Layout::YoloV8Pose, facts) == 21);
}

TEST_CASE("recognise: as many rows as places is read as YOLOv8, and as YOLOX by name") {
  const ModelFacts facts = facts_of(kSmall, {1, 84, 84});
  CHECK(recognise(facts).value() == Layout::YoloV8);
  CHECK(check_layout(Layout::YoloX, facts));
  CHECK(classes_of(Layout::YoloV8, facts) == 80);
  CHECK(classes_of(Layout::YoloX, facts) == 79);
}

TEST_CASE("recognise: what fits nothing is refused with its shapes and what there is") {
  for (const Shape& shape : std::vector<Shape>{{1, 83, 86}, {1, 3, 5, 7}, {1, 10}, {84}, {}, {2, 84, 84}, {1, 4, 84}}) {
    const auto layout = recognise(facts_of(kSmall, shape));
    CAPTURE(to_text(shape));
    REQUIRE_FALSE(layout);
    CHECK(layout.error().kind == Error::Kind::Unsupported);
    CHECK(layout.error().text.find("output0 " + to_text(shape) + " for an input of 64x64") != std::string::npos);
    CHECK(layout.error().text.find("yolov8 1x(4+classes)xN") != std::string::npos);
  }
  CHECK_FALSE(recognise(facts_of(kSmall, std::vector<std::pair<std::string, Shape>>{})));
}

TEST_CASE("check_layout: a layout that was asked for must have what is read of it") {
  CHECK(check_layout(Layout::YoloV8, facts_of(kSmall, {1, 7, 5})));  // grids of its own
  for (const Layout layout : {Layout::YoloV5, Layout::YoloV8, Layout::YoloV8Pose, Layout::YoloX, Layout::BlazeFace,
                              Layout::RtmPose, Layout::Sequence}) {
    CAPTURE(name_of(layout));
    const auto fits = check_layout(layout, facts_of(kSmall, {1, 3, 3}));
    REQUIRE_FALSE(fits);
    CHECK(fits.error().text.find(name_of(layout)) != std::string::npos);
  }
  // Faces of one network and boxes of two pictures.
  CHECK_FALSE(check_layout(
      Layout::BlazeFace,
      facts_of({256, 256}, {{"a", {2, 512, 1}}, {"b", {1, 512, 16}}, {"c", {1, 384, 1}}, {"d", {1, 384, 16}}})));
  // Keypoints that are not those of the other axis.
  CHECK_FALSE(
      check_layout(Layout::RtmPose, facts_of({192, 256}, {{"simcc_x", {1, 17, 384}}, {"simcc_y", {1, 16, 512}}})));
}

TEST_CASE("decode: a column of YOLOv8 is a box around its middle, of the surest class") {
  Outputs outputs;
  float* const values = outputs.add("output0", {1, 7, 84});
  const auto at = [&](int row, int column) -> float& { return values[row * 84 + column]; };
  at(0, 3) = 20;
  at(1, 3) = 30;
  at(2, 3) = 8;
  at(3, 3) = 6;
  at(5, 3) = 0.75F;
  at(6, 3) = 0.5F;
  const auto found = decode(Layout::YoloV8, outputs.tensors(), kSmall, 0.25, 3);
  REQUIRE(found.size() == 1);
  CHECK(found[0].class_index == 1);
  CHECK(found[0].confidence == doctest::Approx(0.75));
  CHECK(found[0].box == Box{16, 27, 8, 6});
  // Rows behind the classes are of another kind: those of masks, say.
  CHECK(decode(Layout::YoloV8, outputs.tensors(), kSmall, 0.25, 1).empty());
}

TEST_CASE("decode: a row of YOLOv5 is as sure as its two numbers together") {
  Outputs outputs;
  float* const values = outputs.add("output", {1, 252, 7});
  const std::vector<float> row = {20, 30, 8, 6, 0.5F, 0.1F, 0.8F};
  std::copy(row.begin(), row.end(), values + 7 * 9);
  const auto found = decode(Layout::YoloV5, outputs.tensors(), kSmall, 0.25, 2);
  REQUIRE(found.size() == 1);
  CHECK(found[0].class_index == 1);
  CHECK(found[0].confidence == doctest::Approx(0.4));
  CHECK(found[0].box == Box{16, 27, 8, 6});
  CHECK(decode(Layout::YoloV5, outputs.tensors(), kSmall, 0.45, 2).empty());
}

TEST_CASE("decode: a row of YOLOX counts from its place on the grid") {
  Outputs outputs;
  float* const values = outputs.add("output", {1, 84, 6});
  // Behind 64 places of 8 pixels: column 1, row 2 of the grid of 16.
  const std::vector<float> row = {0.5F, 0.25F, 0, std::log(2.0F), 0.9F, 1};
  std::copy(row.begin(), row.end(), values + std::ptrdiff_t{6} * (64 + 2 * 4 + 1));
  const auto found = decode(Layout::YoloX, outputs.tensors(), kSmall, 0.25, 1);
  REQUIRE(found.size() == 1);
  CHECK(found[0].box.x == doctest::Approx(1.5 * 16 - 8));
  CHECK(found[0].box.y == doctest::Approx(2.25 * 16 - 16));
  CHECK(found[0].box.width_px == doctest::Approx(16));
  CHECK(found[0].box.height_px == doctest::Approx(32));
}

TEST_CASE("decode: numbers that are none, or too large for any picture, make no candidate") {
  for (const float bad : {kNan, kInfinity, -kInfinity}) {
    for (int row = 0; row < 7; ++row) {
      CAPTURE(bad);
      CAPTURE(row);
      Outputs outputs;
      float* const values = outputs.add("output0", {1, 7, 84});
      for (int i = 0; i < 4; ++i) values[i * 84] = 10;
      values[4 * 84] = 0.9F;
      values[row * 84] = bad;
      const auto found = decode(Layout::YoloV8, outputs.tensors(), kSmall, 0.25, 3);
      for (const Candidate& one : found) {
        CHECK(std::isfinite(one.confidence));
        CHECK(std::isfinite(one.box.x));
        CHECK(std::isfinite(one.box.width_px));
        CHECK(std::isfinite(one.box.height_px));
      }
      // A class that is no number does not hide another one.
      CHECK(found.size() == (row < 5 || bad == kInfinity ? 0U : 1U));
    }
  }
  Outputs huge;
  float* const values = huge.add("output", {1, 84, 6});
  values[2] = 1000;  // exp() of it is no number any more
  values[4] = values[5] = 1;
  CHECK(decode(Layout::YoloX, huge.tensors(), kSmall, 0.25, 1).empty());
  Outputs keypoints;
  float* const pose = keypoints.add("output0", {1, 56, 84});
  for (int i = 0; i < 56; ++i) pose[i * 84] = 0.5F;
  CHECK(decode(Layout::YoloV8Pose, keypoints.tensors(), kSmall, 0.25, 1).size() == 1);
  pose[std::ptrdiff_t{30} * 84] = kNan;
  CHECK(decode(Layout::YoloV8Pose, keypoints.tensors(), kSmall, 0.25, 1).empty());
  Outputs negative;
  float* const box = negative.add("output0", {1, 5, 84});
  box[0] = box[std::ptrdiff_t{84}] = 10;
  box[std::ptrdiff_t{2} * 84] = -4;
  box[std::ptrdiff_t{3} * 84] = 4;
  box[std::ptrdiff_t{4} * 84] = 1;
  CHECK(decode(Layout::YoloV8, negative.tensors(), kSmall, 0.25, 1).empty());
}

TEST_CASE("decode: keypoints of RTMPose are where both axes peak, and as sure as the lesser of the peaks") {
  Outputs outputs;
  float* const y = outputs.add("simcc_y", {1, 2, 512});
  float* const x = outputs.add("simcc_x", {1, 2, 384});
  x[100] = 0.9F;
  y[301] = 0.5F;
  x[384 + 200] = 0.8F;
  y[512 + 101] = 1.2F;
  const auto found = decode(Layout::RtmPose, outputs.tensors(), {192, 256}, 0.25, 1);
  REQUIRE(found.size() == 1);
  REQUIRE(found[0].keypoints.size() == 2);
  CHECK(found[0].keypoints[0].x == doctest::Approx(50));
  CHECK(found[0].keypoints[0].y == doctest::Approx(150.5));
  CHECK(found[0].keypoints[0].confidence == doctest::Approx(0.5));
  CHECK(found[0].keypoints[1].confidence == doctest::Approx(0.8));
  CHECK(found[0].confidence == doctest::Approx(0.65));
  CHECK(found[0].box == Box{50, 50.5, 50, 100});
  x[100] = kNan;
  y[301] = kNan;
  for (const Candidate& one : decode(Layout::RtmPose, outputs.tensors(), {192, 256}, 0.25, 1)) {
    CHECK(std::isfinite(one.confidence));
  }
}

TEST_CASE("decode and suppress: a network that is sure of everything is cut to the best, in bounded time") {
  Outputs outputs;
  constexpr std::ptrdiff_t kPlaces = 25200;
  float* const values = outputs.add("output", {1, kPlaces, 6});
  for (std::ptrdiff_t i = 0; i < kPlaces; ++i) {
    float* const row = values + i * 6;
    row[0] = static_cast<float>(i % 160) * 8;
    row[1] = static_cast<float>(i / 160) * 8;
    row[2] = row[3] = 4;
    row[4] = 1;
    row[5] = 0.3F + 0.00002F * static_cast<float>(i);
  }
  auto found = decode(Layout::YoloV5, outputs.tensors(), kUsual, 0.25, 1);
  CHECK(found.size() == kMostCandidates);
  const auto least = std::min_element(
      found.begin(), found.end(), [](const Candidate& a, const Candidate& b) { return a.confidence < b.confidence; });
  CHECK(least->confidence > 0.3 + 0.00002 * (25200 - 3001));
  const auto kept = suppress(std::move(found), 0.45);
  REQUIRE(kept.size() == 300);
  CHECK(kept.front().box.x == 25199 % 160 * 8 - 2);
  CHECK(std::is_sorted(kept.begin(), kept.end(),
                       [](const Candidate& a, const Candidate& b) { return a.confidence > b.confidence; }));
}

TEST_CASE("suppress: the surest of a class stays where boxes overlap, other classes do too") {
  const auto kept = suppress({candidate_of(0, 0.5, {0, 0, 10, 10}), candidate_of(0, 0.9, {1, 0, 10, 10}),
                              candidate_of(1, 0.6, {0, 0, 10, 10}), candidate_of(0, 0.7, {100, 0, 10, 10})},
                             0.45);
  REQUIRE(kept.size() == 3);
  CHECK(kept[0].confidence == 0.9);
  CHECK(kept[1].confidence == 0.7);
  CHECK(kept[2].class_index == 1);
  CHECK(suppress({candidate_of(0, 0.5, {0, 0, 10, 10}), candidate_of(0, 0.9, {5, 0, 10, 10})}, 0.45).size() == 2);
  CHECK(suppress({}, 0.45).empty());
  CHECK(suppress(std::vector<Candidate>(9, candidate_of(0, 0.5, {0, 0, 0, 0})), 0.45, 4).size() == 4);
}

TEST_CASE("overlap: what is shared of what is covered, and nothing where nothing is") {
  CHECK(overlap({0, 0, 10, 10}, {5, 0, 10, 10}) == doctest::Approx(1.0 / 3));
  CHECK(overlap({0, 0, 10, 10}, {0, 0, 10, 10}) == doctest::Approx(1));
  CHECK(overlap({0, 0, 10, 10}, {10, 0, 10, 10}) == 0);
  CHECK(overlap({0, 0, 0, 0}, {0, 0, 0, 0}) == 0);
}
