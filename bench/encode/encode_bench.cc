// What camgrab adds to libjpeg-turbo: a raw picture through RawEncoder beside the bare call from planes that are there
// already, and what following a scan costs. `build/release/bin/encode_bench`, on a quiet machine.
#include <benchmark/benchmark.h>
#include <turbojpeg.h>

#include <array>
#include <cstdint>
#include <random>
#include <vector>

#include "jpeg/hygiene.h"
#include "jpeg/scan_check.h"
#include "source/raw_picture.h"

namespace {

using namespace fp;

constexpr jpeg::Size kSize{1280, 720};
constexpr int kQualityPercent = 80;

// Slopes, edges and a little noise, as a camera sees them; the planes and the packed picture of the same.
struct Scene {
  std::vector<std::uint8_t> luma;
  std::array<std::vector<std::uint8_t>, 2> chroma;
  std::vector<std::uint8_t> yuyv;
  Scene() {
    std::minstd_rand random(1);
    for (int y = 0; y < kSize.height_px; ++y) {
      for (int x = 0; x < kSize.width_px; ++x) {
        const int edge = (x / 60 + y / 45) % 3 == 0 ? 60 : 0;
        const int noise = static_cast<int>(random() >> 8 & 7);
        luma.push_back(
            static_cast<std::uint8_t>(30 + x * 80 / kSize.width_px + y * 40 / kSize.height_px + edge + noise));
        if (x % 2 == 0) chroma[0].push_back(static_cast<std::uint8_t>(90 + x * 70 / kSize.width_px));
        if (x % 2 == 0) chroma[1].push_back(static_cast<std::uint8_t>(90 + y * 70 / kSize.height_px));
      }
    }
    for (std::size_t i = 0; i < luma.size(); ++i) {
      yuyv.push_back(luma[i]);
      yuyv.push_back(chroma[i % 2][i / 2]);
    }
  }
};
const Scene& scene() {
  static const Scene one;
  return one;
}

void bare_turbojpeg(benchmark::State& state) {
  const tjhandle handle = tjInitCompress();
  std::vector<unsigned char> out(tjBufSize(kSize.width_px, kSize.height_px, TJSAMP_420));
  std::array<const unsigned char*, 3> planes = {scene().luma.data(), scene().chroma[0].data(),
                                                scene().chroma[1].data()};
  for ([[maybe_unused]] auto _ : state) {
    unsigned char* to = out.data();
    unsigned long bytes = static_cast<unsigned long>(out.size());
    if (tjCompressFromYUVPlanes(handle, planes.data(), kSize.width_px, nullptr, kSize.height_px, TJSAMP_420, &to,
                                &bytes, kQualityPercent, TJFLAG_NOREALLOC) != 0) {
      state.SkipWithError(tjGetErrorStr2(handle));
    }
    benchmark::DoNotOptimize(bytes);
  }
  tjDestroy(handle);
}

void yuyv(benchmark::State& state, bool full_range) {
  RawEncoder encoder(kQualityPercent);
  const RawLayout layout{RawFormat::Yuyv, kSize, 2 * kSize.width_px, full_range};
  for ([[maybe_unused]] auto _ : state) benchmark::DoNotOptimize(encoder.encode(ByteView(scene().yuyv), layout));
}
void yuyv_full_range(benchmark::State& state) { yuyv(state, true); }
void yuyv_limited_range(benchmark::State& state) { yuyv(state, false); }

void pass_through_hygiene(benchmark::State& state) {
  RawEncoder encoder(kQualityPercent);
  const Blob jpeg = encoder.encode(ByteView(scene().yuyv), {RawFormat::Yuyv, kSize, 0, false}).value();
  jpeg::ScanCheck check;
  for ([[maybe_unused]] auto _ : state) {
    const auto clean = jpeg::clean(Blob::copy_of(jpeg.view()));
    benchmark::DoNotOptimize(check.check(clean->jpeg.view()));
  }
  state.counters["KB"] = static_cast<double>(jpeg.size()) / 1e3;
}

BENCHMARK(bare_turbojpeg)->Unit(benchmark::kMillisecond);
BENCHMARK(yuyv_full_range)->Unit(benchmark::kMillisecond);
BENCHMARK(yuyv_limited_range)->Unit(benchmark::kMillisecond);
BENCHMARK(pass_through_hygiene)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
