// What frame-detect costs beside the network that it runs: 1280x720, 4:2:0, on one core.
//
//   /usr/bin/python3 bench/detect/network.py network.onnx
//   build/release/bin/detect_pipeline_bench network.onnx
//
// Without a network: only what surrounds it, and motion. Processor time of the whole process counts, so that others on
// the machine are felt less; ratios come out of one run each.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <opencv2/core/utility.hpp>
#include <string>
#include <vector>

#include "detect/engine.h"
#include "detect/input.h"
#include "detect/layout.h"
#include "detect/model.h"
#include "detect/overlay.h"
#include "frame/frame.h"
#include "jpeg/decoder.h"
#include "jpeg/encoder.h"
#include "jpeg/walker.h"
#include "picture.h"

namespace {

using namespace fp;
using bench::kQualityPercent;
using bench::kSize;
using bench::pictures;

constexpr jpeg::Size kInput{640, 640};
constexpr int kClasses = 80;
constexpr double kConfidence = 0.25;
constexpr double kIou = 0.45;
constexpr detect::Overlay kBoxesAndLabels{true, true, false, false};

double processor_ms() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

template <typename Work>
double time_of_one(const Work& work) {
  const double begin = processor_ms();
  work();
  return processor_ms() - begin;
}

double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::size_t values_of(jpeg::Size size, int channels) {
  return static_cast<std::size_t>(size.width_px) * static_cast<std::size_t>(size.height_px) *
         static_cast<std::size_t>(channels);
}

detect::Box whole() { return {0, 0, static_cast<double>(kSize.width_px), static_cast<double>(kSize.height_px)}; }

FramePtr frame_of(std::int64_t number) {
  auto frame = std::make_shared<Frame>();
  frame->jpeg = pictures()[static_cast<std::size_t>(number % 2)];
  jpeg::Walker walker;
  walker.walk(frame->jpeg.view());
  frame->picture = walker.info();
  frame->camera = "a";
  frame->captured = bench::time_of(number);
  return frame;
}

// As YOLOv8 has it: 8400 places and their 80 scores, among them eight things with nine near twins each.
std::vector<float> output_with_eight() {
  constexpr std::size_t kPlaces = 8400;
  std::vector<float> values((4 + kClasses) * kPlaces, 0.001F);
  const auto put = [&](std::size_t row, std::size_t place, double value) {
    values[row * kPlaces + place] = static_cast<float>(value);
  };
  for (std::size_t thing = 0; thing < 8; ++thing) {
    for (std::size_t twin = 0; twin < 10; ++twin) {
      const std::size_t place = 900 * thing + 7 * twin;
      put(0, place, 80 + 150 * static_cast<double>(thing % 4) + static_cast<double>(twin));
      put(1, place, thing < 4 ? 230 : 410);
      put(2, place, 100);
      put(3, place, 140);
      put(4 + thing, place, 0.9 - 0.02 * static_cast<double>(twin));
    }
  }
  return values;
}

detect::Tensor tensor_of(const std::vector<float>& values) { return {"output0", {1, 4 + kClasses, 8400}, values}; }

std::vector<detect::Candidate> candidates_in(const detect::Tensor& output) {
  return detect::suppress(detect::decode(detect::Layout::YoloV8, std::span(&output, 1), kInput, kConfidence, kClasses),
                          kIou);
}

detect::Detections detections_of(const std::vector<detect::Candidate>& candidates, const detect::Placement& placement) {
  detect::Detections detections{"network", 1.25, {}, ""};
  for (const detect::Candidate& candidate : candidates) {
    detect::Object object;
    object.label = "person";
    object.confidence = candidate.confidence;
    object.box = placement.to_frame(candidate.box);
    detections.objects.push_back(std::move(object));
  }
  return detections;
}

// --- what surrounds a network, each step and all of them

struct Surroundings {
  jpeg::Decoder decoder;
  jpeg::Encoder encoder;
  detect::InputMaker maker;
  std::vector<float> input = std::vector<float>(values_of(kInput, 3));
  std::vector<float> output = output_with_eight();
  jpeg::Planes picture = decoder.decode(pictures()[0].view(), kSize).value();
  detect::Placement placement = fill();
  detect::Detections detections = detections_of(candidates_in(tensor_of(output)), placement);

  detect::Placement fill() { return maker.fill(picture, kSize, whole(), kInput, {}, input); }
};

void decode_in_full(benchmark::State& state) {
  Surroundings with;
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(with.decoder.decode(pictures()[0].view(), kSize));
  }
  state.counters["jpeg_kb"] = static_cast<double>(pictures()[0].size()) / 1000;
}
void decode_in_half(benchmark::State& state) {
  Surroundings with;
  const jpeg::Size half = detect::size_needed(kSize, whole(), kInput);
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(with.decoder.decode(pictures()[0].view(), half));
}
void make_input(benchmark::State& state) {
  Surroundings with;
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(with.fill());
}
void make_input_of_half(benchmark::State& state) {
  Surroundings with;
  with.picture = with.decoder.decode(pictures()[0].view(), detect::size_needed(kSize, whole(), kInput)).value();
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(with.fill());
}
void read_output(benchmark::State& state) {
  Surroundings with;
  const detect::Tensor output = tensor_of(with.output);
  std::size_t found = 0;
  for ([[maybe_unused]] auto _ : state) found = candidates_in(output).size();
  state.counters["objects"] = static_cast<double>(found);
}
void write_down(benchmark::State& state) {
  Surroundings with;
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(detect::to_json(with.detections));
}
void draw_eight(benchmark::State& state) {
  Surroundings with;
  for ([[maybe_unused]] auto _ : state) {
    detect::draw(with.picture, with.detections, {}, kBoxesAndLabels);
    benchmark::ClobberMemory();
  }
}
void encode(benchmark::State& state) {
  Surroundings with;
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(with.encoder.encode(with.picture, kQualityPercent));
}
void all_around_a_network(benchmark::State& state) {
  Surroundings with;
  const detect::Tensor output = tensor_of(with.output);
  for ([[maybe_unused]] auto _ : state) {
    with.picture = with.decoder.decode(pictures()[0].view(), kSize).value();
    const detect::Placement placement = with.fill();
    const detect::Detections found = detections_of(candidates_in(output), placement);
    detect::draw(with.picture, found, {}, kBoxesAndLabels);
    benchmark::DoNotOptimize(with.encoder.encode(with.picture, kQualityPercent));
    benchmark::DoNotOptimize(detect::to_json(found));
  }
}

// --- motion, from frame to frame

void motion_of_a_camera(benchmark::State& state) {
  const auto engine = detect::make_picture_engine(detect::make_motion_detector({}), {});
  std::vector<FramePtr> frames;
  std::int64_t number = 0;
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize((*engine->take(frame_of(number++), {}))());
  state.SetItemsProcessed(state.iterations());
}

// --- a network alone, and as frame-detect runs it, by turns

void beside_the_bare_run(benchmark::State& state, const std::string& path, const detect::Overlay& overlay) {
  detect::ModelOptions options;
  options.path = path;
  auto bare = detect::open_model(options);
  auto model = detect::open_model(options);
  if (!bare || !model) {
    state.SkipWithError((bare ? model : bare).error().text.c_str());
    return;
  }
  std::vector<float> input(bare->input_values());
  detect::InputMaker().fill(jpeg::Decoder().decode(pictures()[0].view(), kSize).value(), kSize, whole(), bare->input,
                            bare->format, input);
  const auto engine = detect::make_picture_engine(
      detect::make_network_detector(std::move(*model), detect::usual_thresholds(detect::Layout::YoloV8)), {});
  const FramePtr frame = frame_of(0);
  std::vector<double> alone;
  std::vector<double> whole_frame;
  std::size_t objects = 0;
  for ([[maybe_unused]] auto _ : state) {
    alone.push_back(
        time_of_one([&] { benchmark::DoNotOptimize(bare->session->run(input, bare->input_shape).value()); }));
    whole_frame.push_back(time_of_one([&] {
      const FramePtr found = (*engine->take(frame, {overlay, false}))().value();
      objects = detect::parse_detections(found->extra.back().value).value().objects.size();
    }));
  }
  state.counters["bare_ms"] = median(alone);
  state.counters["frame_ms"] = median(whole_frame);
  state.counters["more_percent"] = 100 * (median(whole_frame) / median(alone) - 1);
  state.counters["objects"] = static_cast<double>(objects);
}

BENCHMARK(decode_in_full)->Unit(benchmark::kMillisecond);
BENCHMARK(decode_in_half)->Unit(benchmark::kMillisecond);
BENCHMARK(make_input)->Unit(benchmark::kMillisecond);
BENCHMARK(make_input_of_half)->Unit(benchmark::kMillisecond);
BENCHMARK(read_output)->Unit(benchmark::kMillisecond);
BENCHMARK(write_down)->Unit(benchmark::kMillisecond);
BENCHMARK(draw_eight)->Unit(benchmark::kMillisecond);
BENCHMARK(encode)->Unit(benchmark::kMillisecond);
BENCHMARK(all_around_a_network)->Unit(benchmark::kMillisecond);
BENCHMARK(motion_of_a_camera)->Unit(benchmark::kMillisecond);

}  // namespace

// Behind the options of google-benchmark: the network.
int main(int argc, char** argv) {
  cv::setNumThreads(1);
  benchmark::Initialize(&argc, argv);
  if (argc > 2) {
    std::fprintf(stderr, "detect_pipeline_bench: one network, not %d\n", argc - 1);
    return 64;
  }
  if (argc > 1) {
    const std::string network = argv[1];
    const auto add = [&](const char* name, const detect::Overlay& overlay) {
      benchmark::RegisterBenchmark(name, beside_the_bare_run, network, overlay)
          ->Unit(benchmark::kMillisecond)
          ->Iterations(40);
    };
    add("found_only", {});
    add("found_and_drawn", kBoxesAndLabels);
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
