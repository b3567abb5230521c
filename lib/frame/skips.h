// What a stream held that was not a whole frame, counted by reason.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/report.h"

namespace fp {

enum class Skip {
  Junk,             ///< bytes that belong to no part and no JPEG; one for each run of them
  Truncated,        ///< a JPEG that ends before its EOI
  Corrupt,          ///< a JPEG whose segments do not hang together
  NotJpeg,          ///< a part said to be a JPEG that is none
  OtherType,        ///< a part of another type than image/jpeg
  Empty,            ///< a part of no bytes
  TooLarge,         ///< a frame over the limit
  HeadersTooLarge,  ///< a header block over 64 KiB
};
inline constexpr std::size_t kSkipReasons = 8;
[[nodiscard]] const char* name_of(Skip reason);  ///< "too-large": for JSON, metrics and logs

struct Skips {
  std::array<std::uint64_t, kSkipReasons> count{};
  std::uint64_t bytes = 0;  ///< thrown away, all reasons together

  void add(Skip reason) { ++count[static_cast<std::size_t>(reason)]; }
  [[nodiscard]] std::uint64_t of(Skip reason) const { return count[static_cast<std::size_t>(reason)]; }
  [[nodiscard]] std::uint64_t total() const;
  /// "3 truncated, 1 junk (5.2 KB in all)", or "" when nothing was skipped.
  [[nodiscard]] std::string describe() const;
  Skips& operator+=(const Skips& other);
  Skips& operator-=(const Skips& other);
};

/// Says what is skipped: at once, and then at most every ten seconds, since a broken camera must not fill the journal.
class SkipReporter {
 public:
  SkipReporter(std::string name, Report report) : name_(std::move(name)), report_(std::move(report)) {}
  void update(const Skips& all, SteadyTime now);

 private:
  std::string name_;
  Report report_;
  Skips said_;
  SteadyTime said_at_{};
};

}  // namespace fp
