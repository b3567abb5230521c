#include "record/recorder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/text.h"
#include "record/file_steps.h"
#include "record/mender.h"

namespace fp::record {
namespace {

using namespace std::chrono_literals;

constexpr auto kSyncEach = 1s;
constexpr auto kTryEach = 1s;
constexpr auto kKeepEach = 1min;
constexpr std::size_t kFrameBytes = 1024;  // of what a frame takes besides its picture, more or less

std::size_t weight(const Timed& timed) { return (timed.frame ? timed.frame->jpeg.size() : 0) + kFrameBytes; }

bool is_full(const Error& error) { return error.sys == ENOSPC || error.sys == EDQUOT; }

// With a folder that can be written in. Throws Failure.
Recorder::Options prepared(Recorder::Options options) {
  const std::string& folder = options.folder;
  const bool absolute = folder.starts_with('/');
  if (auto made = make_folders(absolute ? "" : ".", folder.substr(absolute ? 1 : 0) + '/'); !made) {
    const Failure failure = failure_of(made.error());
    throw Failure{failure.code == Exit::Permission ? Exit::Permission : Exit::CannotCreate, failure.text};
  }
  struct stat info {};
  if (::stat(folder.c_str(), &info) != 0) throw Failure(failure_of(io_error(folder)));
  if (!S_ISDIR(info.st_mode)) throw Failure{Exit::CannotCreate, folder + ": is not a directory"};
  if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    throw Failure{errno == EROFS ? Exit::CannotCreate : Exit::Permission, io_error(folder).text};
  }
  return options;
}

std::string count_of(std::uint64_t number, const std::string& thing) {
  return std::to_string(number) + ' ' + thing + (number == 1 ? "" : "s");
}

}  // namespace

Recorder::Recorder(Options options, const Clock& clock, Report report)
    : options_(prepared(std::move(options))),
      clock_(clock),
      report_(std::move(report)),
      keep_(options_.folder, options_.keep, clock_, report_) {
  const Mended mended = mend(options_.folder, report_);
  if (mended.segments > 0) {
    if (report_) {
      report_(Severity::Info, "mended " + count_of(mended.segments, "open segment") + " of " +
                                  count_of(mended.frames, "frame") + ", without " + human_bytes(mended.cut_bytes) +
                                  " behind the last whole one");
    }
    keep_.scan();
  }
  keep_.enforce(0);
  kept_ = clock_.steady();
  thread_ = std::thread([this] { run(); });
}

Recorder::~Recorder() { finish(); }

std::string Recorder::file_of(const Frame& frame) const {
  return options_.cameras ? camera_folder(frame.camera) : std::string();
}

bool Recorder::put(Timed timed, const std::string& file) {
  std::unique_lock lock(mutex_);
  if (!files_.contains(file) && files_.size() >= kMostCameras) {
    ++figures_.turned_away;
    if (!std::exchange(told_cameras_, true) && report_) {
      report_(Severity::Warning,
              "more than " + std::to_string(kMostCameras) + " cameras: " + file + " is not recorded");
    }
    return false;
  }
  files_.insert(file);
  const std::size_t bytes = weight(timed);
  const auto fits = [&] { return queue_.empty() || queued_bytes_ + bytes <= options_.queue_bytes; };
  if (options_.in_order) changed_.wait(lock, fits);
  if (!fits()) {
    ++figures_.dropped;
    if (!std::exchange(told_slow_, true) && report_) {
      report_(Severity::Warning, "the disk is too slow: frames are dropped");
    }
    return false;
  }
  queued_bytes_ += bytes;
  queue_.push_back({std::move(timed), file});
  lock.unlock();
  changed_.notify_all();
  return true;
}

void Recorder::end(const std::string& file) {
  {
    const std::lock_guard lock(mutex_);
    if (queued_bytes_ > options_.queue_bytes) return;  // the disk is too slow: a file more or less does not matter
    queued_bytes_ += weight({});
    queue_.push_back({{}, file});
  }
  changed_.notify_all();
}

void Recorder::finish() {
  {
    const std::lock_guard lock(mutex_);
    finishing_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Recorder::Figures Recorder::figures() const {
  const std::lock_guard lock(mutex_);
  return figures_;
}

std::string Recorder::trouble() const {
  const std::lock_guard lock(mutex_);
  return trouble_;
}

void Recorder::run() {
  for (;;) {
    std::optional<Item> item;
    {
      std::unique_lock lock(mutex_);
      const auto ready = [&] { return !queue_.empty() || finishing_; };
      if (const auto until = due()) {
        changed_.wait_until(lock, *until, ready);
      } else {
        changed_.wait(lock, ready);
      }
      if (queue_.empty() && finishing_) break;
      if (!queue_.empty()) {
        item = std::move(queue_.front());
        queue_.pop_front();
      }
    }
    if (item) {
      take(*item);
      {
        // Only now: what is being written takes memory, too.
        const std::lock_guard lock(mutex_);
        queued_bytes_ -= weight(item->timed);
      }
      changed_.notify_all();
    }
    look_after();
  }
  close_all();
}

// When something is to be done although no frame comes.
std::optional<SteadyTime> Recorder::due() const {
  std::optional<SteadyTime> first;
  const auto consider = [&](SteadyTime time) { first = first ? std::min(*first, time) : time; };
  for (const auto& [file, open] : open_) {
    if (!open.segment) continue;
    if (open.unsynced) consider(*open.unsynced + kSyncEach);
    if (options_.segment.time && !options_.in_order) consider(open.since + *options_.segment.time);
  }
  // What is too old goes, also while there is nothing new.
  if (options_.keep.limits.time) consider(kept_ + kKeepEach);
  return first;
}

void Recorder::take(const Item& item) {
  if (!item.timed.frame) {
    const auto found = open_.find(item.file);
    if (found == open_.end()) return;
    if (auto closed = close(found->second); !closed) {
      in_trouble(closed.error().text);
      abandon(found->second);
    }
    return;
  }
  if (blocked_until_ && clock_.steady() < *blocked_until_) {
    const std::lock_guard lock(mutex_);
    ++figures_.lost;
    return;
  }
  Result<Done> written = Done{};
  if (blocked_until_ && !keep_.enforce(open_bytes())) written = fail(no_room());
  if (written) written = write(item);
  while (!written && is_full(written.error()) && keep_.make_room()) written = write(item);
  if (written) {
    recovered();
    return;
  }
  in_trouble(written.error().text);
  const std::lock_guard lock(mutex_);
  ++figures_.lost;
}

Result<Done> Recorder::write(const Item& item) {
  Open& open = open_[item.file];
  if (open.segment && (full(open, item.timed.at) || !open.segment->fits(*item.timed.frame))) {
    if (auto closed = close(open); !closed) {
      if (!is_full(closed.error())) abandon(open);
      return closed;
    }
  }
  if (!open.segment) {
    if (auto begun = begin(open, item); !begun) return begun;
  }
  const std::uint64_t before = open.segment->bytes();
  if (auto added = open.segment->add(*item.timed.frame); !added) {
    if (!is_full(added.error())) abandon(open);
    return added;
  }
  if (!open.unsynced) open.unsynced = clock_.steady();
  const std::lock_guard lock(mutex_);
  ++figures_.frames;
  figures_.bytes += open.segment->bytes() - before;
  return Done{};
}

Result<Done> Recorder::begin(Open& open, const Item& item) {
  if (!keep_.enforce(open_bytes())) return fail(no_room());
  const std::string name = options_.names.name(item.timed.frame->captured);
  auto segment = Segment::begin(options_.folder, item.file.empty() ? name : item.file + '/' + name);
  if (!segment) return fail(std::move(segment).error());
  open.segment.emplace(std::move(*segment));
  open.since = item.timed.at;
  return Done{};
}

Error Recorder::no_room() const { return io_error(options_.folder, ENOSPC); }

Result<Done> Recorder::close(Open& open) {
  if (!open.segment) return Done{};
  auto path = open.segment->finish();
  while (!path && is_full(path.error()) && keep_.make_room()) path = open.segment->finish();
  if (!path) return fail(std::move(path).error());
  open.segment.reset();
  open.unsynced.reset();
  keep_.added(*path);
  keep_.enforce(open_bytes());
  if (report_) report_(Severity::Debug, *path + ": written");
  const std::lock_guard lock(mutex_);
  ++figures_.segments;
  return Done{};
}

// Left as it is, for the mender.
void Recorder::abandon(Open& open) {
  open.segment.reset();
  open.unsynced.reset();
  left_parts_ = true;
}

bool Recorder::full(const Open& open, SteadyTime at) const {
  const Limits& limits = options_.segment;
  // A clock that was set back, or another recording behind this one.
  if (at < open.since) return true;
  if (limits.time && at - open.since >= *limits.time) return true;
  if (limits.bytes && open.segment->bytes() >= *limits.bytes) return true;
  // What is kept goes segment by segment: one must be a small part of it.
  return options_.keep.limits.bytes && open.segment->bytes() >= *options_.keep.limits.bytes / 8;
}

std::uint64_t Recorder::open_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& [file, open] : open_) bytes += open.segment ? open.segment->bytes() : 0;
  return bytes;
}

// Once a second: what is written is brought to the disk, what is too much goes.
void Recorder::look_after() {
  const SteadyTime now = clock_.steady();
  for (auto& [file, open] : open_) {
    if (!open.segment) continue;
    Result<Done> done = Done{};
    if (!options_.in_order && options_.segment.time && now - open.since >= *options_.segment.time) {
      done = close(open);
    } else if (open.unsynced && now - *open.unsynced >= kSyncEach) {
      open.unsynced.reset();
      done = open.segment->sync();
      while (!done && is_full(done.error()) && keep_.make_room()) done = open.segment->sync();
    }
    if (done) continue;
    in_trouble(done.error().text);
    abandon(open);
  }
  if (now - kept_ < kSyncEach || (open_bytes() == 0 && !options_.keep.limits.time)) return;
  kept_ = now;
  if (!keep_.enforce(open_bytes())) in_trouble(no_room().text);
}

void Recorder::close_all() {
  for (auto& [file, open] : open_) {
    if (auto closed = close(open); !closed) in_trouble(closed.error().text);
  }
}

void Recorder::in_trouble(const std::string& why) {
  blocked_until_ = clock_.steady() + kTryEach;
  const std::lock_guard lock(mutex_);
  if (trouble_.empty()) lost_before_ = figures_.lost;
  if (trouble_ != why && report_)
    report_(Severity::Error, why + "; frames are lost, and it is tried again each second");
  trouble_ = why;
}

void Recorder::recovered() {
  if (!blocked_until_) return;
  blocked_until_.reset();
  std::uint64_t lost = 0;
  {
    const std::lock_guard lock(mutex_);
    trouble_.clear();
    lost = figures_.lost - lost_before_;
  }
  if (report_) report_(Severity::Info, "recording again; " + count_of(lost, "frame") + " lost");
  if (std::exchange(left_parts_, false)) {
    mend(options_.folder, report_);
    keep_.scan();
  }
}

}  // namespace fp::record
