#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "common/fd.h"
#include "loadgen/viewer.h"

namespace fp::bench {

/// How many viewers of each class, and how long.
struct CrowdOptions {
  std::array<std::size_t, kViewerClasses> viewers{};  ///< by ViewerClass
  /// So many connections may wait for the server's first byte, for 20 s at most; 0: all connect in one rush. A peer
  /// with a backlog of 5 loses most of a rush, and what it does for the rest says nothing about a hundred viewers.
  std::size_t at_once = 0;
  double warmup_seconds = 2;  ///< after the last viewer has connected, or in a rush from its beginning
  double seconds = 10;
  double linger_seconds = 0.3;  ///< goes on reading after the end, so that a driver finds the server still at work
};

using CrowdFigures = std::array<ClassFigures, kViewerClasses>;

/// All viewers on one epoll in one thread.
class Crowd {
 public:
  Crowd(const CrowdOptions& options, Audience audience);

  /// Says "measuring" and "measured" on standard error at the two ends of the measured time. Returns the figures.
  CrowdFigures run();

  /// CPU that this process used in the measured time.
  double own_cpu_seconds() const { return cpu_seconds_; }

 private:
  void connect_more();
  void connect_one(ViewerClass kind, std::size_t number);
  void turn();
  void wake(Viewer& viewer, std::uint32_t events);
  void check_frames();
  void watch(Viewer& viewer);
  void pace_slow_viewers();
  void look_at_server_side();
  void announce();
  ClassFigures& figures_of(const Viewer& viewer) { return figures_[static_cast<std::size_t>(viewer.kind())]; }

  Audience audience_;
  CrowdOptions options_;
  Fd epoll_;
  std::array<epoll_event, 256> events_{};
  std::vector<ViewerClass> to_connect_;  // from the back
  std::vector<std::unique_ptr<Viewer>> viewers_;
  std::vector<Viewer*> unsettled_viewers_;
  std::vector<Viewer*> slow_viewers_;
  std::vector<Viewer*> unread_viewers_;  // slow and hung: they cannot see the server's FIN
  bool unchecked_ = false;               // some viewer has a frame to check
  CrowdFigures figures_;
  std::int64_t last_pace_us_ = 0;
  std::int64_t ramp_end_us_ = 0;
  std::int64_t next_look_us_ = 0;
  int announced_ = 0;
  double cpu_seconds_ = 0;
};

}  // namespace fp::bench
