#include "frame-convert/conversion.h"

#include <spdlog/spdlog.h>

#include <numeric>

#include "frame/convert.h"

namespace fp {
namespace {

using namespace std::chrono_literals;

constexpr auto kQuiet = 10s;  // between two words about dropped frames: a broken camera must not fill the journal

}  // namespace

Conversion::Conversion(jpeg::Wishes wishes, CaptionFormat caption, const Clock& clock)
    : wishes_(std::move(wishes)), caption_(std::move(caption)), clock_(clock) {}

FramePtr Conversion::apply(FramePtr frame, const std::optional<Adaptive::Level>& level) {
  ++seen_;
  wishes_.text = caption_.of(*frame);
  if (level) {
    wishes_.quality_percent = level->quality_percent;
    wishes_.half = level->half;
  }
  auto converted = convert_frame(converter_, frame, wishes_);
  if (!converted) {
    drop(converted.error());
    return nullptr;
  }
  if (converted->how == jpeg::Converter::How::Encoded && encoded_++ == 0) {
    spdlog::info("frames are decoded and re-encoded: {}", converted->why);
  }
  if (converted->detections_dropped && detections_dropped_++ == 0) {
    spdlog::warn("X-Detections dropped: it is not the JSON of mjpeg-frames(5)");
  }
  return std::move(converted->frame);
}

void Conversion::drop(const Error& error) {
  Drop reason = Drop::Damaged;
  if (error.kind == Error::Kind::TooLarge) reason = Drop::TooLarge;
  if (error.kind == Error::Kind::Unsupported) reason = Drop::Unsupported;
  ++drops_[static_cast<std::size_t>(reason)];
  const SteadyTime now = clock_.steady();
  if (told_of_drops_ && now - *told_of_drops_ < kQuiet) return;
  told_of_drops_ = now;
  spdlog::warn("{} so far; the last one: {}", describe_drops(), error.text);
}

std::string Conversion::describe_drops() const {
  const auto all = std::accumulate(drops_.begin(), drops_.end(), std::uint64_t{0});
  std::string reasons;
  for (std::size_t i = 0; i < drops_.size(); ++i) {
    if (drops_[i] == 0) continue;
    if (!reasons.empty()) reasons += ", ";
    reasons += std::to_string(drops_[i]) + " " + kDropNames[i];
  }
  return std::to_string(all) + " dropped" + (reasons.empty() ? "" : " (" + reasons + ")");
}

std::string Conversion::describe() const {
  std::string text =
      std::to_string(seen_) + " frames, " + std::to_string(encoded_) + " re-encoded, " + describe_drops();
  if (detections_dropped_ > 0) text += ", " + std::to_string(detections_dropped_) + " without their X-Detections";
  return text;
}

}  // namespace fp
