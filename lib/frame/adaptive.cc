#include "frame/adaptive.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <vector>

namespace fp {
namespace {

using namespace std::chrono_literals;

constexpr double kTooSlow = 0.8;
constexpr double kTooFast = 1.2;
constexpr int kStep = 10;
constexpr auto kSoon = 10s;           // going up was too much when it is undone within
constexpr auto kArrivalsGap = 250ms;  // between two notes of what has come in
constexpr std::size_t kArrivals = 20;

std::string rounded(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f", value);
  return text.data();
}

}  // namespace

Adaptive::Adaptive(Options options, const Clock& clock)
    : options_(options),
      clock_(clock),
      level_{std::clamp(options.start_quality_percent, options.min_quality_percent, options.max_quality_percent),
             false},
      trend_since_(clock.steady()) {}

void Adaptive::arrived(std::uint64_t frames) {
  const SteadyTime now = clock_.steady();
  if (!arrivals_.empty() && now - arrivals_.back().at < kArrivalsGap) return;
  arrivals_.push_back({now, frames});
  if (arrivals_.size() > kArrivals) arrivals_.pop_front();
}

void Adaptive::taken(Duration time) {
  times_.push_back(time);
  if (times_.size() > kWindow) times_.pop_front();
}

double Adaptive::target_fps() const {
  if (options_.target_fps > 0) return options_.target_fps;
  // Of less than a second too little is known.
  if (arrivals_.empty() || arrivals_.back().at - arrivals_.front().at < 1s) return 0;
  return static_cast<double>(arrivals_.back().frames - arrivals_.front().frames) /
         seconds_of(arrivals_.back().at - arrivals_.front().at);
}

std::optional<double> Adaptive::rate_fps() const {
  Duration median{0};
  if (times_.size() >= kLeast) {
    std::vector<Duration> sorted(times_.begin(), times_.end());
    const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
    std::nth_element(sorted.begin(), middle, sorted.end());
    median = *middle;
  }
  // A reader that stands still takes nothing, and would never be heard of.
  const Duration time = std::max(median, waiting_);
  if (times_.size() < kLeast && waiting_ < 1s) return std::nullopt;
  return 1 / std::max(seconds_of(time), 1e-6);
}

Adaptive::Trend Adaptive::trend() const {
  const auto rate = rate_fps();
  const double target = target_fps();
  if (!rate || target <= 0) return Trend::Fine;
  if (*rate < kTooSlow * target) return Trend::TooSlow;
  return *rate > kTooFast * target ? Trend::TooFast : Trend::Fine;
}

std::optional<Adaptive::Level> Adaptive::lower() const {
  if (level_.half) return std::nullopt;
  if (level_.quality_percent == options_.min_quality_percent) return Level{level_.quality_percent, true};
  return Level{std::max(level_.quality_percent - kStep, options_.min_quality_percent), false};
}

std::optional<Adaptive::Level> Adaptive::higher() const {
  if (level_.half) return Level{level_.quality_percent, false};
  if (level_.quality_percent == options_.max_quality_percent) return std::nullopt;
  return Level{std::min(level_.quality_percent + kStep, options_.max_quality_percent), false};
}

std::optional<std::string> Adaptive::decide() {
  const SteadyTime now = clock_.steady();
  const Trend seen = trend();
  if (seen != trend_) {
    trend_ = seen;
    trend_since_ = now;
  }
  // Going up has stood the test.
  if (went_up_ && now - *went_up_ > kSoon) {
    went_up_.reset();
    if (trend_ != Trend::TooSlow) up_after_ = kUpAfter;
  }
  const auto lasted = now - trend_since_;
  if (trend_ == Trend::TooSlow && lasted >= kDownAfter) {
    if (const auto level = lower()) return change(*level, /*up=*/false);
  } else if (trend_ == Trend::TooFast && lasted >= up_after_) {
    if (const auto level = higher()) return change(*level, /*up=*/true);
  }
  return std::nullopt;
}

std::string Adaptive::change(Level level, bool up) {
  const SteadyTime now = clock_.steady();
  const std::string why =
      "the reader could take " + rounded(rate_fps().value_or(0)) + " of " + rounded(target_fps()) + " frames a second";
  if (!up && went_up_) up_after_ = std::min(up_after_ * 2, kUpAfterAtMost);
  went_up_ = up ? std::optional(now) : std::nullopt;
  level_ = level;
  // What was measured before says nothing about frames of this level.
  times_.clear();
  trend_ = Trend::Fine;
  trend_since_ = now;
  return "quality " + std::to_string(level.quality_percent) + (level.half ? " at half the size" : " at the full size") +
         ": " + why;
}

}  // namespace fp
