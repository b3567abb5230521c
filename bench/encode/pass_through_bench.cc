// What camgrab adds to a camera's MJPEG: the way of one frame in user space, from a mapped buffer to a pipe whose
// reader waits for it. Processor time of the whole process, the calls into the kernel for the pipe with it; the
// driver's own calls are not (bench/cameras).
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "frame/output.h"
#include "jpeg/encoder.h"
#include "source/pass_through.h"

namespace {

using namespace fp;

constexpr jpeg::Size kSize{1280, 720};

// Sums of smoothed noise, each octave twice as fine and half as strong, as outdoor scenes have it, and a sensor's
// noise.
std::vector<std::uint8_t> plane(jpeg::Size size, double contrast, double sensor_noise, unsigned seed) {
  std::minstd_rand random(seed);
  std::uniform_real_distribution<double> level(-1, 1);
  std::vector<double> sum(static_cast<std::size_t>(size.width_px) * static_cast<std::size_t>(size.height_px), 128);
  for (int cell = 256; cell >= 4; cell /= 2, contrast /= 2) {
    const int columns = size.width_px / cell + 2;
    const int rows = size.height_px / cell + 2;
    std::vector<double> grid(static_cast<std::size_t>(columns) * static_cast<std::size_t>(rows));
    for (double& one : grid) one = contrast * level(random);
    const auto at = [&](int x, int y) {
      return grid[static_cast<std::size_t>(y) * static_cast<std::size_t>(columns) + static_cast<std::size_t>(x)];
    };
    std::size_t sample = 0;
    for (int y = 0; y < size.height_px; ++y) {
      for (int x = 0; x < size.width_px; ++x, ++sample) {
        const double right = static_cast<double>(x % cell) / cell;
        const double down = static_cast<double>(y % cell) / cell;
        const int i = x / cell;
        const int j = y / cell;
        sum[sample] +=
            std::lerp(std::lerp(at(i, j), at(i + 1, j), right), std::lerp(at(i, j + 1), at(i + 1, j + 1), right), down);
      }
    }
  }
  std::vector<std::uint8_t> samples;
  samples.reserve(sum.size());
  for (const double one : sum) {
    samples.push_back(static_cast<std::uint8_t>(std::clamp(one + sensor_noise * level(random), 0.0, 255.0)));
  }
  return samples;
}

// 4:2:2, as webcams send it, of the quality that comes closest to `bytes`.
const Blob& picture_of(std::size_t bytes) {
  static std::map<std::size_t, Blob> made;
  Blob& best = made[bytes];
  if (!best.empty()) return best;
  const jpeg::Size half{kSize.width_px / 2, kSize.height_px};
  const std::array planes = {plane(kSize, 60, 4, 1), plane(half, 24, 2, 2), plane(half, 24, 2, 3)};
  const jpeg::PlaneView view{kSize,
                             jpeg::Sampling::Yuv422,
                             {planes[0].data(), planes[1].data(), planes[2].data()},
                             {kSize.width_px, half.width_px, half.width_px}};
  jpeg::Encoder encoder;
  const auto distance = [&](const Blob& one) {
    return std::abs(static_cast<double>(one.size()) - static_cast<double>(bytes));
  };
  for (int quality = 20; quality <= 97; ++quality) {
    const Blob one = encoder.encode_planes(view, quality).value();
    if (best.empty() || distance(one) < distance(best)) best = Blob::copy_of(one.view());
  }
  return best;
}

double seconds_on(clockid_t clock) {
  timespec time{};
  ::clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

void show_size(benchmark::State& state, const Blob& jpeg) {
  state.counters["KB"] = static_cast<double>(jpeg.size()) / 1e3;
}

// Hygiene and the check of the scan alone.
void checked(benchmark::State& state) {
  const Blob& jpeg = picture_of(static_cast<std::size_t>(state.range(0)) * 1000);
  PassThrough pass;
  for ([[maybe_unused]] auto _ : state) {
    if (pass.pass(jpeg.view()).skip) state.SkipWithError("a whole picture was refused");
  }
  show_size(state, jpeg);
}

// All of it. What the reader takes out of the pipe is its own affair, and not counted.
void to_pipe(benchmark::State& state) {
  const Blob& jpeg = picture_of(static_cast<std::size_t>(state.range(0)) * 1000);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return state.SkipWithError("pipe");
  const Fd reader(ends[0]);
  const Fd writer(ends[1]);
  const auto endpoint = parse_endpoint("fd:" + std::to_string(writer.get()), Direction::Out);
  const auto output = Output::open(*endpoint, {}, nullptr).value();
  PassThrough pass;
  std::vector<std::uint8_t> taken(1 << 20);
  const SystemClock clock;
  std::uint64_t sequence = 0;
  for ([[maybe_unused]] auto _ : state) {
    const double begin = seconds_on(CLOCK_PROCESS_CPUTIME_ID);
    auto passed = pass.pass(jpeg.view());
    if (passed.skip) return state.SkipWithError("a whole picture was refused");
    Frame frame;
    frame.captured = frame.received = clock.wall();
    frame.sequence = sequence++;
    frame.jpeg = std::move(passed.jpeg);
    frame.picture = passed.info;
    output->put(std::make_shared<const Frame>(std::move(frame)));
    const double reading = seconds_on(CLOCK_THREAD_CPUTIME_ID);
    std::size_t got = 0;
    while (got < jpeg.size() || taken[got - 2] != '\r' || taken[got - 1] != '\n') {
      const ssize_t more = ::read(reader.get(), taken.data() + got, taken.size() - got);
      if (more <= 0) return state.SkipWithError("the pipe ended early");
      got += static_cast<std::size_t>(more);
    }
    const double read = seconds_on(CLOCK_THREAD_CPUTIME_ID) - reading;
    state.SetIterationTime(seconds_on(CLOCK_PROCESS_CPUTIME_ID) - begin - read);
  }
  show_size(state, jpeg);
}

BENCHMARK(checked)->Name("pass_through/checked")->Arg(30)->Arg(60)->Arg(90)->Unit(benchmark::kMicrosecond);
BENCHMARK(to_pipe)
    ->Name("pass_through/to_pipe")
    ->Arg(30)
    ->Arg(60)
    ->Arg(90)
    ->Unit(benchmark::kMicrosecond)
    ->UseManualTime();

}  // namespace
