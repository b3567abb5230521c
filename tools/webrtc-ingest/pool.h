// Children that were started before anybody needed them.
#pragma once

#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/backoff.h"
#include "webrtc-ingest/child.h"

namespace fp::ingest {

/// Keeps `warm` children running, besides those that were taken. One that is taken is replaced at once; those that end
/// while they wait are replaced with back-off. One thread.
class Pool {
 public:
  struct Figures {
    std::uint64_t started = 0;
    std::uint64_t ended = 0;  ///< by themselves, or given up, wherever they were
    std::uint64_t hung = 0;   ///< of those: given up because they did not read
    // Of all children that have gone:
    std::uint64_t given = 0;
    std::uint64_t superseded = 0;
    std::uint64_t lines = 0;
    std::uint64_t malformed = 0;
  };

  Pool(Loop& loop, const Clock& clock, ChildOptions options, std::size_t warm, Report report);
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  /// Ends those that are left, together: SIGTERM, and SIGKILL after 300 ms. Those that were taken must be back.
  ~Pool();

  /// A warm one, or when there is none one that is started now. Error: Io.
  [[nodiscard]] Result<std::unique_ptr<Child>> take();
  /// Takes one back, also from within what it tells, and ends it; it has 300 ms for that.
  void retire(std::unique_ptr<Child> child);
  /// To be called by whoever has a child that ended.
  void count_end(ChildEnd end);

  [[nodiscard]] std::size_t warm() const { return warm_.size(); }
  [[nodiscard]] const Figures& figures() const { return figures_; }
  /// Why the last one that waited has ended; "" when none has, or one has been running for a while since.
  [[nodiscard]] std::string trouble() const;

 private:
  struct Leaving {
    std::unique_ptr<Child> child;
    SteadyTime until;
  };
  [[nodiscard]] Result<std::unique_ptr<Child>> start();
  void fill();
  void lost(const Child* child, ChildEnd end, const std::string& why);
  void bury();
  void report_once(Severity severity, const std::string& text);

  Loop& loop_;
  const Clock& clock_;
  const ChildOptions options_;
  const std::size_t wanted_;
  const Report report_;
  std::deque<std::unique_ptr<Child>> warm_;  // the longest here in front
  std::vector<Leaving> leaving_;
  Backoff backoff_;
  std::string trouble_;  // of the last one that ended
  std::set<std::string> said_;
  Figures figures_;
  Timer fill_timer_;
  Timer bury_timer_;
};

}  // namespace fp::ingest
