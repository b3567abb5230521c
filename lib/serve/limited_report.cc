#include "serve/limited_report.h"

#include <utility>

namespace fp {

using namespace std::chrono_literals;

LimitedReport::LimitedReport(Loop& loop, const Clock& clock, std::string prefix, Report report)
    : clock_(clock), prefix_(std::move(prefix)), report_(std::move(report)), timer_(loop, [this] { settle(); }) {}

void LimitedReport::line(const std::string& text) {
  const SteadyTime now = clock_.steady();
  if (lines_ == 0 || now - since_ >= 1s) {
    settle();
    since_ = now;
    lines_ = 0;
  }
  if (lines_ == kMostLines) {
    ++left_out_;
    if (!timer_.active()) timer_.once(since_ + 1s - now);
    return;
  }
  ++lines_;
  if (report_) report_(Severity::Info, prefix_ + text);
}

void LimitedReport::settle() {
  timer_.cancel();
  const std::uint64_t count = std::exchange(left_out_, 0);
  if (count == 0 || !report_) return;
  report_(Severity::Info,
          prefix_ + std::to_string(count) + (count == 1 ? " line" : " lines") + " more within a second, left out here");
}

}  // namespace fp
