#include "source/no_signal.h"

#include "frame/encoded_frame.h"
#include "jpeg/card.h"

namespace fp {
namespace {

using namespace std::chrono_literals;

constexpr auto kInterval = 1s;
constexpr int kCardQualityPercent = 80;
constexpr std::size_t kCardColumns = 48;

std::vector<std::string> lines_of(std::string text) {
  std::vector<std::string> lines;
  while (!text.empty() && lines.size() < 4) {
    std::size_t end = text.size();
    if (end > kCardColumns) {
      end = text.rfind(' ', kCardColumns);
      if (end == std::string::npos || end == 0) end = kCardColumns;
    }
    lines.push_back(text.substr(0, end));
    text.erase(0, end + (end < text.size() && text[end] == ' ' ? 1 : 0));
  }
  return lines;
}

}  // namespace

void NoSignal::seen(FramePtr frame) {
  last_ = std::move(frame);
  due_ = clock_->steady() + kInterval;
}

FramePtr NoSignal::tick(const std::string& trouble) {
  const SteadyTime now = clock_->steady();
  if (now < due_) return nullptr;
  due_ = now + kInterval;
  if (trouble.empty()) return nullptr;
  switch (policy_) {
    case Policy::Hold:
      return held();
    case Policy::Card:
      return card(trouble);
    case Policy::None:
      break;
  }
  return nullptr;
}

FramePtr NoSignal::held() const {
  if (!last_) return nullptr;
  Frame frame = *last_;
  frame.signal = Signal::Held;
  return std::make_shared<const Frame>(std::move(frame));
}

FramePtr NoSignal::card(const std::string& trouble) {
  if (!encoder_) encoder_.emplace();
  const jpeg::Size size = last_ ? jpeg::Size{last_->picture.width_px, last_->picture.height_px} : jpeg::Size{640, 480};
  auto encoded = encoder_->encode(jpeg::draw_card(size, "NO SIGNAL", lines_of(trouble)), kCardQualityPercent);
  if (!encoded) return nullptr;
  Frame frame;
  frame.captured = frame.received = clock_->wall();
  frame.sequence = last_ ? last_->sequence : 0;
  frame.signal = Signal::Card;
  return with_jpeg(std::move(frame), std::move(*encoded));
}

}  // namespace fp
