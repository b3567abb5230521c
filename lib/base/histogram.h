// How long things took, in fixed memory.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace fp {

/// Counts times in buckets that grow by a twentieth each, from 10 microseconds to an hour, so that a percentile is
/// right to 5 %. Negative times (clocks that differ) count as 0; least() tells how far they went.
class Histogram {
 public:
  using Duration = std::chrono::nanoseconds;
  void add(Duration time);
  void clear() { *this = Histogram(); }

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] Duration sum() const { return sum_; }
  [[nodiscard]] Duration least() const { return least_; }
  [[nodiscard]] Duration most() const { return most_; }
  /// The time that `percent` of all stay within; 0 when there are none.
  [[nodiscard]] Duration percentile(double percent) const;
  /// How many stayed within `limit`.
  [[nodiscard]] std::uint64_t within(Duration limit) const;

 private:
  static constexpr std::size_t kBuckets = 406;  // 10 us * 1.05^405 is a little over an hour
  [[nodiscard]] static std::size_t bucket_of(Duration time);
  [[nodiscard]] static Duration upper_bound_of(std::size_t bucket);

  std::array<std::uint32_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  Duration sum_{0};
  Duration least_{0};
  Duration most_{0};
};

}  // namespace fp
