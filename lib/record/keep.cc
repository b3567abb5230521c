#include "record/keep.h"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "base/result.h"
#include "record/file_steps.h"
#include "record/index.h"

namespace fp::record {
namespace {

using namespace std::chrono_literals;

// Others may remove files, too: what is known is looked at again before it costs a segment, but seldom, since a year of
// segments on a cold disk takes seconds.
constexpr auto kScanEach = 1h;
constexpr int kDeepest = 8;

}  // namespace

Keep::Keep(std::string folder, Options options, const Clock& clock, Report report)
    : folder_(std::move(folder)), options_(options), clock_(clock), report_(std::move(report)) {
  scan();
}

void Keep::scan() {
  namespace fs = std::filesystem;
  scanned_ = clock_.steady();
  segments_.clear();
  bytes_ = 0;
  std::error_code error;
  fs::recursive_directory_iterator walk(folder_, fs::directory_options::skip_permission_denied, error);
  for (const fs::recursive_directory_iterator end; !error && walk != end; walk.increment(error)) {
    if (walk.depth() >= kDeepest) walk.disable_recursion_pending();
    const std::string index = walk->path().string();
    constexpr std::string_view kIndex = ".index";
    if (index.ends_with(kIndex)) added(index.substr(0, index.size() - kIndex.size()));
  }
}

void Keep::scan_if_old() {
  if (clock_.steady() - scanned_ >= kScanEach) scan();
}

void Keep::added(const std::string& segment) {
  struct stat info {};
  struct stat index {};
  if (::lstat(segment.c_str(), &info) != 0 || !S_ISREG(info.st_mode) || !has_index(segment)) return;
  if (::lstat(index_of(segment).c_str(), &index) != 0) return;
  const auto bytes = static_cast<std::uint64_t>(info.st_size) + static_cast<std::uint64_t>(index.st_size);
  const std::int64_t modified_ns = info.st_mtim.tv_sec * 1'000'000'000LL + info.st_mtim.tv_nsec;
  if (segments_.emplace(Age{modified_ns, segment}, bytes).second) bytes_ += bytes;
}

bool Keep::remove_oldest() {
  while (!segments_.empty()) {
    const auto oldest = segments_.begin();
    const std::string path = oldest->first.path;
    bytes_ -= oldest->second;
    segments_.erase(oldest);
    // The index last: what is left when the end comes between the two is known as ours.
    const bool removed = ::unlink(path.c_str()) == 0;
    if (!removed && errno != ENOENT) {
      if (report_) report_(Severity::Warning, "not removed: " + io_error(path).text);
      continue;
    }
    ::unlink(index_of(path).c_str());
    for (std::string folder = folder_of(path); folder.size() > folder_.size() && ::rmdir(folder.c_str()) == 0;) {
      folder = folder_of(folder);
    }
    if (!removed) continue;
    if (report_) report_(Severity::Debug, path + ": removed");
    return true;
  }
  return false;
}

// Once: on a disk that is full it goes on for ever.
void Keep::tell_full() {
  if (!std::exchange(told_full_, true) && report_) {
    report_(Severity::Warning, folder_ + ": the disk is full: the oldest recordings are removed");
  }
}

bool Keep::make_room() {
  if (!remove_oldest()) return false;
  tell_full();
  return true;
}

bool Keep::beyond(std::uint64_t open_bytes) const {
  if (segments_.empty()) return false;
  if (options_.limits.bytes && bytes_ + open_bytes > *options_.limits.bytes) return true;
  if (!options_.limits.time) return false;
  const auto since_ns = std::chrono::nanoseconds(clock_.wall().time_since_epoch() - *options_.limits.time).count();
  return segments_.begin()->first.modified_ns < since_ns;
}

bool Keep::too_little_free() const {
  struct statvfs info {};
  if (options_.min_free_bytes == 0 || ::statvfs(folder_.c_str(), &info) != 0) return false;
  return static_cast<std::uint64_t>(info.f_bavail) * info.f_frsize < options_.min_free_bytes;
}

bool Keep::enforce(std::uint64_t open_bytes) {
  if (beyond(open_bytes)) scan_if_old();
  while (beyond(open_bytes)) remove_oldest();
  if (!too_little_free()) return true;
  scan_if_old();
  while (too_little_free()) {
    if (!make_room()) return false;
  }
  return true;
}

}  // namespace fp::record
