#include "detect/input.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "support/planes.h"

using namespace fp;
using namespace fp::detect;
using fp::jpeg::Planes;
using fp::jpeg::Sampling;
using fp::jpeg::Size;

namespace {

struct Ycc {
  std::uint8_t y, cb, cr;
};

Planes flat(Size size, Sampling sampling, Ycc colour) {
  Planes planes(size, sampling);
  const std::uint8_t values[] = {colour.y, colour.cb, colour.cr};
  for (int index = 0; index < planes.count(); ++index) {
    const Size padded = planes.layout().padded(index);
    std::fill_n(planes.plane(index), static_cast<std::ptrdiff_t>(padded.width_px) * padded.height_px, values[index]);
  }
  return planes;
}

// JFIF's formulae (ITU-T T.871, 7), 0 to 255.
std::array<double, 3> rgb_of(Ycc colour) {
  const auto in_range = [](double value) { return std::clamp(value, 0.0, 255.0); };
  return {in_range(colour.y + 1.402 * (colour.cr - 128)),
          in_range(colour.y - 0.344136 * (colour.cb - 128) - 0.714136 * (colour.cr - 128)),
          in_range(colour.y + 1.772 * (colour.cb - 128))};
}

Box all_of(Size size) { return {0, 0, static_cast<double>(size.width_px), static_cast<double>(size.height_px)}; }

// An input, filled, that can be asked for its samples as 0 to 255.
class Filled {
 public:
  Filled(const Planes& picture, Size frame, const Box& region, Size network, const InputFormat& format = {})
      : network_(network), format_(format), values_(count(network, format), -7.0F) {
    InputMaker maker;
    placement_ = maker.fill(picture, frame, region, network, format, values_);
  }
  Filled(const Planes& picture, Size network, const InputFormat& format = {})
      : Filled(picture, picture.size(), all_of(picture.size()), network, format) {}

  [[nodiscard]] double at(int channel, int x, int y) const {
    const auto c = static_cast<std::size_t>(channel);
    const std::size_t place =
        static_cast<std::size_t>(y) * static_cast<std::size_t>(network_.width_px) + static_cast<std::size_t>(x);
    const auto channels = static_cast<std::size_t>(format_.channels());
    const std::size_t area = values_.size() / channels;
    const float value = values_[format_.channels_last ? place * channels + c : c * area + place];
    return (static_cast<double>(value) - static_cast<double>(format_.offset[c])) /
           static_cast<double>(format_.scale[c]);
  }
  /// All of a rectangle is of this colour, in the order of the channels.
  [[nodiscard]] bool is(const std::array<double, 3>& colour, int left, int top, int right, int bottom) const {
    for (int c = 0; c < format_.channels(); ++c) {
      for (int y = top; y < bottom; ++y) {
        for (int x = left; x < right; ++x) {
          if (std::abs(at(c, x, y) - colour[static_cast<std::size_t>(c)]) > 0.01) return false;
        }
      }
    }
    return true;
  }
  [[nodiscard]] const Placement& placement() const { return placement_; }

 private:
  static std::size_t count(Size network, const InputFormat& format) {
    return static_cast<std::size_t>(network.width_px) * static_cast<std::size_t>(network.height_px) *
           static_cast<std::size_t>(format.channels());
  }
  Size network_;
  InputFormat format_;
  std::vector<float> values_;
  Placement placement_;
};

constexpr Ycc kBlueish{90, 200, 60};
constexpr std::array<double, 3> kSurround = {114, 114, 114};

}  // namespace

TEST_CASE("InputMaker: a flat picture has its very colour everywhere, in each sampling and size") {
  for (const Sampling sampling : fp::test::kSamplings) {
    if (sampling == Sampling::Gray) continue;
    for (const Size size : {Size{96, 64}, Size{97, 65}, Size{31, 21}, Size{384, 257}}) {
      CAPTURE(static_cast<int>(sampling));
      CAPTURE(size.width_px);
      InputFormat format;
      format.stretch = true;
      const Filled input(flat(size, sampling, kBlueish), {96, 64}, format);
      CHECK(input.is(rgb_of(kBlueish), 0, 0, 96, 64));
    }
  }
}

TEST_CASE("InputMaker: colours beyond what can be shown are cut to it") {
  for (const Ycc colour : {Ycc{255, 255, 255}, Ycc{0, 0, 0}, Ycc{255, 0, 255}, Ycc{0, 255, 0}}) {
    const Filled input(flat({32, 32}, Sampling::Yuv444, colour), {32, 32});
    CHECK(input.is(rgb_of(colour), 0, 0, 32, 32));
  }
}

TEST_CASE("InputMaker: order, range and place of the channels are the network's") {
  const Planes picture = flat({32, 24}, Sampling::Yuv420, kBlueish);
  const auto rgb = rgb_of(kBlueish);
  InputFormat format;
  format.colours = InputFormat::Colours::Bgr;
  format.scale = {1, 1, 1};
  CHECK(Filled(picture, {32, 24}, format).is({rgb[2], rgb[1], rgb[0]}, 0, 0, 32, 24));
  format.channels_last = true;
  CHECK(Filled(picture, {32, 24}, format).is({rgb[2], rgb[1], rgb[0]}, 0, 0, 32, 24));
  format.colours = InputFormat::Colours::Rgb;
  format.scale = {1 / 58.395F, 1 / 57.12F, 1 / 57.375F};
  format.offset = {-2.1F, -2.0F, -1.8F};
  CHECK(Filled(picture, {32, 32}, format).is(rgb, 0, 4, 32, 28));
  CHECK(Filled(picture, {32, 32}, format).is(kSurround, 0, 0, 32, 4));
}

TEST_CASE("InputMaker: gray pictures for networks with colours, and the other way round") {
  const Planes gray = flat({31, 23}, Sampling::Gray, {77, 0, 0});
  CHECK(Filled(gray, {31, 23}).is({77, 77, 77}, 0, 0, 31, 23));
  InputFormat format;
  format.colours = InputFormat::Colours::Gray;
  CHECK(Filled(gray, {31, 23}, format).is({77, 77, 77}, 0, 0, 31, 23));
  CHECK(Filled(flat({32, 24}, Sampling::Yuv420, kBlueish), {32, 24}, format).is({90, 90, 90}, 0, 0, 32, 24));
}

TEST_CASE("InputMaker: the aspect is kept, the picture in the middle, and gray around it") {
  const auto rgb = rgb_of(kBlueish);
  const Filled wide(flat({400, 160}, Sampling::Yuv420, kBlueish), {160, 96});
  CHECK(wide.is(kSurround, 0, 0, 160, 16));
  CHECK(wide.is(rgb, 0, 16, 160, 80));
  CHECK(wide.is(kSurround, 0, 80, 160, 96));
  CHECK(wide.placement().to_frame(Box{0, 16, 160, 64}) == Box{0, 0, 400, 160});
  const Filled high(flat({120, 240}, Sampling::Yuv420, kBlueish), {160, 96});
  CHECK(high.is(kSurround, 0, 0, 56, 96));
  CHECK(high.is(rgb, 56, 0, 104, 96));
  const Keypoint corner = high.placement().to_frame(Keypoint{104, 96, 0.5});
  CHECK(corner.x == doctest::Approx(120));
  CHECK(corner.y == doctest::Approx(240));
  CHECK(corner.confidence == 0.5);
}

TEST_CASE("InputMaker: a part of the frame fills the input, and its places come back to the frame") {
  constexpr Size kFrame{200, 100};
  Planes picture = flat(kFrame, Sampling::Yuv444, {40, 128, 128});
  // A bright patch in the right half, 20x20 at (140, 40).
  for (int y = 40; y < 60; ++y) std::fill_n(picture.row(0, y) + 140, 20, std::uint8_t{240});
  const Filled input(picture, kFrame, {100, 0, 100, 100}, {50, 50});
  CHECK(input.is({240, 240, 240}, 21, 21, 29, 29));
  CHECK(input.is({40, 40, 40}, 0, 0, 50, 19));
  CHECK(input.is({40, 40, 40}, 0, 0, 19, 50));
  CHECK(input.is({40, 40, 40}, 31, 0, 50, 50));
  CHECK(input.placement().to_frame(Box{20, 20, 10, 10}) == Box{140, 40, 20, 20});
}

TEST_CASE("InputMaker: places are those of the frame also when it was decoded smaller") {
  constexpr Size kFrame{400, 240};
  const Filled input(flat({100, 60}, Sampling::Yuv420, kBlueish), kFrame, {200, 120, 160, 96}, {80, 48});
  const Box back = input.placement().to_frame(Box{0, 0, 80, 48});
  CHECK(back.x == doctest::Approx(200));
  CHECK(back.y == doctest::Approx(120));
  CHECK(back.width_px == doctest::Approx(160));
  CHECK(back.height_px == doctest::Approx(96));
  CHECK(input.is(rgb_of(kBlueish), 0, 0, 80, 48));
}

TEST_CASE("InputMaker: regions at and over the edge, and as small as a pixel, are taken from within") {
  for (const Sampling sampling : fp::test::kSamplings) {
    const Planes picture = flat({37, 23}, sampling, kBlueish);
    const auto colour = sampling == Sampling::Gray ? std::array<double, 3>{90, 90, 90} : rgb_of(kBlueish);
    for (const Box& region :
         {Box{36, 22, 1, 1}, Box{30, 20, 100, 100}, Box{-50, -50, 60, 60}, Box{36.7, 22.9, 0.1, 0.05}, Box{0, 0, 37, 1},
          Box{35, 0, 1.5, 23}, Box{1e6, 1e6, 10, 10}}) {
      CAPTURE(static_cast<int>(sampling));
      CAPTURE(region.x);
      CAPTURE(region.y);
      InputFormat format;
      format.stretch = true;
      const Filled input(picture, picture.size(), region, {24, 16}, format);
      CHECK(input.is(colour, 0, 0, 24, 16));
    }
  }
}

TEST_CASE("InputMaker: one after the other, of whatever size, nothing of the last one is left") {
  InputMaker maker;
  std::vector<float> values(std::size_t{3} * 48 * 48);
  for (const Size size : {Size{48, 48}, Size{480, 16}, Size{8, 300}, Size{1, 1}}) {
    const Planes picture = flat(size, Sampling::Yuv420, kBlueish);
    (void)maker.fill(picture, size, all_of(size), {48, 48}, {}, values);
    std::vector<float> fresh(values.size());
    InputMaker other;
    (void)other.fill(picture, size, all_of(size), {48, 48}, {}, fresh);
    CHECK(values == fresh);
  }
}

TEST_CASE("size_needed: enough of the whole frame that the region fills the input, and no more than there is") {
  CHECK(size_needed({1280, 720}, {0, 0, 1280, 720}, {640, 640}) == Size{640, 360});
  CHECK(size_needed({1280, 720}, {0, 0, 320, 360}, {640, 640}) == Size{1280, 720});
  CHECK(size_needed({1280, 720}, {0, 0, 640, 360}, {160, 90}) == Size{320, 180});
  CHECK(size_needed({320, 240}, {0, 0, 320, 240}, {640, 640}) == Size{320, 240});
  CHECK(size_needed({16384, 1}, {0, 0, 16384, 1}, {64, 64}) == Size{64, 1});
}
