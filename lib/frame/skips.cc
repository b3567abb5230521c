#include "frame/skips.h"

#include <numeric>

#include "base/text.h"

namespace fp {

const char* name_of(Skip reason) {
  constexpr std::array<const char*, kSkipReasons> kNames = {
      "junk", "truncated", "corrupt", "not-jpeg", "other-type", "empty", "too-large", "headers-too-large"};
  return kNames[static_cast<std::size_t>(reason)];
}

std::uint64_t Skips::total() const { return std::accumulate(count.begin(), count.end(), std::uint64_t{0}); }

std::string Skips::describe() const {
  std::string text;
  for (std::size_t i = 0; i < kSkipReasons; ++i) {
    if (count[i] == 0) continue;
    if (!text.empty()) text += ", ";
    text += std::to_string(count[i]) + " " + name_of(static_cast<Skip>(i));
  }
  if (text.empty()) return text;
  return text + " (" + human_bytes(bytes) + " in all)";
}

Skips& Skips::operator+=(const Skips& other) {
  for (std::size_t i = 0; i < kSkipReasons; ++i) count[i] += other.count[i];
  bytes += other.bytes;
  return *this;
}

Skips& Skips::operator-=(const Skips& other) {
  for (std::size_t i = 0; i < kSkipReasons; ++i) count[i] -= other.count[i];
  bytes -= other.bytes;
  return *this;
}

void SkipReporter::update(const Skips& all, SteadyTime now) {
  if (all.total() == said_.total() || (said_.total() > 0 && now - said_at_ < std::chrono::seconds(10))) return;
  Skips news = all;
  news -= said_;
  said_ = all;
  said_at_ = now;
  if (report_) report_(Severity::Warning, name_ + ": skipped " + news.describe());
}

}  // namespace fp
