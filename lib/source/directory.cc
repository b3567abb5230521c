#include "source/directory.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "base/text.h"
#include "jpeg/hygiene.h"
#include "jpeg/png.h"
#include "source/name_order.h"

namespace fp {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostNames = 4096;
constexpr std::size_t kMostNamesEveryFrame = 1'000'000;
constexpr auto kPatience = 10s;       // with a file that stays cut off
constexpr auto kLookAfter = 1s;       // is the directory still the one we watch?
constexpr auto kLookForGone = 250ms;  // has it come back?
constexpr auto kDeleteEvery = 1s;     // a look at the whole directory for --keep

long long nanoseconds(const timespec& time) { return time.tv_sec * 1'000'000'000LL + time.tv_nsec; }

struct CloseDir {
  void operator()(DIR* dir) const { ::closedir(dir); }
};

}  // namespace

bool Directory::Key::operator<(const Key& other) const {
  if (rank != other.rank) return rank < other.rank;
  const int order = compare_natural(name, other.name);
  return order != 0 ? order < 0 : name < other.name;
}

Directory::Directory(std::string path, Options options, const Clock& clock, Report report)
    : path_(std::move(path)),
      options_(options),
      clock_(&clock),
      report_(std::move(report)),
      skip_reporter_(path_, report_),
      look_at_(clock.steady()),
      pacer_(options.fps) {}

Result<Directory> Directory::open(const std::string& path, Options options, const Clock& clock, Report report) {
  Directory directory(path, options, clock, std::move(report));
  if (!options.poll) {
    directory.inotify_ = Fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    if (!directory.inotify_) return fail(io_error("inotify"));
  }
  // Watched first and looked at afterwards: a file that lands in between is seen twice rather than not at all.
  if (auto watched = directory.watch(); !watched) return fail(std::move(watched).error());
  directory.rescan(/*initial=*/true);
  return directory;
}

Result<Done> Directory::watch() {
  struct stat info {};
  if (::stat(path_.c_str(), &info) != 0) return fail(io_error(path_));
  if (!S_ISDIR(info.st_mode)) return fail(io_error(path_, ENOTDIR));
  if (::access(path_.c_str(), R_OK | X_OK) != 0) return fail(io_error(path_));
  if (inotify_) {
    watch_ = ::inotify_add_watch(inotify_.get(), path_.c_str(),
                                 IN_CLOSE_WRITE | IN_MOVED_TO | IN_MODIFY | IN_CREATE | IN_MOVED_FROM | IN_DELETE |
                                     IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR);
    if (watch_ < 0 && errno == ENOSPC) {
      return fail({Error::Kind::Io, ENOSPC,
                   path_ + ": no more inotify watches (raise fs.inotify.max_user_watches, or use --poll)"});
    }
    if (watch_ < 0) return fail(io_error(path_));
  } else {
    watch_ = 0;
  }
  watched_device_ = info.st_dev;
  watched_inode_ = info.st_ino;
  look_at_ = clock_->steady();
  return Done{};
}

void Directory::unwatch(const char* why) {
  if (watch_ < 0) return;
  if (inotify_) ::inotify_rm_watch(inotify_.get(), watch_);
  watch_ = -1;
  order_.clear();
  candidates_.clear();
  known_.clear();
  look_at_ = clock_->steady();
  if (report_) report_(Severity::Warning, path_ + ": the directory " + why + "; waiting for it");
}

Producer::Wait Directory::wait() const {
  const SteadyTime now = clock_->steady();
  SteadyTime until = look_at_;
  if (delete_at_) until = std::min(until, *delete_at_);
  if (!candidates_.empty()) {
    SteadyTime ready = SteadyTime::max();
    for (const auto& [name, candidate] : candidates_) ready = std::min(ready, candidate.ready);
    if (!options_.every_frame) ready = std::max(ready, pacer_.due_at(now));
    until = std::min(until, ready);
  }
  return {inotify_ ? inotify_.get() : -1, false, must_rescan_ ? now : until};
}

FramePtr Directory::advance() {
  const SteadyTime now = clock_->steady();
  if (inotify_) read_events();
  if (now >= look_at_) look_after_directory(now);
  if (must_rescan_ && watch_ >= 0) rescan(/*initial=*/false);
  FramePtr frame = choose(now);
  if (delete_at_ && now >= *delete_at_) delete_old();
  skip_reporter_.update(figures_.skips, now);
  return frame;
}

void Directory::read_events() {
  // At most a few thousand events a turn; the rest stays readable.
  alignas(inotify_event) std::array<char, 1 << 16> buffer{};
  for (int turn = 0; turn < 16; ++turn) {
    const ssize_t got = ::read(inotify_.get(), buffer.data(), buffer.size());
    if (got <= 0) return;
    for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
      const auto* const event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
      at += sizeof(inotify_event) + event->len;
      if ((event->mask & IN_Q_OVERFLOW) != 0) {
        must_rescan_ = true;
        continue;
      }
      if (event->wd != watch_) continue;  // of a watch that is gone
      if ((event->mask & (IN_DELETE_SELF | IN_UNMOUNT | IN_IGNORED)) != 0) {
        unwatch("was removed");
        continue;
      }
      if ((event->mask & IN_MOVE_SELF) != 0) {
        unwatch("was moved away");
        continue;
      }
      if (event->len == 0 || (event->mask & IN_ISDIR) != 0 || !matches(event->name)) continue;
      if ((event->mask & (IN_MOVED_FROM | IN_DELETE)) != 0) {
        forget(event->name);
      } else {
        note(event->name, (event->mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) != 0);
      }
    }
  }
}

// Removed, moved, mounted over, or a link that points elsewhere now: the events do not tell all of it.
void Directory::look_after_directory(SteadyTime now) {
  struct stat info {};
  const bool there = ::stat(path_.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
  if (watch_ >= 0 && (!there || info.st_dev != watched_device_ || info.st_ino != watched_inode_)) {
    unwatch(there ? "was replaced" : "was removed");
  }
  if (watch_ < 0 && there && watch()) {
    // A new directory begins a new series: its names and times need not be higher than the last one's.
    shown_.reset();
    shown_frame_.reset();
    shown_stat_ = {};
    must_rescan_ = true;
    if (report_) report_(Severity::Info, path_ + ": the directory is there again");
  }
  if (watch_ >= 0 && options_.poll) {
    poll_directory();
  } else {
    look_at_ = now + (watch_ >= 0 ? std::chrono::milliseconds(kLookAfter) : kLookForGone);
  }
}

bool Directory::matches(std::string_view name) const {
  if (name.starts_with('.')) return false;
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos) return false;
  const std::string ending = lower(name.substr(dot + 1));
  return ending == "jpg" || ending == "jpeg" || (options_.png && ending == "png");
}

std::optional<Directory::Stat> Directory::stat_of(const std::string& name) const {
  struct stat info {};
  if (::stat((path_ + "/" + name).c_str(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  return Stat{nanoseconds(info.st_mtim), nanoseconds(info.st_ctim), info.st_size, info.st_ino};
}

std::optional<Directory::Key> Directory::key_of(const std::string& name, const Stat* known) {
  switch (options_.order) {
    case Order::Arrival:
      return Key{++arrivals_, name};
    case Order::Name:
      return Key{0, name};
    case Order::Mtime: {
      const auto stat = known != nullptr ? std::optional(*known) : stat_of(name);
      if (!stat) return std::nullopt;  // gone already
      return Key{stat->mtime_ns, name};
    }
    case Order::Timestamp:
      break;
  }
  const auto time = time_in_name(name);
  if (!time) {
    if (!said_no_time_ && report_) {
      report_(Severity::Warning,
              path_ + "/" + printable(name) + ": no date or time in the name; such files are left out");
    }
    said_no_time_ = true;
    return std::nullopt;
  }
  return Key{time->time_since_epoch().count(), name};
}

// A file has changed; `finished` when its writer has closed or renamed it, else it must settle first.
void Directory::note(const std::string& name, bool finished, const Stat* known) {
  const SteadyTime now = clock_->steady();
  const auto found = candidates_.find(name);
  if (found != candidates_.end()) {
    Candidate& candidate = found->second;
    candidate.touched = now;
    candidate.ready = finished ? now : now + options_.settle;
    if (!finished && options_.order != Order::Mtime) return;
    order_.erase(candidate.key);
    const auto key = key_of(name, known);
    if (!key) {
      candidates_.erase(found);
      return;
    }
    candidate.key = *key;
    candidate.arrived = clock_->wall();
    order_.emplace(*key, name);
    return;
  }
  const auto key = key_of(name, known);
  if (!key) return;
  // The very file shown may be written again; anything else must be newer than it.
  if (shown_ && !options_.every_frame && *key < *shown_ && name != shown_name_) {
    ++figures_.superseded;
    return;
  }
  order_.emplace(*key, name);
  candidates_.emplace(name, Candidate{*key, finished ? now : now + options_.settle, now, clock_->wall(), {}});
  drop_overflow();
}

void Directory::forget(const std::string& name) {
  known_.erase(name);
  const auto found = candidates_.find(name);
  if (found == candidates_.end()) return;
  order_.erase(found->second.key);
  candidates_.erase(found);
}

void Directory::drop_overflow() {
  const std::size_t most = options_.every_frame ? kMostNamesEveryFrame : kMostNames;
  while (order_.size() > most) {
    const auto victim = options_.every_frame ? std::prev(order_.end()) : order_.begin();
    candidates_.erase(victim->second);
    order_.erase(victim);
    ++figures_.superseded;
  }
}

template <typename Each>
void Directory::for_each_file(Each each) {
  const std::unique_ptr<DIR, CloseDir> dir(::opendir(path_.c_str()));
  if (!dir) return;
  while (const dirent* entry = ::readdir(dir.get())) {
    if (!matches(entry->d_name)) continue;
    const std::string name = entry->d_name;
    if (const auto stat = stat_of(name)) each(name, *stat);
  }
}

// Notes all files that may be newer than the one shown. When the events are lost, "arrival" is told from the change
// time, which a rename sets too.
void Directory::rescan(bool initial) {
  must_rescan_ = false;
  if (!initial) ++figures_.rescans;
  std::vector<std::pair<Key, Stat>> files;
  for_each_file([&](const std::string& name, const Stat& stat) {
    if (options_.poll) known_[name] = stat;
    if (initial && !options_.existing) return;
    if (!initial && options_.order == Order::Arrival && name != shown_name_ && stat.ctime_ns < shown_stat_.ctime_ns)
      return;
    if (name == shown_name_ && stat == shown_stat_) return;
    if (candidates_.count(name) != 0) return;
    files.emplace_back(Key{options_.order == Order::Arrival ? stat.ctime_ns : 0, name}, stat);
  });
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [key, stat] : files) {
    note(key.name, /*finished=*/true, &stat);
    // What was there before is as old as it says, not as new as our look at it.
    const auto found = candidates_.find(key.name);
    if (initial && found != candidates_.end()) {
      found->second.arrived = WallTime(std::chrono::microseconds(stat.mtime_ns / 1000));
    }
  }
}

void Directory::poll_directory() {
  const SteadyTime begin = clock_->steady();
  std::unordered_map<std::string, Stat> now_there;
  std::vector<std::pair<Key, Stat>> changed;
  for_each_file([&](const std::string& name, const Stat& stat) {
    const auto before = known_.find(name);
    if (before == known_.end() || before->second != stat) changed.emplace_back(Key{stat.ctime_ns, name}, stat);
    now_there.emplace(name, stat);
  });
  std::sort(changed.begin(), changed.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [key, stat] : changed) note(key.name, /*finished=*/true, &stat);
  known_ = std::move(now_there);
  // At the frame rate, yet never for more than a fifth of a processor.
  const SteadyTime end = clock_->steady();
  const auto interval = options_.fps > 0 ? std::chrono::nanoseconds(static_cast<long long>(1e9 / options_.fps)) : 20ms;
  look_at_ = end + std::clamp<std::chrono::nanoseconds>(std::max<std::chrono::nanoseconds>(interval, 4 * (end - begin)),
                                                        10ms, 5s);
}

FramePtr Directory::choose(SteadyTime now) {
  if (order_.empty()) return nullptr;
  if (!options_.every_frame && !pacer_.due(now)) return nullptr;
  // The newest first; with every_frame the oldest, and a file that is not whole yet is waited for.
  std::vector<std::string> names;
  constexpr std::size_t kTriesPerTurn = 64;
  if (options_.every_frame) {
    names.push_back(order_.begin()->second);
  } else {
    for (auto it = order_.rbegin(); it != order_.rend() && names.size() < kTriesPerTurn; ++it)
      names.push_back(it->second);
  }
  for (const std::string& name : names) {
    const auto found = candidates_.find(name);
    if (found == candidates_.end() || found->second.ready > now) continue;
    FramePtr frame;
    const Key key = found->second.key;
    switch (load(found->second, frame, now)) {
      case Load::Partial:
        continue;
      case Load::Lost:
        order_.erase(key);
        candidates_.erase(found);
        continue;
      case Load::Shown:
        break;
    }
    order_.erase(key);
    candidates_.erase(found);
    shown_ = key;
    shown_name_ = name;
    shown_frame_ = frame;
    pacer_.passed(now);
    ++figures_.shown;
    if (!options_.every_frame) settle_behind(key);
    if (options_.keep && !delete_at_) delete_at_ = now + kDeleteEvery;
    return frame;
  }
  return nullptr;
}

// Whatever is older than the file shown will never be shown.
void Directory::settle_behind(const Key& shown) {
  while (!order_.empty() && order_.begin()->first < shown) {
    candidates_.erase(order_.begin()->second);
    order_.erase(order_.begin());
    ++figures_.superseded;
  }
}

Directory::Load Directory::load(Candidate& candidate, FramePtr& frame, SteadyTime now) {
  const std::string& name = candidate.key.name;
  const auto lost = [&](Skip reason, std::uint64_t bytes) {
    figures_.skips.add(reason);
    figures_.skips.bytes += bytes;
    return Load::Lost;
  };
  // O_NONBLOCK: a FIFO with such a name must not stop us.
  Fd fd(::open((path_ + "/" + name).c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!fd) return Load::Lost;  // gone again, or not ours to read: the next event will tell
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return Load::Lost;
  const Stat before{nanoseconds(info.st_mtim), nanoseconds(info.st_ctim), info.st_size, info.st_ino};
  const auto size = static_cast<std::size_t>(info.st_size);
  if (size > options_.max_frame_bytes) return lost(Skip::TooLarge, size);

  Buffer buffer(size + 1);
  std::size_t have = 0;
  while (have < size + 1) {
    const ssize_t got = ::read(fd.get(), buffer.data() + have, size + 1 - have);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    have += static_cast<std::size_t>(got);
  }
  const bool changed = have != size || ::fstat(fd.get(), &info) != 0 || info.st_size != before.size_bytes ||
                       nanoseconds(info.st_mtim) != before.mtime_ns;
  if (before != candidate.last) candidate.touched = now;
  candidate.last = before;
  const auto partial = [&] {
    candidate.ready = now + options_.settle;
    if (now - candidate.touched < kPatience) return Load::Partial;
    return lost(Skip::Truncated, have);
  };
  if (changed || size == 0) return partial();

  Blob bytes = std::move(buffer).into_blob(0, have);
  if (options_.png && jpeg::is_png(bytes.view())) {
    if (!jpeg::is_whole_png(bytes.view())) return partial();
    auto encoded = jpeg::png_to_jpeg(bytes.view(), encoder_, options_.png_quality_percent);
    if (!encoded) return lost(encoded.error().kind == Error::Kind::TooLarge ? Skip::TooLarge : Skip::Corrupt, have);
    bytes = std::move(*encoded);
  }
  auto clean = jpeg::clean(bytes);
  if (!clean) {
    // A cut-off file and one that is being overwritten in place both get time to become whole.
    if (clean.error().text.starts_with("cut off") || now - candidate.touched < 2 * options_.settle) return partial();
    return lost(have >= 2 && bytes.data()[0] == 0xFF && bytes.data()[1] == 0xD8 ? Skip::Corrupt : Skip::NotJpeg, have);
  }
  // A writer may close long after its file had settled and was shown: that is no new picture.
  const bool same_file = name == shown_name_ && before == shown_stat_ && shown_frame_;
  if (same_file && std::ranges::equal(shown_frame_->jpeg.view(), clean->jpeg.view())) return Load::Lost;
  shown_stat_ = before;
  frame = make_frame(candidate, before, std::move(clean->jpeg), clean->info);
  return Load::Shown;
}

FramePtr Directory::make_frame(const Candidate& candidate, const Stat& stat, Blob jpeg, const jpeg::Info& info) {
  Frame frame;
  frame.jpeg = std::move(jpeg);
  frame.picture = info;
  frame.received = clock_->wall();
  frame.captured = candidate.arrived;
  if (options_.order == Order::Mtime) frame.captured = WallTime(std::chrono::microseconds(stat.mtime_ns / 1000));
  if (options_.order == Order::Timestamp) frame.captured = WallTime(std::chrono::microseconds(candidate.key.rank));
  frame.sequence = sequence_++;
  return std::make_shared<const Frame>(std::move(frame));
}

void Directory::delete_old() {
  delete_at_.reset();
  if (!shown_ || watch_ < 0) return;
  const auto age_of = [&](const std::string& name, const Stat& stat) -> std::optional<Key> {
    switch (options_.order) {
      case Order::Arrival:
        return Key{stat.ctime_ns, name};
      case Order::Mtime:
        return Key{stat.mtime_ns, name};
      case Order::Name:
        return Key{0, name};
      case Order::Timestamp:
        break;
    }
    const auto time = time_in_name(name);
    return time ? std::optional(Key{time->time_since_epoch().count(), name}) : std::nullopt;
  };
  const auto shown = age_of(shown_name_, shown_stat_);
  std::vector<Key> older;
  for_each_file([&](const std::string& name, const Stat& stat) {
    if (name == shown_name_ || candidates_.count(name) != 0) return;
    auto key = age_of(name, stat);
    if (key && shown && *key < *shown) older.push_back(std::move(*key));
  });
  if (older.size() <= *options_.keep) return;
  std::sort(older.begin(), older.end());
  older.resize(older.size() - static_cast<std::size_t>(*options_.keep));
  for (const Key& key : older) {
    if (::unlink((path_ + "/" + key.name).c_str()) == 0) {
      ++figures_.deleted;
    } else if (errno != ENOENT && !said_undeletable_) {
      said_undeletable_ = true;
      if (report_) report_(Severity::Warning, io_error("delete " + path_ + "/" + printable(key.name)).text);
    }
  }
}

}  // namespace fp
