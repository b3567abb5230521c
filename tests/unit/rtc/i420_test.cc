#include "rtc/i420.h"

#include <doctest/doctest.h>

#include <vector>

#include "support/planes.h"

namespace {

using namespace fp;
using rtc::encoded_size;
using rtc::fitted_size;

// An I420View with its memory, filled with what no test expects.
struct Canvas {
  explicit Canvas(jpeg::Size size) {
    view.size = size;
    for (std::size_t plane = 0; plane < 3; ++plane) {
      const int width = plane == 0 ? size.width_px : size.width_px / 2;
      const int height = plane == 0 ? size.height_px : size.height_px / 2;
      const int stride = width + 5;
      memory.at(plane).assign(static_cast<std::size_t>(stride * height), 77);
      view.planes.at(plane) = {memory.at(plane).data(), stride};
    }
  }
  [[nodiscard]] int at(std::size_t plane, int x, int y) const {
    return *(view.planes.at(plane).bytes + y * view.planes.at(plane).stride + x);
  }
  std::array<std::vector<std::uint8_t>, 3> memory;
  rtc::I420View view;
};

jpeg::Planes flat(jpeg::Size size, jpeg::Sampling sampling, std::array<std::uint8_t, 3> values) {
  jpeg::Planes planes(size, sampling);
  for (int index = 0; index < planes.count(); ++index) {
    const jpeg::Size padded = planes.layout().padded(index);
    for (int y = 0; y < padded.height_px; ++y) {
      std::fill_n(planes.row(index, y), padded.width_px, values.at(static_cast<std::size_t>(index)));
    }
  }
  return planes;
}

TEST_CASE("encoded_size: even and at least 16, whatever comes") {
  CHECK(encoded_size({640, 480}, std::nullopt) == jpeg::Size{640, 480});
  CHECK(encoded_size({1281, 721}, std::nullopt) == jpeg::Size{1280, 720});
  CHECK(encoded_size({1, 1}, std::nullopt) == jpeg::Size{16, 16});
  CHECK(encoded_size({1920, 1080}, jpeg::Size{641, 361}) == jpeg::Size{640, 360});
}

TEST_CASE("fitted_size: the proportions stay, and nothing is larger than there is room") {
  CHECK(fitted_size({1281, 721}, {1280, 720}) == jpeg::Size{1280, 720});
  CHECK(fitted_size({1280, 720}, {640, 480}) == jpeg::Size{640, 360});
  CHECK(fitted_size({480, 640}, {640, 480}) == jpeg::Size{360, 480});
  CHECK(fitted_size({320, 240}, {640, 480}) == jpeg::Size{640, 480});
  CHECK(fitted_size({1, 16384}, {640, 480}) == jpeg::Size{2, 480});
}

TEST_CASE("draw_i420: full range becomes the range of video, for every sampling") {
  for (const jpeg::Sampling sampling : fp::test::kSamplings) {
    CAPTURE(static_cast<int>(sampling));
    for (const auto& [full, video] :
         {std::pair<std::array<std::uint8_t, 3>, std::array<int, 3>>{{0, 128, 128}, {16, 128, 128}},
          {{255, 255, 0}, {235, 240, 16}},
          {{128, 64, 192}, {126, 72, 184}}}) {
      const jpeg::Planes planes = flat({32, 16}, sampling, full);
      Canvas canvas({32, 16});
      rtc::draw_i420(planes, canvas.view);
      const bool gray = sampling == jpeg::Sampling::Gray;
      for (const auto& [x, y] : {std::pair{0, 0}, {15, 7}, {3, 2}}) {
        CHECK(canvas.at(0, 2 * x, 2 * y) == video[0]);
        CHECK(std::abs(canvas.at(1, x, y) - (gray ? 128 : video[1])) <= 1);
        CHECK(std::abs(canvas.at(2, x, y) - (gray ? 128 : video[2])) <= 1);
      }
    }
  }
}

TEST_CASE("draw_i420: what is wider gets black bars above and below, and nothing beyond the rows is touched") {
  const jpeg::Planes planes = flat({64, 16}, jpeg::Sampling::Yuv444, {255, 128, 128});
  Canvas canvas({32, 32});
  rtc::draw_i420(planes, canvas.view);
  CHECK(canvas.at(0, 5, 0) == 16);
  CHECK(canvas.at(0, 5, 11) == 16);
  CHECK(canvas.at(0, 5, 12) == 235);
  CHECK(canvas.at(0, 5, 19) == 235);
  CHECK(canvas.at(0, 5, 20) == 16);
  CHECK(canvas.at(0, 5, 31) == 16);
  CHECK(canvas.at(1, 3, 0) == 128);
  for (int y = 0; y < 32; ++y) CHECK(*(canvas.view.planes[0].bytes + y * 37 + 32) == 77);
}

TEST_CASE("draw_i420: odd sides lose their last column and row, in every sampling") {
  for (const jpeg::Sampling sampling : fp::test::kSamplings) {
    CAPTURE(static_cast<int>(sampling));
    const jpeg::Planes planes = fp::test::make_planes({33, 17}, sampling);
    Canvas canvas({32, 16});
    rtc::draw_i420(planes, canvas.view);
    // Luma is the same samples, in the other range.
    for (const auto& [x, y] : {std::pair{0, 0}, {31, 15}, {7, 9}}) {
      CHECK(std::abs(canvas.at(0, x, y) - (16 + *(planes.row(0, y) + x) * 219 / 255)) <= 1);
    }
  }
}

TEST_CASE("read_i420: is the way back, within a step") {
  const jpeg::Planes planes = fp::test::make_planes({32, 16}, jpeg::Sampling::Yuv420);
  Canvas canvas({32, 16});
  rtc::draw_i420(planes, canvas.view);
  rtc::I420Source source;
  source.size = {32, 16};
  for (std::size_t plane = 0; plane < 3; ++plane) {
    source.planes.at(plane) = canvas.view.planes.at(plane).bytes;
    source.strides.at(plane) = canvas.view.planes.at(plane).stride;
  }
  CHECK(fp::test::difference(rtc::read_i420(source), planes) <= 1);
  source.full = true;
  const jpeg::Planes same = rtc::read_i420(source);
  CHECK(*same.row(0, 3) == canvas.at(0, 0, 3));
}

}  // namespace
