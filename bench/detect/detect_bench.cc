// What frame-detect does to a frame besides running a network: 1280x720, 4:2:0, on one core.
// `build/release/bin/detect_bench`, on a quiet machine; the ratios in one run count.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <opencv2/core/utility.hpp>
#include <string>
#include <vector>

#include "detect/garment.h"
#include "detect/motion.h"
#include "detect/overlay.h"
#include "jpeg/decoder.h"
#include "jpeg/encoder.h"
#include "picture.h"

namespace {

using namespace fp;

using bench::kQualityPercent;
using bench::kSize;
using bench::pictures;
using bench::time_of;

jpeg::Size at_least(int eighths) { return {kSize.width_px * eighths / 8, kSize.height_px * eighths / 8}; }

void decode(benchmark::State& state) {
  jpeg::Decoder decoder;
  std::size_t frame = 0;
  for ([[maybe_unused]] auto _ : state) {
    benchmark::DoNotOptimize(
        decoder.decode(pictures()[frame++ % 2].view(), at_least(static_cast<int>(state.range(0)))));
  }
}

void decode_and_find_motion(benchmark::State& state) {
  jpeg::Decoder decoder;
  detect::MotionDetector detector({});
  std::int64_t frame = 0;
  for ([[maybe_unused]] auto _ : state) {
    const auto planes = decoder.decode(pictures()[static_cast<std::size_t>(frame % 2)].view(),
                                       at_least(static_cast<int>(state.range(0))));
    benchmark::DoNotOptimize(detector.find(*planes, kSize, "a", time_of(frame)));
    ++frame;
  }
}

void find_motion(benchmark::State& state) {
  jpeg::Decoder decoder;
  std::vector<jpeg::Planes> planes;
  for (const Blob& picture : pictures()) {
    planes.push_back(decoder.decode(picture.view(), at_least(static_cast<int>(state.range(0)))).value());
  }
  detect::MotionDetector detector({});
  std::int64_t frame = 0;
  std::size_t found = 0;
  for ([[maybe_unused]] auto _ : state) {
    found += detector.find(planes[static_cast<std::size_t>(frame % 2)], kSize, "a", time_of(frame)).size();
    ++frame;
  }
  state.counters["objects"] = static_cast<double>(found) / static_cast<double>(state.iterations());
}

// Standing, in the middle.
detect::Object person() {
  detect::Object object;
  object.label = "person";
  object.confidence = 0.9;
  constexpr double kPlaces[17][2] = {{640, 150}, {650, 140}, {630, 140}, {665, 145}, {615, 145}, {720, 240},
                                     {560, 240}, {760, 340}, {520, 340}, {770, 430}, {510, 430}, {690, 450},
                                     {590, 450}, {695, 560}, {585, 560}, {700, 670}, {580, 670}};
  for (const auto& place : kPlaces) object.keypoints.push_back({place[0], place[1], 0.9});
  return object;
}

detect::Detections eight_boxes() {
  detect::Detections detections;
  for (int i = 0; i < 8; ++i) {
    detect::Object object;
    object.label = "person";
    object.confidence = 0.91;
    const int row = i / 4;
    object.box = detect::Box{30.0 + i % 4 * 310, 40.0 + row * 350, 200, 280};
    detections.objects.push_back(object);
  }
  return detections;
}

void draw(benchmark::State& state, const detect::Detections& detections, const detect::Overlay& overlay) {
  jpeg::Planes planes = jpeg::Decoder().decode(pictures()[0].view(), kSize).value();
  const detect::Skeleton skeleton = detect::Skeleton::for_keypoints(17);
  for ([[maybe_unused]] auto _ : state) {
    detect::draw(planes, detections, skeleton, overlay);
    benchmark::ClobberMemory();
  }
}
void draw_eight_boxes(benchmark::State& state) { draw(state, eight_boxes(), {true, false, false, false}); }
void draw_eight_boxes_with_labels(benchmark::State& state) { draw(state, eight_boxes(), {true, true, false, false}); }
void draw_one_skeleton(benchmark::State& state) {
  detect::Detections detections;
  detections.objects.push_back(person());
  draw(state, detections, {false, false, true, false});
}

void decode_draw_encode(benchmark::State& state) {
  jpeg::Decoder decoder;
  jpeg::Encoder encoder;
  const detect::Detections detections = eight_boxes();
  for ([[maybe_unused]] auto _ : state) {
    auto planes = decoder.decode(pictures()[0].view(), kSize);
    detect::draw(*planes, detections, {}, {true, true, false, false});
    benchmark::DoNotOptimize(encoder.encode(*planes, kQualityPercent));
  }
}

void draw_garment(benchmark::State& state, const std::string& path) {
  const auto garment = detect::Garment::load(path);
  if (!garment) {
    state.SkipWithError(garment.error().text.c_str());
    return;
  }
  jpeg::Planes planes = jpeg::Decoder().decode(pictures()[0].view(), kSize).value();
  const detect::Object wearer = person();
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(garment->draw(planes, wearer));
}

BENCHMARK(decode)->Arg(1)->Arg(2)->Arg(8)->Unit(benchmark::kMillisecond);
BENCHMARK(find_motion)->Arg(1)->Arg(2)->Arg(8)->Unit(benchmark::kMillisecond);
BENCHMARK(decode_and_find_motion)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond);
BENCHMARK(draw_eight_boxes)->Unit(benchmark::kMillisecond);
BENCHMARK(draw_eight_boxes_with_labels)->Unit(benchmark::kMillisecond);
BENCHMARK(draw_one_skeleton)->Unit(benchmark::kMillisecond);
BENCHMARK(decode_draw_encode)->Unit(benchmark::kMillisecond);

}  // namespace

// Behind the options of google-benchmark: the picture of a garment.
int main(int argc, char** argv) {
  cv::setNumThreads(1);
  benchmark::Initialize(&argc, argv);
  if (argc > 1) {
    benchmark::RegisterBenchmark("draw_garment", draw_garment, std::string(argv[1]))->Unit(benchmark::kMillisecond);
  }
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
