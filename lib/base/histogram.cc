#include "base/histogram.h"

#include <algorithm>
#include <cmath>

namespace fp {
namespace {

constexpr double kFirstNs = 10'000;
constexpr double kGrowth = 1.05;

}  // namespace

std::size_t Histogram::bucket_of(Duration time) {
  const double ns = static_cast<double>(time.count());
  if (ns <= kFirstNs) return 0;
  const double steps = std::ceil(std::log(ns / kFirstNs) / std::log(kGrowth) - 1e-9);
  return std::min(static_cast<std::size_t>(steps), kBuckets - 1);
}

Histogram::Duration Histogram::upper_bound_of(std::size_t bucket) {
  return Duration(static_cast<Duration::rep>(kFirstNs * std::pow(kGrowth, static_cast<double>(bucket))));
}

void Histogram::add(Duration time) {
  least_ = count_ == 0 ? time : std::min(least_, time);
  most_ = count_ == 0 ? time : std::max(most_, time);
  time = std::max(time, Duration(0));
  ++buckets_[bucket_of(time)];
  ++count_;
  sum_ += time;
}

Histogram::Duration Histogram::percentile(double percent) const {
  if (count_ == 0) return Duration(0);
  const double wanted = std::ceil(static_cast<double>(count_) * percent / 100.0);
  double seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += buckets_[i];
    if (seen >= wanted)
      return std::clamp(upper_bound_of(i), std::max(least_, Duration(0)), std::max(most_, Duration(0)));
  }
  return most_;
}

std::uint64_t Histogram::within(Duration limit) const {
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets && upper_bound_of(i) <= limit; ++i) seen += buckets_[i];
  return seen;
}

}  // namespace fp
