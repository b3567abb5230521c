#pragma once

#include <time.h>

#include <cstdint>

namespace fp::bench {

inline std::int64_t read_clock_us(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1'000;
}

/// Wall clock, for stamps: feeder and viewers run on one host, so it is the same clock at both ends.
inline std::int64_t wall_us() { return read_clock_us(CLOCK_REALTIME); }

/// For intervals and pacing: never steps.
inline std::int64_t steady_us() { return read_clock_us(CLOCK_MONOTONIC); }

/// CPU time of this process so far, user and system.
inline double own_cpu_seconds() { return static_cast<double>(read_clock_us(CLOCK_PROCESS_CPUTIME_ID)) / 1e6; }

}  // namespace fp::bench
