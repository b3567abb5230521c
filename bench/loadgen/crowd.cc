#include "loadgen/crowd.h"

#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <set>

#include "common/clock.h"
#include "loadgen/server_side.h"

namespace fp::bench {
namespace {

constexpr int kTurnMs = 10;                     // how finely a slow viewer's rate is dealt out
constexpr std::int64_t kLookEveryUs = 500'000;  // reading /proc/net/tcp takes the kernel about a millisecond

constexpr std::int64_t kRampLimitUs = 20'000'000;   // then all the rest connects in a rush
constexpr std::int64_t kSettleLimitUs = 1'000'000;  // then the next one connects all the same

std::int64_t us(double seconds) { return static_cast<std::int64_t>(seconds * 1e6); }

}  // namespace

Crowd::Crowd(const CrowdOptions& options, Audience audience)
    : audience_(std::move(audience)), options_(options), epoll_(checked(::epoll_create1(EPOLL_CLOEXEC), "epoll")) {
  // Normal viewers connect last: the others are there to trouble them.
  for (std::size_t kind = 0; kind < kViewerClasses; ++kind) {
    to_connect_.insert(to_connect_.end(), options.viewers[kind], static_cast<ViewerClass>(kind));
  }
}

void Crowd::connect_one(ViewerClass kind, std::size_t number) {
  auto viewer = std::make_unique<Viewer>(kind, number, audience_);
  if (kind == ViewerClass::kSlow) slow_viewers_.push_back(viewer.get());
  if (kind != ViewerClass::kNormal) unread_viewers_.push_back(viewer.get());
  if (!viewer->gone()) {
    epoll_event event{};
    event.events = viewer->interest();
    event.data.ptr = viewer.get();
    checked(::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, viewer->fd(), &event), "epoll_ctl");
    unsettled_viewers_.push_back(viewer.get());
  }
  viewers_.push_back(std::move(viewer));
}

// Connects as many as may wait at once, and sets the measured time when the last one is through.
void Crowd::connect_more() {
  if (audience_.window.end_us != 0) return;
  const std::int64_t now_us = wall_us();
  std::erase_if(unsettled_viewers_,
                [&](const Viewer* v) { return v->settled() || now_us - v->began_us() > kSettleLimitUs; });
  if (ramp_end_us_ == 0) ramp_end_us_ = now_us + kRampLimitUs;
  const bool rush = options_.at_once == 0 || now_us > ramp_end_us_;
  const std::size_t limit = rush ? viewers_.size() + to_connect_.size() : options_.at_once;
  while (!to_connect_.empty() && unsettled_viewers_.size() < limit) {
    connect_one(to_connect_.back(), viewers_.size());
    to_connect_.pop_back();
  }
  if (!to_connect_.empty() || (!rush && !unsettled_viewers_.empty())) return;
  audience_.window.begin_us = now_us + us(options_.warmup_seconds);
  audience_.window.end_us = audience_.window.begin_us + us(options_.seconds);
}

CrowdFigures Crowd::run() {
  last_pace_us_ = steady_us();
  for (;;) {
    connect_more();
    turn();
    pace_slow_viewers();
    look_at_server_side();
    announce();
    if (announced_ == 2 && wall_us() >= audience_.window.end_us + us(options_.linger_seconds)) break;
  }
  check_frames();
  for (const auto& viewer : viewers_) viewer->add_to(figures_of(*viewer), audience_.window);
  return figures_;
}

void Crowd::turn() {
  const int wait_ms = unchecked_ ? 0 : kTurnMs;
  const int ready = ::epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()), wait_ms);
  if (ready < 0 && errno == EINTR) return;
  checked(ready, "epoll_wait");
  for (std::size_t i = 0; i < static_cast<std::size_t>(ready); ++i) {
    wake(*static_cast<Viewer*>(events_[i].data.ptr), events_[i].events);
  }
  if (ready == 0) check_frames();
}

void Crowd::check_frames() {
  for (const auto& viewer : viewers_) {
    if (viewer->unchecked()) viewer->check(audience_, figures_of(*viewer));
  }
  unchecked_ = false;
}

void Crowd::wake(Viewer& viewer, std::uint32_t events) {
  if (viewer.gone()) return;
  const std::uint32_t interest_before = viewer.interest();
  const bool reads_at_once = (interest_before & (EPOLLIN | EPOLLOUT)) != 0;
  if (!reads_at_once && (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
    return viewer.server_closed("closed by server");
  viewer.wake(audience_, figures_of(viewer));
  unchecked_ = unchecked_ || viewer.unchecked();
  if (!viewer.gone() && viewer.interest() != interest_before) watch(viewer);
}

void Crowd::watch(Viewer& viewer) {
  epoll_event event{};
  event.events = viewer.interest();
  event.data.ptr = &viewer;
  checked(::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, viewer.fd(), &event), "epoll_ctl");
}

void Crowd::pace_slow_viewers() {
  const std::int64_t now_us = steady_us();
  if (now_us - last_pace_us_ < std::int64_t{kTurnMs} * 1'000) return;
  for (Viewer* viewer : slow_viewers_) viewer->pass_time(now_us - last_pace_us_, audience_, figures_of(*viewer));
  last_pace_us_ = now_us;
}

void Crowd::look_at_server_side() {
  const std::int64_t now_us = steady_us();
  if (unread_viewers_.empty() || now_us < next_look_us_) return;
  next_look_us_ = now_us + kLookEveryUs;
  const std::set<std::uint16_t> held = ports_held_by_server(ntohs(audience_.server.sin_port));
  for (Viewer* viewer : unread_viewers_) {
    const bool established = !viewer->gone() && !viewer->connecting();
    if (established && !held.contains(viewer->local_port())) viewer->server_closed("closed by server");
  }
}

void Crowd::announce() {
  const std::int64_t now_us = wall_us();
  if (audience_.window.end_us == 0) return;
  if (announced_ == 0 && now_us >= audience_.window.begin_us) {
    announced_ = 1;
    cpu_seconds_ = bench::own_cpu_seconds();
    std::fputs("measuring\n", stderr);
  }
  if (announced_ == 1 && now_us >= audience_.window.end_us) {
    announced_ = 2;
    cpu_seconds_ = bench::own_cpu_seconds() - cpu_seconds_;
    std::fputs("measured\n", stderr);
  }
}

}  // namespace fp::bench
