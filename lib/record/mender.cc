#include "record/mender.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <vector>

#include "base/fd.h"
#include "record/file_steps.h"
#include "record/index.h"
#include "record/matroska.h"
#include "record/name_pattern.h"
#include "record/segment.h"
#include "record/segment_reader.h"

namespace fp::record {
namespace {

constexpr int kDeepest = 8;
constexpr std::string_view kPart = ".part";
constexpr std::string_view kIndex = ".index";
constexpr int kMostLikely = 9;  // of the numbers in a name

bool exists(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}

// The index of a segment that was being written, locked: nothing when it is not ours, or somebody's at work.
Fd lock_index(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!fd || ::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) return {};
  std::array<char, kIndexHead.size()> head{};
  const ssize_t got = ::pread(fd.get(), head.data(), head.size(), 0);
  // Whoever held the lock may have given it another name meanwhile.
  struct stat now {};
  struct stat then {};
  const bool same = ::fstat(fd.get(), &then) == 0 && ::lstat(path.c_str(), &now) == 0 && now.st_ino == then.st_ino;
  // Empty: the end came before anything was put into it.
  const bool ours =
      (got == static_cast<ssize_t>(head.size()) && std::string_view(head.data(), head.size()) == kIndexHead) ||
      (got == 0 && path.ends_with(std::string(kIndex) + std::string(kPart)));
  return same && ours ? std::move(fd) : Fd();
}

struct Whole {
  std::uint64_t frames = 0;
  std::uint64_t end = 0;  // behind the last JPEG, or Cluster
  std::string index;
  std::optional<matroska::Film> film;

  // What has to stand at the end.
  [[nodiscard]] std::string tail() const { return film ? film->cues() : "\r\n"; }
};

Result<Whole> read_whole(int fd, Container container) {
  Whole whole;
  whole.index = kIndexHead;
  SegmentReader reader(fd, {}, SegmentReader::kMostFrameBytes, container);
  for (;;) {
    auto frame = reader.next();
    if (!frame) return fail(std::move(frame).error());
    if (!*frame) return whole;
    whole.index += index_line({reader.offset(), (*frame)->captured, (*frame)->sequence, (*frame)->camera});
    whole.end = reader.end();
    ++whole.frames;
    if (!reader.time()) continue;
    const auto time = std::chrono::floor<std::chrono::milliseconds>(*reader.time());
    if (!whole.film) whole.film.emplace(**frame, time);
    whole.film->added(time, reader.offset());
  }
}

// `index` is what the index is called now, perhaps as it is to be called already.
Result<Done> name_whole(const std::string& segment, const std::string& index) {
  for (int number = 1; number <= 9999; ++number) {
    const std::string name = numbered(segment, number);
    if (exists(name)) continue;
    if (index != index_of(name)) {
      auto named = rename_to_free(index, index_of(name));
      if (!named && named.error().sys == EEXIST) continue;
      if (!named) return named;
    }
    if (auto named = rename_to_free(part_of(segment), name); !named) return named;
    return sync_folder(folder_of(segment));
  }
  return fail(io_error(segment, EEXIST));
}

// `index` is the file at `index_path`, locked.
Result<Done> mend_one(const std::string& segment, const std::string& index_path, const Fd& index, Mended& mended) {
  const std::string part = part_of(segment);
  const Fd file(::open(part.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (!file && errno != ENOENT) return fail(io_error(part));
  struct stat info {};
  if (file && (::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode))) return fail(io_error(part, EINVAL));
  // An index gets its first line before there is a segment: what stands beside an empty one is another's.
  struct stat line {};
  if (file && ::fstat(index.get(), &line) == 0 && line.st_size == 0) return Done{};
  Whole whole;
  if (file) {
    auto read = read_whole(file.get(), container_of(segment));
    if (!read) return fail(std::move(read).error().in(part));
    whole = std::move(*read);
  }
  if (whole.frames == 0) {
    if (file) ::unlink(part.c_str());
    ::unlink(index_path.c_str());
    return Done{};
  }
  const std::string tail = whole.tail();
  const std::uint64_t end = whole.end + tail.size();
  const auto size = static_cast<std::uint64_t>(info.st_size);
  // Cut first: that makes room on a full disk.
  if (size > end && ::ftruncate(file.get(), static_cast<off_t>(end)) != 0) return fail(io_error(part));
  if (auto written = write_at(file.get(), as_bytes(tail), whole.end); !written) return written;
  if (whole.film) {
    if (auto written = write_at(file.get(), as_bytes(whole.film->head(whole.end, end)), 0); !written) return written;
  }
  // It is as old as its last frame: Keep goes by that.
  const std::array<timespec, 2> times = {info.st_atim, info.st_mtim};
  ::futimens(file.get(), times.data());
  whole.index += index_end(end);
  // It begins as one of ours at any time: who is killed while mending leaves what can be mended.
  if (auto written = write_at(index.get(), as_bytes(whole.index), 0); !written) return written;
  if (::ftruncate(index.get(), static_cast<off_t>(whole.index.size())) != 0) return fail(io_error(index_path));
  if (::fsync(file.get()) != 0 || ::fsync(index.get()) != 0) return fail(io_error(part));
  if (auto named = name_whole(segment, index_path); !named) return named;
  ++mended.segments;
  mended.frames += whole.frames;
  const std::uint64_t kept = whole.film && size != end ? whole.end : end;
  mended.cut_bytes += size > kept ? size - kept : 0;
  return Done{};
}

// All regular files below the folder, first: they get other names while they are looked at.
std::vector<std::string> files_below(const std::string& folder) {
  namespace fs = std::filesystem;
  std::vector<std::string> files;
  std::error_code error;
  fs::recursive_directory_iterator walk(folder, fs::directory_options::skip_permission_denied, error);
  for (const fs::recursive_directory_iterator end; !error && walk != end; walk.increment(error)) {
    if (walk.depth() >= kDeepest) walk.disable_recursion_pending();
    std::string path = walk->path().string();
    if (path.ends_with(kPart) || path.ends_with(kIndex)) files.push_back(std::move(path));
  }
  return files;
}

}  // namespace

Mended mend(const std::string& folder, const Report& report) {
  Mended mended;
  const auto mend_with = [&](const std::string& segment, const std::string& index) {
    const Fd locked = lock_index(index);
    if (!locked) return;
    auto done = mend_one(segment, index, locked, mended);
    if (!done && report) report(Severity::Warning, "not mended: " + done.error().text);
  };
  const std::vector<std::string> files = files_below(folder);
  for (const std::string& file : files) {
    const std::string whole = whole_of(file);
    if (whole.ends_with(kIndex)) {
      mend_with(whole.substr(0, whole.size() - kIndex.size()), file);
    } else if (!whole.empty() && !exists(part_of(index_of(whole)))) {
      // The end came between the names of the index and of the segment.
      for (int number = 1; number <= kMostLikely; ++number) {
        const std::string name = numbered(whole, number);
        if (!exists(name) && has_index(name)) mend_with(whole, index_of(name));
      }
    }
  }
  for (const std::string& file : files) {
    if (!file.ends_with(kIndex)) continue;
    // The end came between removing an old segment and its index. In this order: a segment gets its name from its part.
    const std::string segment = file.substr(0, file.size() - kIndex.size());
    const bool orphan = !exists(part_of(segment)) && !exists(segment) && has_index(segment);
    if (orphan && lock_index(file)) ::unlink(file.c_str());
  }
  return mended;
}

}  // namespace fp::record
