#include "detect/layout.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace fp::detect {
namespace {

constexpr std::array<std::pair<Layout, const char*>, 7> kNames = {{{Layout::YoloV5, "yolov5"},
                                                                   {Layout::YoloV8, "yolov8"},
                                                                   {Layout::YoloV8Pose, "yolov8-pose"},
                                                                   {Layout::YoloX, "yolox"},
                                                                   {Layout::BlazeFace, "blazeface"},
                                                                   {Layout::RtmPose, "rtmpose"},
                                                                   {Layout::Sequence, "sequence"}}};

constexpr int kBodyKeypoints = 17;

// How many places the grids of `strides` have together.
std::int64_t places(jpeg::Size input, std::span<const int> strides) {
  std::int64_t count = 0;
  for (const int stride : strides) {
    count += static_cast<std::int64_t>(input.width_px / stride) * (input.height_px / stride);
  }
  return count;
}

constexpr std::array<int, 4> kStrides = {8, 16, 32, 64};

// The strides whose grids have `count` places, three or four of them; none when no number fits.
std::span<const int> strides_of(jpeg::Size input, std::int64_t count) {
  for (const std::size_t how_many : {3U, 4U}) {
    const std::span<const int> strides = std::span(kStrides).first(how_many);
    if (places(input, strides) == count) return strides;
  }
  return {};
}

std::vector<TensorInfo> infos(const std::vector<Tensor>& tensors) {
  std::vector<TensorInfo> all;
  all.reserve(tensors.size());
  for (const Tensor& tensor : tensors) all.push_back({tensor.name, tensor.shape, true});
  return all;
}

const Tensor* find(std::span<const Tensor> tensors, std::int64_t rows, std::int64_t columns) {
  for (const Tensor& tensor : tensors) {
    if (tensor.shape == Shape{1, rows, columns}) return &tensor;
  }
  return nullptr;
}

const Tensor* named(std::span<const Tensor> tensors, std::string_view name) {
  for (const Tensor& tensor : tensors) {
    if (tensor.name.find(name) != std::string::npos) return &tensor;
  }
  return nullptr;
}

// Exports with masks and the like have more outputs: the one that is read is the first of three sides with one picture.
const Tensor* table(std::span<const Tensor> tensors) {
  for (const Tensor& tensor : tensors) {
    if (tensor.shape.size() == 3 && tensor.side(0) == 1) return &tensor;
  }
  return nullptr;
}

struct SimCc {
  const Tensor* x = nullptr;
  const Tensor* y = nullptr;
};

// By name; where names say nothing, by their lengths, which are those of the input's sides times one number.
SimCc simcc(std::span<const Tensor> tensors, jpeg::Size input) {
  SimCc found{named(tensors, "simcc_x"), named(tensors, "simcc_y")};
  if ((found.x == nullptr || found.y == nullptr) && tensors.size() == 2 && tensors[0].shape.size() == 3 &&
      tensors[1].shape.size() == 3) {
    const bool in_order = tensors[0].side(2) * input.height_px == tensors[1].side(2) * input.width_px;
    found = in_order ? SimCc{tensors.data(), tensors.data() + 1} : SimCc{tensors.data() + 1, tensors.data()};
  }
  if (found.x == nullptr || found.y == nullptr) return {};
  const bool fits = found.x->shape.size() == 3 && found.y->shape.size() == 3 && found.x->side(0) == 1 &&
                    found.y->side(0) == 1 && found.x->side(1) == found.y->side(1) && found.x->side(1) > 0 &&
                    input.width_px > 0 && found.x->side(2) >= input.width_px &&
                    found.x->side(2) % input.width_px == 0 &&
                    found.x->side(2) * input.height_px == found.y->side(2) * input.width_px;
  return fits ? found : SimCc{};
}

struct Blaze {
  std::array<const Tensor*, 2> scores{};  // of the 16x16 and the 8x8 grid
  std::array<const Tensor*, 2> boxes{};
};
constexpr std::array<int, 2> kBlazeGrid = {16, 8};
constexpr std::array<int, 2> kBlazeAnchors = {2, 6};
constexpr int kBlazeKeypoints = 6;
constexpr int kBlazeNumbers = 4 + 2 * kBlazeKeypoints;

std::optional<Blaze> blaze(std::span<const Tensor> tensors) {
  Blaze found;
  for (std::size_t i = 0; i < 2; ++i) {
    const std::int64_t count = static_cast<std::int64_t>(kBlazeGrid[i]) * kBlazeGrid[i] * kBlazeAnchors[i];
    found.scores[i] = find(tensors, count, 1);
    found.boxes[i] = find(tensors, count, kBlazeNumbers);
    if (found.scores[i] == nullptr || found.boxes[i] == nullptr) return std::nullopt;
  }
  return found;
}

bool pose_columns(std::int64_t columns, const ModelFacts& facts) {
  if (facts.keypoints) return columns == 5 + 3 * *facts.keypoints;
  if (facts.pose) return columns > 5 && (columns - 5) % 3 == 0;
  return columns == 5 + 3 * kBodyKeypoints;
}

bool fits(Layout layout, const ModelFacts& facts) {
  const Tensor* const output = table(facts.outputs);
  switch (layout) {
    case Layout::YoloV5:
      return output != nullptr && output->side(2) >= 6 && output->side(1) % 3 == 0 &&
             !strides_of(facts.input, output->side(1) / 3).empty();
    case Layout::YoloX:
      return output != nullptr && output->side(2) >= 6 && !strides_of(facts.input, output->side(1)).empty();
    case Layout::YoloV8:
      return output != nullptr && output->side(1) >= 5 && !strides_of(facts.input, output->side(2)).empty();
    case Layout::YoloV8Pose:
      return output != nullptr && pose_columns(output->side(1), facts) &&
             !strides_of(facts.input, output->side(2)).empty();
    case Layout::BlazeFace:
      return blaze(facts.outputs).has_value();
    case Layout::RtmPose:
      return simcc(facts.outputs, facts.input).x != nullptr;
    case Layout::Sequence:
      return !facts.outputs.empty() && facts.outputs[0].shape.size() == 2 && facts.outputs[0].side(0) == 1 &&
             facts.outputs[0].side(1) >= 2;
  }
  return false;
}

// What a layout asked for by name must have at the least: places are not counted, some networks have other grids. Only
// YOLOX needs its grids to be known.
bool may_be(Layout layout, const ModelFacts& facts) {
  const Tensor* const output = table(facts.outputs);
  switch (layout) {
    case Layout::YoloV5:
      return output != nullptr && output->side(2) >= 6;
    case Layout::YoloV8:
      return output != nullptr && output->side(1) >= 5;
    case Layout::YoloV8Pose:
      return output != nullptr && output->side(1) >= 8 && (output->side(1) - 5) % 3 == 0 &&
             (!facts.keypoints || output->side(1) == 5 + 3 * *facts.keypoints);
    default:
      return fits(layout, facts);
  }
}

const char* looks_like(Layout layout) {
  switch (layout) {
    case Layout::YoloV5:
      return "1xNx(5+classes)";
    case Layout::YoloV8:
      return "1x(4+classes)xN";
    case Layout::YoloV8Pose:
      return "1x(5+3*keypoints)xN (--keypoints says how many)";
    case Layout::YoloX:
      return "1xNx(5+classes), N places of the grids of 8, 16 and 32 pixels";
    case Layout::BlazeFace:
      return "1x512x1, 1x384x1, 1x512x16 and 1x384x16";
    case Layout::RtmPose:
      return "simcc_x 1xKx(2*width) and simcc_y 1xKx(2*height)";
    case Layout::Sequence:
      return "1xclasses";
  }
  return "";
}

Error no_fit(const ModelFacts& facts, const std::string& what) {
  return {Error::Kind::Unsupported, 0,
          "its outputs " + to_text(infos(facts.outputs)) + " for an input of " + std::to_string(facts.input.width_px) +
              "x" + std::to_string(facts.input.height_px) + " " + what};
}

double logistic(double value) { return 1 / (1 + std::exp(-value)); }

bool finite(const Candidate& candidate) {
  const Box& box = candidate.box;
  const auto keypoint = [](const Keypoint& point) {
    return std::isfinite(point.x) && std::isfinite(point.y) && std::isfinite(point.confidence);
  };
  return std::isfinite(candidate.confidence) && std::isfinite(box.x) && std::isfinite(box.y) &&
         std::isfinite(box.width_px) && std::isfinite(box.height_px) && box.width_px >= 0 && box.height_px >= 0 &&
         std::all_of(candidate.keypoints.begin(), candidate.keypoints.end(), keypoint);
}

Box centred(double cx, double cy, double width, double height) {
  return {cx - width / 2, cy - height / 2, width, height};
}

// Row after row of numbers that lie together.
std::vector<Candidate> decode_rows(const Tensor& output, double least, bool grids, jpeg::Size input, int classes) {
  std::vector<Candidate> found;
  const auto columns = static_cast<std::size_t>(output.side(2));
  const auto rows = static_cast<std::size_t>(output.side(1));
  std::vector<std::array<int, 3>> cells;  // column, row and stride of each place
  if (grids) {
    for (const int stride : strides_of(input, output.side(1))) {
      for (int y = 0; y < input.height_px / stride; ++y) {
        for (int x = 0; x < input.width_px / stride; ++x) cells.push_back({x, y, stride});
      }
    }
  }
  for (std::size_t i = 0; i < rows; ++i) {
    const std::span<const float> row = output.values.subspan(i * columns, columns);
    const float objectness = row[4];
    if (!(objectness >= static_cast<float>(least))) continue;
    const auto best = std::max_element(row.begin() + 5, row.begin() + 5 + classes);
    const double confidence = static_cast<double>(objectness) * static_cast<double>(*best);
    if (!(confidence >= least)) continue;
    Candidate candidate{static_cast<int>(best - row.begin()) - 5, confidence, {}, {}};
    if (grids) {
      const auto [x, y, stride] = cells[i];
      candidate.box =
          centred((row[0] + static_cast<double>(x)) * stride, (row[1] + static_cast<double>(y)) * stride,
                  std::exp(static_cast<double>(row[2])) * stride, std::exp(static_cast<double>(row[3])) * stride);
    } else {
      candidate.box = centred(row[0], row[1], row[2], row[3]);
    }
    if (finite(candidate)) found.push_back(std::move(candidate));
  }
  return found;
}

// To the greater of both; what is no number is not greater.
void raise(float* best, const float* scores, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) best[i] = scores[i] > best[i] ? scores[i] : best[i];
}

// Column after column; a row of scores is read at a time, as it lies in memory.
std::vector<Candidate> decode_columns(const Tensor& output, double least, std::size_t classes, std::size_t keypoints) {
  const auto count = static_cast<std::size_t>(output.side(2));
  const auto row = [&](std::size_t index) { return output.values.subspan(index * count, count); };
  // Which class it is matters at few places: first how sure the surest one is, in vectors.
  std::vector<float> best(count, 0.0F);
  for (std::size_t c = 0; c < classes; ++c) raise(best.data(), row(4 + c).data(), count);
  std::vector<Candidate> found;
  for (std::size_t i = 0; i < count; ++i) {
    if (!(static_cast<double>(best[i]) >= least)) continue;
    int index = 0;
    for (std::size_t c = classes; c-- > 0;) {
      if (row(4 + c)[i] == best[i]) index = static_cast<int>(c);
    }
    Candidate candidate{index, best[i], centred(row(0)[i], row(1)[i], row(2)[i], row(3)[i]), {}};
    for (std::size_t k = 0; k < keypoints; ++k) {
      const std::size_t first = 5 + 3 * k;
      candidate.keypoints.push_back({row(first)[i], row(first + 1)[i], row(first + 2)[i]});
    }
    if (finite(candidate)) found.push_back(std::move(candidate));
  }
  return found;
}

// facts of MediaPipe's model: the anchors are a 16x16 grid with two each, then an 8x8 grid with six each, row-major.
std::vector<Candidate> decode_blaze(const Blaze& outputs, jpeg::Size input, double least) {
  std::vector<Candidate> found;
  const double side = input.width_px;
  for (std::size_t level = 0; level < 2; ++level) {
    const std::span<const float> scores = outputs.scores[level]->values;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      const double confidence = logistic(scores[i]);
      if (!(confidence >= least)) continue;
      const auto numbers = outputs.boxes[level]->values.subspan(i * kBlazeNumbers, kBlazeNumbers);
      const int cell = static_cast<int>(i) / kBlazeAnchors[level];
      const int column = cell % kBlazeGrid[level];
      const int row = cell / kBlazeGrid[level];
      const double ax = (column + 0.5) / kBlazeGrid[level] * side;
      const double ay = (row + 0.5) / kBlazeGrid[level] * side;
      Candidate candidate{0, confidence, centred(ax + numbers[0], ay + numbers[1], numbers[2], numbers[3]), {}};
      for (std::size_t k = 0; k < kBlazeKeypoints; ++k) {
        candidate.keypoints.push_back({ax + numbers[4 + 2 * k], ay + numbers[5 + 2 * k], confidence});
      }
      if (finite(candidate)) found.push_back(std::move(candidate));
    }
  }
  return found;
}

std::vector<Candidate> decode_simcc(const SimCc& outputs, jpeg::Size input, double least) {
  if (outputs.x == nullptr || outputs.y == nullptr) return {};
  Candidate person;
  const auto count = static_cast<std::size_t>(outputs.x->side(1));
  const double bins = static_cast<double>(outputs.x->side(2)) / input.width_px;
  const auto peak = [](const Tensor& tensor, std::size_t k) {
    const auto length = static_cast<std::size_t>(tensor.side(2));
    const auto row = tensor.values.subspan(k * length, length);
    const auto best = std::max_element(row.begin(), row.end());
    return std::pair(static_cast<double>(best - row.begin()), static_cast<double>(*best));
  };
  double sum = 0;
  for (std::size_t k = 0; k < count; ++k) {
    const auto [x, x_score] = peak(*outputs.x, k);
    const auto [y, y_score] = peak(*outputs.y, k);
    const double score = std::min(x_score, y_score);
    if (!std::isfinite(score)) return {};
    person.keypoints.push_back({x / bins, y / bins, std::clamp(score, 0.0, 1.0)});
    sum += person.keypoints.back().confidence;
  }
  person.confidence = sum / static_cast<double>(count);
  if (person.confidence < least) return {};
  // As far as the keypoints reach that can be seen.
  double left = input.width_px;
  double top = input.height_px;
  double right = 0;
  double bottom = 0;
  for (const Keypoint& keypoint : person.keypoints) {
    if (keypoint.confidence < least) continue;
    left = std::min(left, keypoint.x);
    right = std::max(right, keypoint.x);
    top = std::min(top, keypoint.y);
    bottom = std::max(bottom, keypoint.y);
  }
  if (left <= right && top <= bottom) person.box = {left, top, right - left, bottom - top};
  return {person};
}

}  // namespace

const char* name_of(Layout layout) {
  for (const auto& [known, name] : kNames) {
    if (known == layout) return name;
  }
  return "";
}

std::optional<Layout> parse_layout(std::string_view name) {
  for (const auto& [layout, known] : kNames) {
    if (known == name) return layout;
  }
  return std::nullopt;
}

Result<Layout> recognise(const ModelFacts& facts) {
  // A classifier of pictures has the outputs of a sequence, and a window may have those of a detector: what goes in
  // decides.
  if (facts.window) {
    if (auto fits = check_layout(Layout::Sequence, facts); !fits) return fail(std::move(fits).error());
    return Layout::Sequence;
  }
  // A pose is a detector too, of many classes: it is looked for first.
  for (const Layout layout :
       {Layout::BlazeFace, Layout::RtmPose, Layout::YoloV8Pose, Layout::YoloV8, Layout::YoloX, Layout::YoloV5}) {
    if (fits(layout, facts)) return layout;
  }
  std::string names;
  for (const auto& [layout, name] : kNames) {
    names += (names.empty() ? "" : ", ") + std::string(name) + " " + looks_like(layout);
  }
  return fail(no_fit(facts, "fit no layout that is known (" + names + "; --layout names one)"));
}

Result<Done> check_layout(Layout layout, const ModelFacts& facts) {
  if (may_be(layout, facts)) return Done{};
  return fail(no_fit(facts, std::string("are not those of ") + name_of(layout) + ": " + looks_like(layout)));
}

int classes_of(Layout layout, const ModelFacts& facts) {
  const Tensor* const output = table(facts.outputs);
  switch (layout) {
    case Layout::YoloV5:
    case Layout::YoloX:
      return static_cast<int>(output->side(2) - 5);
    case Layout::YoloV8:
      return static_cast<int>(output->side(1) - 4);
    case Layout::Sequence:
      return static_cast<int>(facts.outputs[0].side(1));
    default:
      return 1;
  }
}

int keypoints_of(Layout layout, const ModelFacts& facts) {
  switch (layout) {
    case Layout::YoloV8Pose:
      return static_cast<int>((table(facts.outputs)->side(1) - 5) / 3);
    case Layout::BlazeFace:
      return kBlazeKeypoints;
    case Layout::RtmPose: {
      const Tensor* const x = simcc(facts.outputs, facts.input).x;
      return x == nullptr ? 0 : static_cast<int>(x->side(1));
    }
    default:
      return 0;
  }
}

std::vector<Candidate> decode(Layout layout, std::span<const Tensor> outputs, jpeg::Size input, double least_confidence,
                              int classes) {
  std::vector<Candidate> found;
  switch (layout) {
    case Layout::YoloV5:
      found = decode_rows(*table(outputs), least_confidence, /*grids=*/false, input, classes);
      break;
    case Layout::YoloX:
      found = decode_rows(*table(outputs), least_confidence, /*grids=*/true, input, classes);
      break;
    case Layout::YoloV8:
      found = decode_columns(*table(outputs), least_confidence, static_cast<std::size_t>(classes), 0);
      break;
    case Layout::YoloV8Pose: {
      const Tensor& output = *table(outputs);
      found = decode_columns(output, least_confidence, 1, static_cast<std::size_t>(output.side(1) - 5) / 3);
      break;
    }
    case Layout::BlazeFace:
      found = decode_blaze(*blaze(outputs), input, least_confidence);
      break;
    case Layout::RtmPose:
      found = decode_simcc(simcc(outputs, input), input, least_confidence);
      break;
    case Layout::Sequence:
      break;  // no places in it
  }
  if (found.size() > kMostCandidates) {
    const auto last = found.begin() + kMostCandidates;
    std::nth_element(found.begin(), last, found.end(),
                     [](const Candidate& a, const Candidate& b) { return a.confidence > b.confidence; });
    found.erase(last, found.end());
  }
  return found;
}

double overlap(const Box& a, const Box& b) {
  const double width = std::min(a.x + a.width_px, b.x + b.width_px) - std::max(a.x, b.x);
  const double height = std::min(a.y + a.height_px, b.y + b.height_px) - std::max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  const double both = width * height;
  return both / (a.width_px * a.height_px + b.width_px * b.height_px - both);
}

std::vector<Candidate> suppress(std::vector<Candidate> candidates, double iou, std::size_t most) {
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.confidence > b.confidence; });
  std::vector<Candidate> kept;
  for (Candidate& candidate : candidates) {
    if (kept.size() >= most) break;
    const auto covers = [&](const Candidate& surer) {
      return surer.class_index == candidate.class_index && overlap(surer.box, candidate.box) > iou;
    };
    if (std::none_of(kept.begin(), kept.end(), covers)) kept.push_back(std::move(candidate));
  }
  return kept;
}

}  // namespace fp::detect
