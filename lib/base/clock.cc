#include "base/clock.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>

namespace fp {

std::string format_timestamp(WallTime time) {
  const auto micros = time.time_since_epoch().count();
  std::array<char, 40> text{};
  const int length = std::snprintf(text.data(), text.size(), "%lld.%06lld", static_cast<long long>(micros / 1'000'000),
                                   static_cast<long long>(micros % 1'000'000));
  return {text.data(), static_cast<std::size_t>(length)};
}

std::optional<WallTime> parse_timestamp(std::string_view text) {
  constexpr long long kLastSecond = 253'402'300'799;  // 9999-12-31
  long long seconds = 0;
  const char* const end = text.data() + text.size();
  auto [rest, error] = std::from_chars(text.data(), end, seconds);
  if (error != std::errc() || seconds < 0 || seconds > kLastSecond || text.front() == '-') return std::nullopt;
  long long micros = 0;
  if (rest != end) {
    if (*rest++ != '.') return std::nullopt;
    long long unit = 100'000;
    for (; rest != end; ++rest, unit /= 10) {
      if (*rest < '0' || *rest > '9') return std::nullopt;
      micros += unit * (*rest - '0');
    }
  }
  return WallTime(std::chrono::seconds(seconds) + std::chrono::microseconds(micros));
}

int poll_timeout_ms(std::optional<SteadyTime> until, SteadyTime now) {
  if (!until) return -1;
  if (*until <= now) return 0;
  const auto wait = std::chrono::ceil<std::chrono::milliseconds>(*until - now).count();
  return static_cast<int>(std::min<long long>(wait, 3'600'000));
}

}  // namespace fp
