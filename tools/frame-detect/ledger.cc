#include "frame-detect/ledger.h"

#include <spdlog/spdlog.h>

#include <numeric>

#include "detect/detection.h"

namespace fp {
namespace {

using namespace std::chrono_literals;

constexpr auto kQuiet = 10s;  // between two words about frames that failed: a broken camera must not fill the journal

}  // namespace

void Ledger::looked(const Frame* frame) {
  ++looked_;
  if (frame == nullptr || frame->extra.empty()) return;
  const auto detections = detect::parse_detections(frame->extra.back().value);
  if (!detections) return;
  objects_ += detections->objects.size();
  usual_ms_ += (detections->ms - usual_ms_) / (looked_ == 1 ? 1 : 16);
}

void Ledger::failed(const Error& error) {
  Reason reason = Reason::Damaged;
  if (error.kind == Error::Kind::TooLarge) reason = Reason::TooLarge;
  if (error.kind == Error::Kind::Unsupported) reason = Reason::Unsupported;
  ++failed_[static_cast<std::size_t>(reason)];
  const SteadyTime now = clock_.steady();
  if (told_ && now - *told_ < kQuiet) return;
  told_ = now;
  spdlog::warn("a frame could not be looked at: {}", error.text);
}

std::string Ledger::describe(std::uint64_t dropped) const {
  std::string text = fmt::format("{} frames looked at, {} objects, {:.1f} ms each", looked_, objects_, usual_ms_);
  if (passed_ > 0) text += fmt::format(", {} passed as they came", passed_);
  if (superseded_ + dropped > 0) text += fmt::format(", {} superseded", superseded_ + dropped);
  const auto all = std::accumulate(failed_.begin(), failed_.end(), std::uint64_t{0});
  if (all == 0) return text;
  std::string reasons;
  for (std::size_t i = 0; i < failed_.size(); ++i) {
    if (failed_[i] > 0) reasons += fmt::format("{}{} {}", reasons.empty() ? "" : ", ", failed_[i], kReasons[i]);
  }
  return text + fmt::format(", {} failed ({})", all, reasons);
}

}  // namespace fp
