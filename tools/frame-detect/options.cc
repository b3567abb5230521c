#include "frame-detect/options.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <span>
#include <thread>

#include "detect/places.h"
#include "detect/sequence.h"

namespace fp {
namespace {

using namespace std::chrono_literals;
using detect::Layout;

constexpr const char* kFaceModel = "face_detection_back_256x256_barracuda.onnx";

// A thing of detect as a Failure. Unsupported is what is missing on this machine, or a model that we cannot use.
Failure failure_from(const Error& error) {
  if (error.kind == Error::Kind::Unsupported) return {Exit::Unavailable, error.text};
  if (error.kind == Error::Kind::Malformed || error.kind == Error::Kind::TooLarge) return {Exit::BadData, error.text};
  return failure_of(error);
}

template <typename T>
T value_of(Result<T> result, const std::string& option = "") {
  if (!result && !option.empty()) throw Failure(failure_from(std::move(result).error().in(option)));
  if (!result) throw Failure(failure_from(result.error()));
  return std::move(*result);
}

std::string face_model() {
  std::string path = detect::first_readable(detect::model_places(kFaceModel));
  if (path.empty()) {
    throw Failure{Exit::Unavailable, std::string("--detector face: ") + kFaceModel +
                                         " is not installed (run framepipe-install-models, scripts/install-models in "
                                         "the sources, or name a network with --model)"};
  }
  return path;
}

int threads_of(const Options& options) {
  if (options.threads > 0) return options.threads;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / 2);
}

detect::ModelOptions model_options(const Options& options) {
  detect::ModelOptions model;
  model.path = options.detector == "face" ? face_model() : options.model;
  model.ort_library = options.ort_library;
  model.threads = threads_of(options);
  model.layout = detect::parse_layout(options.layout);
  model.labels = options.labels;
  if (options.keypoints > 0) model.keypoints = options.keypoints;
  if (options.input_width_px > 0) model.input = jpeg::Size{options.input_width_px, options.input_height_px};
  if (options.input_order != "auto") model.bgr = options.input_order == "bgr";
  if (options.input_range != "auto") model.input_range = options.input_range == "1" ? 1.0 : 255.0;
  return model;
}

detect::Drawing drawing_of(const Options& options, int keypoints) {
  detect::Drawing drawing;
  const auto count = static_cast<std::size_t>(keypoints);
  drawing.quality_percent = options.quality_percent;
  drawing.skeleton = options.skeleton.empty() ? detect::Skeleton::for_keypoints(count)
                                              : value_of(detect::read_skeleton(options.skeleton, count), "--skeleton");
  if (options.garment.empty()) return drawing;
  auto garment = detect::Garment::load(options.garment);
  if (garment) {
    drawing.garment = std::move(*garment);
  } else {
    spdlog::warn("--garment: {}; detection goes on without it", garment.error().text);
  }
  return drawing;
}

std::unique_ptr<detect::Engine> motion_engine(const Options& options) {
  detect::MotionDetector::Options motion;
  motion.threshold = options.threshold;
  motion.min_area_percent = options.min_area_percent;
  motion.learn = options.learn;
  for (const std::string& zone : options.zones) {
    auto polygon = detect::parse_zone(zone);
    if (!polygon) throw Failure{Exit::Usage, "--" + polygon.error().text};
    motion.zones.push_back(std::move(*polygon));
  }
  if (!options.mask.empty()) motion.mask = value_of(detect::read_mask(options.mask), "--mask");
  return detect::make_picture_engine(detect::make_motion_detector(std::move(motion)), drawing_of(options, 0));
}

std::unique_ptr<detect::Engine> sequence_engine(const Options& options, detect::Model model) {
  detect::SequenceOptions sequence;
  if (options.features == "keypoints") sequence.features = detect::SequenceOptions::Features::Keypoints;
  sequence.window = options.window;
  sequence.stride = options.stride;
  if (options.confidence > 0) sequence.confidence = options.confidence;
  sequence.clock_fps = options.clock_fps;
  sequence.report = cli::reporter();
  return value_of(detect::make_sequence_engine(std::move(model), std::move(sequence)));
}

constexpr std::array kOfMotion = {"--zone", "--mask", "--min-area", "--threshold", "--learn"};
constexpr std::array kOfModel = {"--layout",     "--labels",      "--keypoints",
                                 "--input-size", "--input-range", "--input-order"};
constexpr std::array kOfNetworks = {"--confidence", "--iou", "--threads", "--ort-lib", "--skeleton", "--garment"};
constexpr std::array kOfSequences = {"--features", "--window", "--stride", "--clock-fps"};
constexpr std::array kOfPictures = {"--iou", "--overlay", "--garment", "--quality", "--skeleton"};
constexpr std::array kOfStreams = {"--json", "--passthrough-fps", "--gate", "--every-frame", "--frames", "--trace"};

// An option that would do nothing is a mistake: whoever gave it expects something of it.
void refuse(const Options& options, std::span<const char* const> names, const std::string& why) {
  for (const char* const name : names) {
    if (std::find(options.given.begin(), options.given.end(), name) == options.given.end()) continue;
    throw Failure{Exit::Usage, name + why};
  }
}

// What only a loaded model can tell.
void check_use(const Options& options, const detect::Model& model) {
  if (model.layout == Layout::Sequence) {
    refuse(options, kOfPictures, ": " + model.name + " is a model of sequences, which finds no places: leave it out");
  } else {
    refuse(
        options, kOfSequences,
        " is for models of sequences, and " + model.name + " is " + detect::name_of(model.layout) + ": leave it out");
  }
}

std::string size_text(const detect::Model& model) {
  return model.input.width_px > 0 ? fmt::format("{}x{}", model.input.width_px, model.input.height_px)
                                  : detect::to_text(model.input_shape);
}

}  // namespace

void add_options(CLI::App& app, Options& options) {
  cli::add_choice(app, "--detector", options.detector, "Find motion or faces, with no --model to be named",
                  {"motion", "face"});
  app.add_option("-m,--model", options.model, "Find what this network knows")->type_name("FILE.onnx");
  cli::add_choice(app, "--layout", options.layout, "How its outputs are read; auto: by their shapes",
                  {"auto", "yolov5", "yolov8", "yolov8-pose", "yolox", "blazeface", "rtmpose", "sequence"});
  app.add_option("--labels", options.labels, "Names of its classes, one a line; else the model's own")
      ->type_name("FILE");
  cli::add_number(app, "--confidence", options.confidence,
                  "The least confidence that counts; 0: 0.25 (faces and sequences 0.5)", 0.0, 1.0);
  cli::add_number(app, "--iou", options.iou,
                  "Boxes of a class that overlap more than this are one; 0: 0.45 (faces 0.3)", 0.0, 1.0);
  cli::add_number(app, "--keypoints", options.keypoints, "How many keypoints each object has; 0: as the model says", 0,
                  512);
  app.add_option("--skeleton", options.skeleton, "Which keypoints are joined: a line 'A B' for each two, from 0")
      ->type_name("FILE");
  cli::add_size(app, "--input-size", options.input_width_px, options.input_height_px,
                "The size of its input, where the model leaves it free; else 640x640")
      ->default_str("");
  cli::add_choice(app, "--input-range", options.input_range, "The number that stands for white in its input",
                  {"auto", "1", "255"});
  cli::add_choice(app, "--input-order", options.input_order, "The order of the colours in its input",
                  {"auto", "rgb", "bgr"});
  cli::add_number(app, "--threads", options.threads, "How many work on one frame; 0: half the cores", 0, 256);
  app.add_option("--ort-lib", options.ort_library, "ONNX Runtime, libonnxruntime.so.1; else it is looked for")
      ->type_name("PATH");

  app.add_option("--overlay", options.overlay, "What to draw: boxes,labels,skeleton or none")
      ->type_name("WHAT")
      ->capture_default_str();
  app.add_option("--garment", options.garment, "Lay this picture over the torso of each pose")->type_name("PICTURE");
  cli::add_number(app, "--quality", options.quality_percent, "The JPEG quality of frames that are drawn on", 1, 100);
  app.add_option("--json", options.json, "Write a line of JSON, too, for each frame that was looked at")
      ->type_name("SPEC");
  app.add_option("--once", options.once, "Look at this picture, write its JSON and end; the drawn picture goes to -o")
      ->type_name("FILE.jpg");
  cli::add_number(app, "--passthrough-fps", options.passthrough_fps,
                  "Pass on all frames, also those not looked at, at up to this rate; 0: do not", 0.0, 1000.0);
  cli::add_choice(app, "--gate", options.gate, "Closed: frames pass untouched. SIGUSR1 opens, SIGUSR2 closes",
                  {"open", "closed"});
  app.add_flag("--control-headers", options.control_headers, "Obey X-Gate and X-Overlay of frames")
      ->envname("FRAMEPIPE_CONTROL_HEADERS");

  app.add_option("--zone", options.zones, "Motion: look within this polygon, 0 to 1 each way; repeat it for more")
      ->type_name("X,Y,X,Y,X,Y")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--mask", options.mask, "Motion: look where this picture is bright")->type_name("PICTURE");
  cli::add_number(app, "--min-area", options.min_area_percent, "Motion: per cent of the picture that an area must have",
                  0.0, 100.0);
  cli::add_number(app, "--threshold", options.threshold, "Motion: by how many of 255 gray levels a place must change",
                  1.0, 255.0);
  cli::add_duration(app, "--learn", options.learn, "Motion: how long a change stays new", 100ms, 1h);

  cli::add_choice(app, "--features", options.features, "Sequences: what the network is given of each frame",
                  {"pixels", "keypoints"});
  cli::add_duration(app, "--window", options.window, "Sequences: how long one is", 100ms, 10min);
  cli::add_duration(app, "--stride", options.stride, "Sequences: the time from one look to the next", 1ms, 10min);
  cli::add_number(app, "--clock-fps", options.clock_fps,
                  "Sequences: count so many frames a second, whatever their times say; 0: as they say", 0.0, 1000.0);
}

void note_given(const CLI::App& app, Options& options) {
  for (const CLI::Option* const option : app.get_options()) {
    if (option->count() > 0 && !option->get_lnames().empty()) options.given.push_back("--" + option->get_lnames()[0]);
  }
}

void check(const Options& options, const cli::Common& common) {
  if (options.detector.empty() && options.model.empty()) {
    throw Failure{Exit::Usage,
                  "nothing to look for: name a network (--model FILE.onnx), --detector face or --detector motion"};
  }
  if (!options.detector.empty() && !options.model.empty()) {
    throw Failure{Exit::Usage, "--detector and --model: give one of them"};
  }
  if (options.detector != "motion") refuse(options, kOfMotion, " is for --detector motion alone: leave it out");
  if (options.detector == "motion")
    refuse(options, kOfNetworks, " is for networks, and motion needs none: leave it out");
  if (options.model.empty()) {
    refuse(options, kOfModel, " is for --model alone: leave it out");
    refuse(options, kOfSequences, " is for a --model of sequences alone: leave it out");
  }
  if (!options.once.empty()) refuse(options, kOfStreams, " is for many frames, and --once has one: leave it out");
  if (options.detector == "motion" && !options.once.empty()) {
    throw Failure{Exit::Usage, "--once has one picture, and motion is between pictures: use another detector"};
  }
  if (options.json == "-" && common.output == "-" && options.once.empty()) {
    throw Failure{Exit::Usage, "frames and JSON cannot both go to standard output: add '-o none', or name a file"};
  }
  if (options.passthrough_fps > 0 && options.control_headers) {
    throw Failure{Exit::Usage,
                  "--passthrough-fps passes frames that are not looked at, and who asks wants an answer to "
                  "each (--control-headers, a filter of mjpeg-serve): leave it out"};
  }
  if (options.passthrough_fps > 0 && common.every_frame) {
    throw Failure{Exit::Usage, "--passthrough-fps keeps up with its input, --every-frame waits: give one of them"};
  }
}

detect::Overlay overlay_of(const Options& options) {
  auto overlay = detect::parse_overlay(options.overlay);
  if (!overlay) throw Failure{Exit::Usage, "--" + overlay.error().text};
  if (!options.garment.empty()) overlay->garment = true;
  return *overlay;
}

std::unique_ptr<detect::Engine> make_engine(const Options& options) {
  if (options.detector == "motion") return motion_engine(options);
  auto model = value_of(detect::open_model(model_options(options)));
  spdlog::info("{}: {}, {} {}, input {}, warm", model.name, detect::name_of(model.layout), model.classes,
               model.classes == 1 ? "class" : "classes", size_text(model));
  check_use(options, model);
  if (model.layout == Layout::Sequence) return sequence_engine(options, std::move(model));
  detect::Thresholds thresholds = detect::usual_thresholds(model.layout);
  if (options.confidence > 0) thresholds.confidence = options.confidence;
  if (options.iou > 0) thresholds.iou = options.iou;
  detect::Drawing drawing = drawing_of(options, model.keypoints);
  return detect::make_picture_engine(detect::make_network_detector(std::move(model), thresholds), std::move(drawing));
}

}  // namespace fp
