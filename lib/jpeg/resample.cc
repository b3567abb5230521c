#include "jpeg/resample.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>

namespace fp::jpeg {
namespace {

constexpr int kWeightBits = 14;
constexpr int kOne = 1 << kWeightBits;

// Which samples of a row (or column) make each of a new one, and how much of each: `taps` for each, all in a row.
struct Axis {
  int taps = 0;
  std::vector<int> first;
  std::vector<int> weights;  // of one sample they add up to kOne
  bool unchanged = false;    // the samples from first[0] on, one by one

  [[nodiscard]] const int* weights_of(int at) const {
    return &weights[static_cast<std::size_t>(at) * static_cast<std::size_t>(taps)];
  }
  [[nodiscard]] int first_of(int at) const { return first[static_cast<std::size_t>(at)]; }
};

// In samples of one plane.
struct Span {
  double begin = 0;
  double length = 0;
  bool flip = false;
};

// Rounded weights, with what rounding lost given to the heaviest: a flat surface stays what it is.
void put_weights(const std::vector<double>& exact, int* to) {
  double sum = 0;
  for (const double weight : exact) sum += weight;
  int left = kOne;
  std::size_t heaviest = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    to[i] = static_cast<int>(std::lround(exact[i] / sum * kOne));
    left -= to[i];
    if (exact[i] > exact[heaviest]) heaviest = i;
  }
  to[heaviest] += left;
}

Axis make_axis(const Span& span, int samples, double to_length, int to_samples) {
  const double step = span.length / to_length;
  const double reach = std::max(1.0, step);
  // A hair's breadth of tolerance: 0.1 + 0.2 must not take in a further sample.
  const int least = std::clamp(static_cast<int>(std::floor(span.begin + 1e-6)), 0, samples - 1);
  const int most = std::clamp(static_cast<int>(std::ceil(span.begin + span.length - 1e-6)) - 1, least, samples - 1);
  Axis axis;
  axis.taps = std::min(most - least + 1, static_cast<int>(std::ceil(2 * reach)) + 1);
  axis.first.resize(static_cast<std::size_t>(to_samples));
  axis.weights.resize(static_cast<std::size_t>(to_samples) * static_cast<std::size_t>(axis.taps));
  std::vector<double> exact(static_cast<std::size_t>(axis.taps));
  bool single = true;
  axis.unchanged = true;
  for (int i = 0; i < to_samples; ++i) {
    const double way = (i + 0.5) * step;
    const double centre = span.begin + (span.flip ? span.length - way : way) - 0.5;
    const int from = std::clamp(static_cast<int>(std::ceil(centre - reach - 1e-6)), least, most - axis.taps + 1);
    double sum = 0;
    for (int tap = 0; tap < axis.taps; ++tap) {
      const double weight = std::max(0.0, 1.0 - std::abs(from + tap - centre) / reach);
      exact[static_cast<std::size_t>(tap)] = weight;
      sum += weight;
    }
    // Chroma of an odd side may reach beyond its last sample.
    if (sum < 1e-9) exact[centre < from ? 0 : exact.size() - 1] = 1;
    int* const weights = &axis.weights[static_cast<std::size_t>(i) * static_cast<std::size_t>(axis.taps)];
    put_weights(exact, weights);
    axis.first[static_cast<std::size_t>(i)] = from;
    single = single && std::find(weights, weights + axis.taps, kOne) != weights + axis.taps;
  }
  if (single) {
    for (int i = 0; i < to_samples; ++i) {
      const int* const weights = axis.weights_of(i);
      axis.first[static_cast<std::size_t>(i)] +=
          static_cast<int>(std::find(weights, weights + axis.taps, kOne) - weights);
    }
    axis.taps = 1;
    axis.weights.assign(static_cast<std::size_t>(to_samples), kOne);
  }
  for (int i = 0; i < to_samples; ++i)
    axis.unchanged = axis.unchanged && single && axis.first_of(i) == axis.first_of(0) + i;
  return axis;
}

// Adds the samples of one row, weighted. Apart, and with pointers that promise not to overlap, for the compiler to do
// many at once.
void add_row(const std::uint8_t* __restrict row, int weight, int* __restrict sums, std::size_t width) {
  for (std::size_t x = 0; x < width; ++x) sums[x] += weight * row[x];
}

// One row made of several: the sums are 22 bits.
void mix_rows(const Planes& from, int index, const Axis& down, int y, std::vector<int>& sums, std::uint8_t* row) {
  const int* const weights = down.weights_of(y);
  std::fill(sums.begin(), sums.end(), kOne / 2);
  for (int tap = 0; tap < down.taps; ++tap) {
    if (weights[tap] != 0) add_row(from.row(index, down.first_of(y) + tap), weights[tap], sums.data(), sums.size());
  }
  const int* const all = sums.data();
  for (std::size_t x = 0; x < sums.size(); ++x) row[x] = static_cast<std::uint8_t>(all[x] >> kWeightBits);
}

// With the number of taps known the inner loop is none.
template <int kTaps>
void mix_columns_of(const std::uint8_t* row, const Axis& across, std::uint8_t* to, std::size_t width) {
  const int* first = across.first.data();
  const int* weights = across.weights.data();
  for (std::size_t x = 0; x < width; ++x, weights += kTaps) {
    const std::uint8_t* const source = row + first[x];
    int sum = kOne / 2;
    for (int tap = 0; tap < kTaps; ++tap) sum += weights[tap] * source[tap];
    to[x] = static_cast<std::uint8_t>(sum >> kWeightBits);
  }
}

void mix_columns(const std::uint8_t* row, const Axis& across, std::uint8_t* to, std::size_t width) {
  if (across.unchanged) {
    std::memcpy(to, row + across.first_of(0), width);
    return;
  }
  switch (across.taps) {
    case 1:
      return mix_columns_of<1>(row, across, to, width);
    case 2:
      return mix_columns_of<2>(row, across, to, width);
    case 3:
      return mix_columns_of<3>(row, across, to, width);
    case 4:
      return mix_columns_of<4>(row, across, to, width);
    case 5:
      return mix_columns_of<5>(row, across, to, width);
    default:
      break;
  }
  for (std::size_t x = 0; x < width; ++x) {
    const std::uint8_t* const source = row + across.first[x];
    const int* const weights = across.weights_of(static_cast<int>(x));
    int sum = kOne / 2;
    for (int tap = 0; tap < across.taps; ++tap) sum += weights[tap] * source[tap];
    to[x] = static_cast<std::uint8_t>(sum >> kWeightBits);
  }
}

void resample_plane(const Planes& from, int index, const Axis& across, const Axis& down, Planes& to) {
  const Size shown = to.layout().shown(index);
  const int width = from.layout().shown(index).width_px;
  std::vector<int> sums(static_cast<std::size_t>(width));
  std::vector<std::uint8_t> row(static_cast<std::size_t>(width));
  for (int y = 0; y < shown.height_px; ++y) {
    const std::uint8_t* source = row.data();
    if (down.taps == 1) {
      source = from.row(index, down.first_of(y));
    } else {
      mix_rows(from, index, down, y, sums, row.data());
    }
    mix_columns(source, across, to.row(index, y), static_cast<std::size_t>(shown.width_px));
  }
}

Planes resample_upright(const Planes& from, const Region& region, const Turn& turn, Size size, Sampling sampling) {
  Planes to(size, sampling);
  for (int index = 0; index < to.count(); ++index) {
    const Size have = from.layout().shown(index);
    const Size want = to.layout().shown(index);
    const bool chroma = index > 0;
    const double across_from = chroma ? chroma_divisor_x(from.sampling()) : 1;
    const double down_from = chroma ? chroma_divisor_y(from.sampling()) : 1;
    const double across_to = chroma ? chroma_divisor_x(sampling) : 1;
    const double down_to = chroma ? chroma_divisor_y(sampling) : 1;
    const Axis across = make_axis({region.x / across_from, region.width_px / across_from, turn.flip_x}, have.width_px,
                                  size.width_px / across_to, want.width_px);
    const Axis down = make_axis({region.y / down_from, region.height_px / down_from, turn.flip_y}, have.height_px,
                                size.height_px / down_to, want.height_px);
    resample_plane(from, index, across, down, to);
  }
  return to;
}

// In tiles, since a column of a large picture has each sample in another cache line.
Planes transpose(const Planes& from, Sampling sampling) {
  constexpr int kTile = 32;
  Planes to({from.size().height_px, from.size().width_px}, sampling);
  for (int index = 0; index < from.count(); ++index) {
    const Size shown = from.layout().shown(index);
    const auto stride = to.stride(index);
    for (int top = 0; top < shown.height_px; top += kTile) {
      for (int left = 0; left < shown.width_px; left += kTile) {
        for (int y = top; y < std::min(top + kTile, shown.height_px); ++y) {
          const std::uint8_t* const source = from.row(index, y);
          std::uint8_t* target = to.row(index, left) + y;
          for (int x = left; x < std::min(left + kTile, shown.width_px); ++x, target += stride) *target = source[x];
        }
      }
    }
  }
  return to;
}

Sampling transposed(Sampling sampling) {
  switch (sampling) {
    case Sampling::Yuv422:
      return Sampling::Yuv440;
    case Sampling::Yuv440:
      return Sampling::Yuv422;
    default:
      return sampling;
  }
}

}  // namespace

Planes resample(const Planes& from, const Region& region, const Turn& turn, Size to) {
  assert(region.x >= 0 && region.y >= 0 && region.width_px > 0.99 && region.height_px > 0.99);
  Sampling sampling = from.sampling();
  if (turn.transpose && sampling == Sampling::Yuv411) sampling = Sampling::Yuv420;
  Planes upright = resample_upright(from, region, turn, turn.of(to), sampling);
  Planes result = turn.transpose ? transpose(upright, transposed(sampling)) : std::move(upright);
  result.pad_edges();
  return result;
}

}  // namespace fp::jpeg
