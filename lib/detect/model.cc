#include "detect/model.h"

#include <algorithm>
#include <filesystem>

#include "base/text.h"

namespace fp::detect {
namespace {

constexpr std::int64_t kMostSide = 4096;
constexpr std::int64_t kMostValues = 64 << 20;  // of an input: 256 MiB

Error refused(std::string text) { return {Error::Kind::Unsupported, 0, std::move(text)}; }

bool is_channels(std::int64_t side) { return side == 3 || side == 1; }

// 1x3xHxW or 1xHxWx3, with what is free filled in.
Result<Done> read_picture_input(Model& model, const Shape& shape, jpeg::Size wish) {
  Shape& sides = model.input_shape = shape;
  if (sides[0] < 0) sides[0] = 1;
  model.format.channels_last = !is_channels(sides[1]) && is_channels(sides[3]);
  const std::size_t channel = model.format.channels_last ? 3 : 1;
  const std::size_t row = model.format.channels_last ? 1 : 2;
  if (sides[channel] < 0) sides[channel] = 3;
  if (sides[row] < 0) sides[row] = wish.height_px;
  if (sides[row + 1] < 0) sides[row + 1] = wish.width_px;
  if (sides[0] != 1 || !is_channels(sides[channel]) || sides[row] < 8 || sides[row + 1] < 8 || sides[row] > kMostSide ||
      sides[row + 1] > kMostSide) {
    return fail(refused("its input is " + to_text(shape) + ": a picture is 1x3xHxW or 1xHxWx3"));
  }
  if (sides[channel] == 1) model.format.colours = InputFormat::Colours::Gray;
  model.input = {static_cast<int>(sides[row + 1]), static_cast<int>(sides[row])};
  return Done{};
}

// 1xTxHxW frames, or 1xTx3K keypoints: each of its sides must be known.
Result<Done> read_window_input(Model& model, const Shape& shape) {
  model.input_shape = shape;
  if (!model.input_shape.empty() && model.input_shape[0] < 0) model.input_shape[0] = 1;
  std::int64_t values = 1;
  bool known = !shape.empty() && model.input_shape[0] == 1;
  for (const std::int64_t side : model.input_shape) {
    known = known && side > 0 && side <= kMostValues;
    values = known ? std::min(values * side, kMostValues + 1) : values;
  }
  if (!known || values > kMostValues) {
    return fail(refused("its input is " + to_text(shape) +
                        ": a window is 1xTxHxW frames or 1xTx(3*keypoints) numbers, of known length"));
  }
  if (shape.size() == 4) model.input = {static_cast<int>(shape[3]), static_cast<int>(shape[2])};
  model.format.colours = InputFormat::Colours::Gray;
  return Done{};
}

// The two numbers of "[17, 3]", as Ultralytics' exports have them under "kpt_shape" and "imgsz".
std::optional<std::pair<int, int>> two_numbers(const std::string& metadata) {
  std::string_view text = trim(std::string_view(metadata));
  if (!text.starts_with('[') || !text.ends_with(']')) return std::nullopt;
  text = text.substr(1, text.size() - 2);
  const auto parts = split(text, ',');
  if (parts.size() != 2) return std::nullopt;
  const auto first = parse_integer<int>(trim(parts[0]));
  const auto second = parse_integer<int>(trim(parts[1]));
  if (!first || !second) return std::nullopt;
  return std::pair(*first, *second);
}

// For sides that the model leaves free.
jpeg::Size wished_size(const Model& model, const ModelOptions& options) {
  if (options.input) return *options.input;
  const auto trained = two_numbers(model.session->metadata("imgsz"));  // height, width
  return trained ? jpeg::Size{trained->second, trained->first} : jpeg::Size{640, 640};
}

// One picture or one window? Three sides are a window of keypoints; of four, a first one that is neither 3 nor 1 (nor
// is the last) is a length of time.
bool takes_window(const Shape& shape) {
  if (shape.size() == 3) return true;
  return shape.size() == 4 && shape[1] > 0 && !is_channels(shape[1]) && !is_channels(shape[3]);
}

// The makers' own ways: Ultralytics RGB from 0 to 1; YOLOX since 0.1.1 BGR from 0 to 255; MediaPipe RGB from -1 to 1;
// RTMPose RGB by ImageNet's mean and deviation.
void set_format(Model& model, const ModelOptions& options) {
  InputFormat& format = model.format;
  bool bgr = false;
  switch (model.layout) {
    case Layout::YoloX:
      bgr = true;
      format.scale = {1, 1, 1};
      break;
    case Layout::BlazeFace:
      format.scale = {1 / 127.5F, 1 / 127.5F, 1 / 127.5F};
      format.offset = {-1, -1, -1};
      break;
    case Layout::RtmPose:
      format.scale = {1 / 58.395F, 1 / 57.12F, 1 / 57.375F};
      format.offset = {-123.675F / 58.395F, -116.28F / 57.12F, -103.53F / 57.375F};
      break;
    default:
      break;
  }
  if (options.input_range) {
    const float scale = static_cast<float>(*options.input_range / 255);
    format.scale = {scale, scale, scale};
    format.offset = {0, 0, 0};
  }
  bgr = options.bgr.value_or(bgr);
  if (bgr && format.colours == InputFormat::Colours::Rgb) format.colours = InputFormat::Colours::Bgr;
}

// The first run takes the longest: memory is laid out, and output shapes that were free become known.
Result<ModelFacts> warm_up(Model& model, const ModelOptions& options, bool window) {
  const std::vector<float> nothing(model.input_values(), 0.0F);
  auto outputs = model.session->run(nothing, model.input_shape);
  if (!outputs) {
    return malformed(outputs.error().text + " (its input was " + to_text(model.input_shape) +
                     ": export it for one of that, or name another with --input-size)");
  }
  for (const Tensor& output : *outputs) model.output_shapes.push_back(output.shape);
  ModelFacts facts;
  facts.inputs = model.session->inputs();
  facts.outputs.assign(outputs->begin(), outputs->end());
  facts.input = model.input;
  facts.window = window;
  facts.pose = model.session->metadata("task") == "pose";
  facts.keypoints = options.keypoints;
  const auto pose = two_numbers(model.session->metadata("kpt_shape"));
  if (!facts.keypoints && pose) facts.keypoints = pose->first;
  return facts;
}

Result<Done> read_labels_of(Model& model, const ModelOptions& options) {
  const bool has_classes = model.layout == Layout::YoloV5 || model.layout == Layout::YoloV8 ||
                           model.layout == Layout::YoloX || model.layout == Layout::Sequence;
  model.labels = parse_names(model.session->metadata("names"));
  const auto count = static_cast<int>(model.labels.size());
  // Fewer names than numbers: the rest are of another kind, such as the masks of a segmenting network.
  if (has_classes && count > 0 && count < model.classes) model.classes = count;
  if (options.labels.empty()) {
    if (count != model.classes) model.labels.clear();
    if (model.labels.empty() && model.layout == Layout::BlazeFace) model.labels = {"face"};
    if (model.labels.empty() && (model.layout == Layout::RtmPose || model.layout == Layout::YoloV8Pose)) {
      model.labels = {"person"};
    }
    return Done{};
  }
  auto labels = read_labels(options.labels);
  if (!labels) return fail(std::move(labels).error());
  if (static_cast<int>(labels->size()) != model.classes) {
    return malformed("--labels " + options.labels + ": has " + std::to_string(labels->size()) + " names, and " +
                     model.name + " has " + std::to_string(model.classes) +
                     " classes (one name a line, the first for class 0)");
  }
  model.labels = std::move(*labels);
  return Done{};
}

}  // namespace

std::size_t Model::input_values() const {
  std::size_t values = 1;
  for (const std::int64_t side : input_shape) values *= static_cast<std::size_t>(side);
  return values;
}

Result<std::span<const Tensor>> Model::run(std::span<const float> values) const {
  auto outputs = session->run(values, input_shape);
  if (!outputs) return outputs;
  for (std::size_t i = 0; i < output_shapes.size(); ++i) {
    const Shape& shape = (*outputs)[i].shape;
    if (shape != output_shapes[i]) {
      return malformed(name + ": its output " + (*outputs)[i].name + " was " + to_text(output_shapes[i]) +
                       " at first and is " + to_text(shape) + " now");
    }
  }
  return outputs;
}

std::string Model::label(int class_index) const {
  const auto index = static_cast<std::size_t>(class_index);
  return index < labels.size() ? labels[index] : "class " + std::to_string(class_index);
}

Result<Model> open_model(const ModelOptions& options) {
  auto library = OrtLibrary::load(options.ort_library);
  if (!library) return fail(std::move(library).error());
  auto session = OrtSession::open(*library, options.path, options.threads);
  if (!session) return fail(std::move(session).error());
  const std::string where = "--model " + options.path;
  Model model;
  model.name = std::filesystem::path(options.path).stem().string();
  model.session = std::move(*session);
  const auto& inputs = model.session->inputs();
  if (inputs.size() != 1 || !inputs[0].is_float) {
    return fail(refused("its inputs are " + to_text(inputs) + ": one of 32 bit floats is needed").in(where));
  }
  const auto& outputs = model.session->outputs();
  if (std::none_of(outputs.begin(), outputs.end(), [](const TensorInfo& output) { return output.is_float; })) {
    return fail(refused("its outputs are " + to_text(outputs) + ": those of 32 bit floats are read").in(where));
  }
  const Shape& shape = inputs[0].shape;
  const bool window = options.layout ? *options.layout == Layout::Sequence : takes_window(shape);
  Result<Done> read = Done{};
  if (window) {
    read = read_window_input(model, shape);
  } else if (shape.size() == 4) {
    read = read_picture_input(model, shape, wished_size(model, options));
  } else {
    read = fail(refused("its input is " + to_text(shape) + ": a picture is 1x3xHxW or 1xHxWx3"));
  }
  if (!read) return fail(std::move(read).error().in(where));

  const auto facts = warm_up(model, options, window);
  if (!facts) return fail(Error(facts.error()).in(where));
  if (options.layout) {
    if (auto fits = check_layout(*options.layout, *facts); !fits) return fail(std::move(fits).error().in(where));
    model.layout = *options.layout;
  } else {
    const auto layout = recognise(*facts);
    if (!layout) {
      Error error = layout.error();
      if (window) {
        error.text += " (its input " + to_text(shape) +
                      " was taken for a window of frames or keypoints; a picture is 1x3xHxW or 1xHxWx3)";
      }
      return fail(std::move(error).in(where));
    }
    model.layout = *layout;
  }
  model.classes = classes_of(model.layout, *facts);
  model.keypoints = keypoints_of(model.layout, *facts);
  if (options.keypoints && model.keypoints > 0 && *options.keypoints != model.keypoints) {
    return fail(refused("--keypoints " + std::to_string(*options.keypoints) + ": " + model.name + " has " +
                        std::to_string(model.keypoints)));
  }
  set_format(model, options);
  if (auto labels = read_labels_of(model, options); !labels) return fail(std::move(labels).error());
  return model;
}

}  // namespace fp::detect
