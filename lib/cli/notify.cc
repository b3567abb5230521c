#include "cli/notify.h"

#include <fcntl.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <array>
#include <cstdio>

#include "cli/log.h"

namespace fp::cli {
namespace {

using namespace std::chrono_literals;

}  // namespace

void notify_ready() { ::sd_notify(0, "READY=1"); }
void notify_stopping() { ::sd_notify(0, "STOPPING=1"); }

std::vector<int> activated_sockets() {
  std::vector<int> fds;
  const int count = ::sd_listen_fds(1);
  for (int i = 0; i < count; ++i) {
    const int fd = SD_LISTEN_FDS_START + i;
    ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    fds.push_back(fd);
  }
  return fds;
}

Heartbeat::Heartbeat(bool frames_only) : frames_only_(frames_only), period_(progress_visible() ? 500ms : 1000ms) {
  std::uint64_t usec = 0;
  watchdog_ = ::sd_watchdog_enabled(0, &usec) > 0;
  if (watchdog_) period_ = std::min<std::chrono::nanoseconds>(period_, std::chrono::microseconds(usec) / 3);
  due_ = std::chrono::steady_clock::now() + period_;
}

void Heartbeat::beat(SteadyTime now, const Figures& figures, const std::string& waiting_for,
                     const std::function<std::string()>& status) {
  if (now < due_) return;
  const double seconds = last_ == SteadyTime{} ? seconds_of(period_) : seconds_of(now - last_);
  const std::uint64_t frames = figures.frames - before_.frames;
  if (watchdog_ && (!frames_only_ || frames > 0)) ::sd_notify(0, "WATCHDOG=1");

  std::string line = "waiting for " + waiting_for;
  if (figures.frames > 0 && status) {
    line = status();
  } else if (figures.frames > 0) {
    std::array<char, 200> text{};
    const int length =
        std::snprintf(text.data(), text.size(), "%llu frames, %.1f fps, %.1f Mbit/s, %llu dropped",
                      static_cast<unsigned long long>(figures.frames), static_cast<double>(frames) / seconds,
                      static_cast<double>(figures.bytes - before_.bytes) * 8e-6 / seconds,
                      static_cast<unsigned long long>(figures.dropped));
    line.assign(text.data(), static_cast<std::size_t>(length));
    if (figures.age) line += ", age " + std::to_string(figures.age->count() / 1'000'000) + " ms";
  }
  if (status_ != line) {
    status_ = line;
    ::sd_notify(0, ("STATUS=" + status_).c_str());
  }
  show_progress(status_);
  before_ = figures;
  last_ = now;
  due_ = now + period_;
}

}  // namespace fp::cli
