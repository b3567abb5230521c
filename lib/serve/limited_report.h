// What a program says, passed on without letting it fill the log.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/report.h"
#include "loop/loop.h"

namespace fp {

/// Passes on 20 lines a second; how many more there were is said when the second is over. One thread.
class LimitedReport {
 public:
  static constexpr int kMostLines = 20;

  /// `prefix` comes in front of each line. `report` may be empty.
  LimitedReport(Loop& loop, const Clock& clock, std::string prefix, Report report);
  void line(const std::string& text);
  /// Says now what was left out.
  void settle();

 private:
  const Clock& clock_;
  const std::string prefix_;
  const Report report_;
  SteadyTime since_{};  // when the second in hand began
  int lines_ = 0;       // that were passed on in it
  std::uint64_t left_out_ = 0;
  Timer timer_;
};

}  // namespace fp
