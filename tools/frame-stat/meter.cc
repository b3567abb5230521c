#include "frame-stat/meter.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace fp {
namespace {

double ms(std::chrono::nanoseconds time) { return seconds_of(time) * 1000; }
double per_second(std::uint64_t count, const Tally& tally) {
  return tally.span.count() == 0 ? 0 : static_cast<double>(count) / seconds_of(tally.span);
}

std::string json_times(const Histogram& times) {
  return fmt::format(R"({{"p50":{:.3f},"p90":{:.3f},"p99":{:.3f},"max":{:.3f}}})", ms(times.percentile(50)),
                     ms(times.percentile(90)), ms(times.percentile(99)), ms(times.most()));
}

std::string text_times(const Histogram& times) {
  return fmt::format("{:.1f} ms median, {:.1f} ms p90, {:.1f} ms p99, {:.1f} ms at most", ms(times.percentile(50)),
                     ms(times.percentile(90)), ms(times.percentile(99)), ms(times.most()));
}

}  // namespace

void Meter::add(const Frame& frame) {
  for (Tally* tally : {&current_, &all_}) {
    ++tally->frames;
    tally->bytes += frame.jpeg.size();
    tally->largest_bytes = std::max<std::uint64_t>(tally->largest_bytes, frame.jpeg.size());
    if (frame.signal == Signal::Live) {
      tally->age.add(frame.received - frame.captured);
    } else {
      ++tally->held;
    }
    if (sequence_ && frame.sequence > *sequence_ + 1) {
      ++tally->gaps;
      tally->missing += frame.sequence - *sequence_ - 1;
    }
    if (sequence_ && frame.sequence < *sequence_) ++tally->restarts;
  }
  sequence_ = frame.sequence;
  width_px_ = frame.picture.width_px;
  height_px_ = frame.picture.height_px;
  add_hops(frame);
}

// X-Trace: "camgrab=T;frame-rate=T1/T2": when each hop received and sent the frame.
void Meter::add_hops(const Frame& frame) {
  constexpr std::size_t kMostHops = 32;
  std::string before;
  WallTime sent_before{};
  const auto add = [&](const std::string& name, WallTime from, WallTime to) {
    for (Tally* tally : {&current_, &all_}) {
      if (tally->hops.size() < kMostHops || tally->hops.count(name) != 0) tally->hops[name].add(to - from);
    }
  };
  if (frame.trace.empty()) return;
  for (const std::string_view hop : split(frame.trace, ';')) {
    const auto equals = hop.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string name = printable(hop.substr(0, equals), 40);
    const auto times = split(hop.substr(equals + 1), '/');
    const auto received = parse_timestamp(times.front());
    const auto sent = parse_timestamp(times.back());
    if (!received || !sent) continue;
    if (!before.empty()) add(before + " > " + name, sent_before, *received);
    if (times.size() > 1) add(name, *received, *sent);
    before = name;
    sent_before = *sent;
  }
  if (!before.empty()) add(before + " > frame-stat", sent_before, frame.received);
}

void Meter::end_stretch(SteadyTime now, const Skips& skips) {
  last_ = std::exchange(current_, Tally());
  last_.span = now - begun_;
  last_.skips = skips;
  last_.skips -= skips_before_;
  all_.span = now - all_begun_;
  all_.skips = skips;
  skips_before_ = skips;
  begun_ = now;
}

std::string line_of(const Tally& tally, const Meter& meter) {
  if (tally.frames == 0) return "no frames";
  std::string line =
      fmt::format("{:.1f} fps  {:.2f} Mbit/s  {}x{}  {}  age {:.0f}/{:.0f} ms", per_second(tally.frames, tally),
                  per_second(tally.bytes * 8, tally) * 1e-6, meter.width_px(), meter.height_px(),
                  human_bytes(tally.bytes / tally.frames), ms(tally.age.percentile(50)), ms(tally.age.percentile(99)));
  if (meter.all().missing > 0) line += fmt::format("  {} missing", meter.all().missing);
  if (meter.all().skips.total() > 0) line += fmt::format("  {} skipped", meter.all().skips.total());
  return line;
}

std::string summary_of(const Tally& tally, const Meter& meter) {
  std::string text =
      fmt::format("{} frames in {:.1f} s: {:.2f} fps, {:.2f} Mbit/s\n", tally.frames, seconds_of(tally.span),
                  per_second(tally.frames, tally), per_second(tally.bytes * 8, tally) * 1e-6);
  if (tally.frames > 0) {
    text += fmt::format("picture:  {}x{}, {} on average, {} at most\n", meter.width_px(), meter.height_px(),
                        human_bytes(tally.bytes / tally.frames), human_bytes(tally.largest_bytes));
    text += fmt::format("sequence: {} missing in {} gaps, {} restarts\n", tally.missing, tally.gaps, tally.restarts);
    if (tally.held > 0) text += fmt::format("signal:   {} frames were not live\n", tally.held);
  }
  if (tally.age.count() > 0) text += "age:      " + text_times(tally.age) + "\n";
  if (tally.age.count() > 0 && tally.age.least() < std::chrono::milliseconds(-1)) {
    text += fmt::format("clock:    the capturing host's clock is ahead of ours by {:.1f} ms or more\n",
                        -ms(tally.age.least()));
  }
  for (const auto& [name, times] : tally.hops) text += fmt::format("hop:      {}: {}\n", name, text_times(times));
  if (tally.skips.total() > 0) text += "skipped:  " + tally.skips.describe() + "\n";
  return text;
}

std::string json_of(const Tally& tally, const Meter& meter, WallTime now) {
  std::string hops;
  for (const auto& [name, times] : tally.hops) {
    hops += fmt::format(R"({}{{"hop":"{}","ms":{}}})", hops.empty() ? "" : ",", json_escape(name), json_times(times));
  }
  std::string skips;
  for (std::size_t i = 0; i < kSkipReasons; ++i) {
    if (tally.skips.count[i] == 0) continue;
    skips += fmt::format(R"({}"{}":{})", skips.empty() ? "" : ",", name_of(static_cast<Skip>(i)), tally.skips.count[i]);
  }
  return fmt::format(
      R"({{"time":{},"seconds":{:.3f},"frames":{},"fps":{:.3f},"bytes":{},"mbit_s":{:.3f},"width":{},"height":{},)"
      R"("largest":{},"missing":{},"gaps":{},"restarts":{},"not_live":{},"age_ms":{},"hops":[{}],"skipped":{{{}}},)"
      R"("skipped_bytes":{},"total_frames":{}}})",
      format_timestamp(now), seconds_of(tally.span), tally.frames, per_second(tally.frames, tally), tally.bytes,
      per_second(tally.bytes * 8, tally) * 1e-6, meter.width_px(), meter.height_px(), tally.largest_bytes,
      tally.missing, tally.gaps, tally.restarts, tally.held, tally.age.count() > 0 ? json_times(tally.age) : "null",
      hops, skips, tally.skips.bytes, meter.all().frames);
}

}  // namespace fp
