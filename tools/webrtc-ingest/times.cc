#include "webrtc-ingest/times.h"

#include <algorithm>
#include <cmath>

namespace fp::ingest {
namespace {

using namespace std::chrono_literals;

constexpr double kMostMs = 8.64e15;       // of a JavaScript Date: nothing above is a time
constexpr double kLongestMs = 3'600'000;  // from T_start to T_end: an hour
constexpr auto kOldest = std::chrono::minutes(10);

std::chrono::nanoseconds duration(double ms) { return std::chrono::nanoseconds(std::llround(ms * 1e6)); }

bool is_time(double ms) { return std::isfinite(ms) && std::abs(ms) <= kMostMs; }

std::string ms_text(std::chrono::nanoseconds time) { return std::to_string(std::llround(seconds_of(time) * 1e3)); }

std::string describe_one(const char* name, const Histogram& times) {
  return std::string(name) + " " + ms_text(times.percentile(50)) + " ms (p95 " + ms_text(times.percentile(95)) + ")";
}

}  // namespace

double ms_of(WallTime time) { return static_cast<double>(time.time_since_epoch().count()) / 1e3; }

std::string Latencies::describe() const {
  std::string text;
  const auto add = [&](const char* name, const Histogram& times) {
    if (times.count() > 0) text += (text.empty() ? "" : ", ") + describe_one(name, times);
  };
  add("total", total);
  add("transfer", transfer);
  add("processing", processing);
  add("upload", upload);
  return text;
}

bool Times::set_offset(double offset_ms, double error_ms) {
  if (!is_time(offset_ms) || !std::isfinite(error_ms) || error_ms < 0 || error_ms > kLongestMs) return false;
  offset_ms_ = offset_ms;
  error_ms_ = error_ms;
  return true;
}

WallTime Times::captured(std::optional<double> start_ms, WallTime received) const {
  if (!start_ms || !offset_ms_ || !is_time(*start_ms)) return received;
  const double since_ms = ms_of(received) - (*start_ms + *offset_ms_);
  if (since_ms <= 0 || since_ms > seconds_of(kOldest) * 1e3) return received;
  return received - std::chrono::duration_cast<std::chrono::microseconds>(duration(since_ms));
}

void Times::given(std::uint64_t number, std::optional<double> start_ms, WallTime received) {
  if (start_ms && !is_time(*start_ms)) start_ms.reset();
  frames_.push_back({number, start_ms, received, std::nullopt, false});
  if (frames_.size() > kMostFrames) frames_.pop_front();
}

// From the newest on: a page that begins to count anew means its new frames.
TimedFrame* Times::find(std::uint64_t number) {
  const auto found =
      std::find_if(frames_.rbegin(), frames_.rend(), [&](const TimedFrame& frame) { return frame.number == number; });
  return found == frames_.rend() ? nullptr : &*found;
}

const TimedFrame* Times::bind(const nlohmann::ordered_json& line, WallTime inferred) {
  TimedFrame* frame = frames_.empty() ? nullptr : &frames_.back();
  const auto named = line.find("sequence");
  if (named != line.end() && named->is_number_unsigned()) frame = find(named->get<std::uint64_t>());
  if (frame == nullptr) return nullptr;
  if (!frame->inferred) {
    all_.processing.add(inferred - frame->received);
    mine_.processing.add(inferred - frame->received);
  }
  frame->inferred = inferred;
  return frame;
}

bool Times::end(std::uint64_t number, double end_ms) {
  TimedFrame* const frame = find(number);
  if (frame == nullptr || frame->ended || !frame->start_ms || !is_time(end_ms)) return false;
  const double total_ms = end_ms - *frame->start_ms;
  if (total_ms < 0 || total_ms > kLongestMs) return false;
  frame->ended = true;
  const auto total = duration(total_ms);
  const auto processing = frame->inferred ? *frame->inferred - frame->received : 0us;
  for (Latencies* const latencies : {&all_, &mine_}) {
    latencies->total.add(total);
    if (frame->inferred) latencies->transfer.add(total - processing);
    if (!offset_ms_) continue;
    const double upload_ms = ms_of(frame->received) - (*frame->start_ms + *offset_ms_);
    if (std::abs(upload_ms) <= kLongestMs) latencies->upload.add(duration(upload_ms));
  }
  return true;
}

}  // namespace fp::ingest
