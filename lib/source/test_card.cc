#include "source/test_card.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <string>

#include "base/result.h"
#include "frame/encoded_frame.h"

namespace fp {
namespace {

using jpeg::Colour;
using jpeg::Picture;

Picture draw_background(jpeg::Size size) {
  Picture card(size);
  constexpr std::array<std::array<int, 3>, 8> kBars = {{{235, 235, 235},
                                                        {220, 205, 30},
                                                        {40, 190, 205},
                                                        {50, 180, 60},
                                                        {190, 60, 180},
                                                        {200, 50, 45},
                                                        {45, 70, 190},
                                                        {20, 22, 26}}};
  const int bars_height = size.height_px * 55 / 100;
  for (int i = 0; i < 8; ++i) {
    const auto& bar = kBars[static_cast<std::size_t>(i)];
    const int left = size.width_px * i / 8;
    card.fill(left, 0, size.width_px * (i + 1) / 8 - left, bars_height, Colour::rgb(bar[0], bar[1], bar[2]));
  }
  const int ramp_height = size.height_px * 10 / 100;
  for (int i = 0; i < 32; ++i) {
    const int left = size.width_px * i / 32;
    const int level = 255 * i / 31;
    card.fill(left, bars_height, size.width_px * (i + 1) / 32 - left, ramp_height, Colour::rgb(level, level, level));
  }
  card.fill(0, bars_height + ramp_height, size.width_px, size.height_px, Colour::rgb(24, 28, 34));
  return card;
}

std::string clock_text(WallTime now) {
  const auto since = now.time_since_epoch();
  const std::time_t seconds = std::chrono::duration_cast<std::chrono::seconds>(since).count();
  std::tm local{};
  ::localtime_r(&seconds, &local);
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%02d:%02d:%02d.%03d", local.tm_hour, local.tm_min, local.tm_sec,
                static_cast<int>(since.count() / 1000 % 1000));
  return text.data();
}

}  // namespace

TestCard::TestCard(Options options, const Clock& clock)
    : options_(options),
      clock_(&clock),
      background_(draw_background(options.size)),
      next_(clock.steady()),
      interval_(static_cast<long long>(1e9 / options.fps)) {
  Result<Blob> tried = encoder_.encode(background_, options.quality_percent);
  if (!tried) throw Failure{Exit::Usage, "test card: " + tried.error().text};
}

void TestCard::draw(Picture& card, WallTime now) const {
  const auto [width, height] = options_.size;
  const auto phase = now.time_since_epoch().count() % 2'000'000;
  const int bar = std::max(4, width / 40 / 2 * 2);
  const auto x = static_cast<int>(phase * (width + bar) / 2'000'000) - bar;
  card.fill(x / 2 * 2, 0, bar, height * 65 / 100, Colour::rgb(255, 255, 255));
  card.fill(x / 2 * 2 + bar / 2, 0, bar / 4, height * 65 / 100, Colour::rgb(0, 0, 0));

  const std::string time = clock_text(now);
  const int scale = std::clamp(std::min(width * 9 / 10 / Picture::text_width_px(time, 1), height / 5 / 8), 1, 64);
  const int top = height * 70 / 100;
  card.text((width - Picture::text_width_px(time, scale)) / 2, top, scale, Colour::rgb(245, 245, 245), time);
  const std::string frame =
      std::to_string(width) + "x" + std::to_string(height) + "  frame " + std::to_string(sequence_);
  const int small = std::max(1, scale / 3);
  card.text((width - Picture::text_width_px(frame, small)) / 2, top + 9 * scale, small, Colour::rgb(160, 170, 184),
            frame);
}

FramePtr TestCard::advance() {
  const SteadyTime now = clock_->steady();
  if (now < next_) return nullptr;
  // Late by whole frames: they are skipped, and the gap in the sequence says so.
  const auto missed = static_cast<std::uint64_t>((now - next_) / interval_);
  if (missed > 0 && !options_.every_frame) {
    sequence_ += missed;
    late_ += missed;
    next_ += interval_ * static_cast<long long>(missed);
  }
  next_ += interval_;

  Frame frame;
  frame.captured = frame.received = clock_->wall();
  frame.sequence = sequence_;
  Picture card = background_;
  draw(card, frame.captured);
  ++sequence_;
  Result<Blob> encoded = encoder_.encode(card, options_.quality_percent);
  if (!encoded) return nullptr;  // cannot be: the constructor has tried
  return with_jpeg(std::move(frame), std::move(*encoded));
}

}  // namespace fp
