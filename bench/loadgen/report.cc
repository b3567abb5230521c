#include "loadgen/report.h"

#include <algorithm>
#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <vector>

namespace fp::bench {
namespace {

constexpr std::array<const char*, kViewerClasses> kClassNames = {"normal", "slow", "hung"};

[[gnu::format(printf, 1, 2)]] std::string text(const char* format, ...) {
  std::array<char, 512> line{};
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(line.data(), line.size(), format, arguments);
  va_end(arguments);
  return line.data();
}

double ms(std::int64_t us) { return static_cast<double>(us) / 1e3; }

unsigned long long number(std::uint64_t value) { return value; }

std::string percentiles(std::vector<std::int64_t>& values_us) {
  if (values_us.empty()) return "null";
  return text(R"({"p50":%.3f,"p99":%.3f,"max":%.3f})", ms(percentile(values_us, 50)), ms(percentile(values_us, 99)),
              ms(percentile(values_us, 100)));
}

template <typename Items, typename Write>
std::string joined(const Items& items, Write write) {
  std::string all;
  for (const auto& item : items) all += (all.empty() ? "" : ",") + write(item);
  return all;
}

// The reasons are strerror's words and our own: nothing in them needs escaping.
std::string class_json(ClassFigures& f) {
  std::string json =
      text(R"({"requested":%llu,"connected":%llu,"lost":%llu,"starved":%llu,"frames":%llu,"bytes":%llu,)",
           number(f.requested), number(f.connected), number(f.lost), number(f.starved), number(f.sum.frames),
           number(f.sum.bytes));
  json += text(R"("fps_mean":%.3f,"fps_min":%.3f,"checked":%llu,"bad":%llu,"unstamped":%llu,)", f.fps_mean, f.fps_min,
               number(f.sum.checked_frames), number(f.sum.bad_frames), number(f.sum.unstamped_frames));
  json += text(R"("repeated":%llu,"order_errors":%llu,"malformed":%llu,)", number(f.sum.repeated_frames),
               number(f.sum.order_errors), number(f.sum.malformed));
  json += R"("age_ms":)" + percentiles(f.ages_us) + R"(,"first_frame_ms":)" + percentiles(f.first_frame_us);
  json += R"(,"closed":[)" + joined(f.closed_after_s, [](double s) { return text("%.1f", s); });
  json += R"(],"lost_reasons":{)" + joined(f.lost_reasons, [](const auto& reason) {
            return text(R"("%s":%llu)", reason.first.c_str(), number(reason.second));
          });
  json += R"(},"age_over_time":[)" + joined(f.max_age_by_span, [](const auto& span) {
            return text(R"({"from_s":%lld,"max_ms":%.3f})", static_cast<long long>(span.first), ms(span.second));
          });
  return json + "]}";
}

}  // namespace

std::string json_report(CrowdFigures& figures, double seconds, double cpu_seconds) {
  std::string classes;
  for (std::size_t kind = 0; kind < kViewerClasses; ++kind) {
    if (figures[kind].requested == 0) continue;
    classes += (classes.empty() ? "\"" : ",\"") + std::string(kClassNames[kind]) + "\":" + class_json(figures[kind]);
  }
  return text(R"({"seconds":%.3f,"cpu_seconds":%.3f,"classes":{)", seconds, cpu_seconds) + classes + "}}\n";
}

std::string text_report(CrowdFigures& figures, double seconds, double cpu_seconds) {
  std::string all = text("%.1f s, own CPU %.2f s\n", seconds, cpu_seconds);
  for (std::size_t kind = 0; kind < kViewerClasses; ++kind) {
    ClassFigures& f = figures[kind];
    if (f.requested == 0) continue;
    all += text("%s: %llu of %llu connected, %llu lost, %llu starved; %llu frames, fps %.1f (min %.1f), %.1f MB; ",
                kClassNames[kind], number(f.connected), number(f.requested), number(f.lost), number(f.starved),
                number(f.sum.frames), f.fps_mean, f.fps_min, static_cast<double>(f.sum.bytes) / 1e6);
    all += text("age ms p50 %.2f p99 %.2f max %.2f; ", ms(percentile(f.ages_us, 50)), ms(percentile(f.ages_us, 99)),
                ms(percentile(f.ages_us, 100)));
    all += text("%llu checked, %llu bad, %llu unstamped, %llu repeated, %llu out of order, %llu malformed\n",
                number(f.sum.checked_frames), number(f.sum.bad_frames), number(f.sum.unstamped_frames),
                number(f.sum.repeated_frames), number(f.sum.order_errors), number(f.sum.malformed));
  }
  return all;
}

}  // namespace fp::bench
