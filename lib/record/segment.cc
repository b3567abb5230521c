#include "record/segment.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>

#include "record/file_steps.h"
#include "record/index.h"
#include "record/name_pattern.h"
#include "record/segment_reader.h"

namespace fp::record {
namespace {

constexpr int kMostOfOneName = 9999;
constexpr std::string_view kPart = ".part";

bool exists(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}

std::string path_in(const std::string& folder, const std::string& name) { return folder + '/' + name; }

}  // namespace

std::string part_of(const std::string& path) {
  const auto at = path.rfind('/') + 1;
  return path.substr(0, at) + '.' + path.substr(at) + std::string(kPart);
}

std::string whole_of(const std::string& part) {
  const auto at = part.rfind('/') + 1;
  if (part.size() <= at + 1 + kPart.size() || part[at] != '.' || !part.ends_with(kPart)) return "";
  return part.substr(0, at) + part.substr(at + 1, part.size() - at - 1 - kPart.size());
}

Result<Segment> Segment::begin(const std::string& folder, const std::string& name) {
  if (auto made = make_folders(folder, name); !made) return fail(std::move(made).error());
  for (int number = 1; number <= kMostOfOneName; ++number) {
    Segment segment;
    auto claimed = claim(segment, folder, numbered(name, number));
    if (!claimed && claimed.error().sys == ENOENT) {
      // Another recorder's Keep has removed the folder while it was empty.
      if (auto made = make_folders(folder, name); !made) return fail(std::move(made).error());
      claimed = claim(segment, folder, numbered(name, number));
    }
    if (!claimed) return fail(std::move(claimed).error());
    if (*claimed) return segment;
  }
  return fail(io_error(path_in(folder, name), EEXIST));
}

// False: the name is taken.
Result<bool> Segment::claim(Segment& segment, const std::string& folder, const std::string& name) {
  const std::string path = path_in(folder, name);
  if (exists(path) || exists(index_of(path)) || exists(part_of(path))) return false;
  const std::string index = part_of(index_of(path));
  segment.folder_ = folder;
  segment.name_ = name;
  segment.index_ = Fd(::open(index.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (!segment.index_ && errno == EEXIST) return false;
  if (!segment.index_) return fail(io_error(index));
  if (::flock(segment.index_.get(), LOCK_EX | LOCK_NB) != 0) {
    ::unlink(index.c_str());  // a Mender has it, and has seen that nothing is in it
    return false;
  }
  struct stat now {};
  if (::fstat(segment.index_.get(), &now) != 0 || now.st_nlink == 0) return false;  // a Mender had it
  auto begun = write_at(segment.index_.get(), as_bytes(kIndexHead), 0);
  if (begun) {
    segment.index_bytes_ = kIndexHead.size();
    segment.file_ = Fd(::open(part_of(path).c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (!segment.file_) begun = fail(io_error(part_of(path)));
  }
  if (begun && ::fsync(segment.index_.get()) != 0) begun = fail(io_error(index));
  if (begun) begun = sync_folder(folder_of(path));
  if (begun) return true;
  ::unlink(index.c_str());
  if (segment.file_) ::unlink(part_of(path).c_str());
  return fail(std::move(begun).error().in(path));
}

bool Segment::fits(const Frame& frame) const { return !ended_ && (frames_ == 0 || !film_ || film_->fits(frame)); }

Result<Done> Segment::add(const Frame& frame) {
  std::uint64_t offset = bytes_;
  if (container_of(name_) == Container::Parts) {
    if (auto put_there = put({part_header(frame), "\r\n"}, frame.jpeg.view()); !put_there) return put_there;
  } else {
    const bool first = frames_ == 0;
    if (first) film_.emplace(frame);
    const auto time = film_->time_of(frame);
    matroska::Around around = matroska::cluster(time, frame.jpeg.size(), x_headers(frame));
    if (first) {
      around.before.insert(0, film_->head());
      offset = matroska::kHeadBytes;
    }
    if (auto put_there = put(around, frame.jpeg.view()); !put_there) return put_there;
    film_->added(time, offset);
  }
  lines_ += index_line({offset, frame.captured, frame.sequence, frame.camera});
  ++frames_;
  return Done{};
}

// At the end of the file, or not at all.
Result<Done> Segment::put(const matroska::Around& around, ByteView jpeg) {
  const auto base = [](const auto* bytes) { return const_cast<void*>(static_cast<const void*>(bytes)); };
  std::array<iovec, 3> all = {iovec{base(around.before.data()), around.before.size()},
                              {base(jpeg.data()), jpeg.size()},
                              {base(around.behind.data()), around.behind.size()}};
  const std::uint64_t size = around.before.size() + jpeg.size() + around.behind.size();
  std::uint64_t done = 0;
  while (done < size) {
    std::uint64_t skip = done;
    std::array<iovec, 3> rest = all;
    std::size_t first = 0;
    while (skip >= rest[first].iov_len) skip -= rest[first++].iov_len;
    rest[first].iov_base = static_cast<char*>(rest[first].iov_base) + skip;
    rest[first].iov_len -= skip;
    const ssize_t put =
        ::pwritev(file_.get(), &rest[first], static_cast<int>(rest.size() - first), static_cast<off_t>(bytes_ + done));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) {
      const Error error = io_error(path_in(folder_, name_));
      // What is left of the frame would be cut off at the end, or written over before.
      if (::ftruncate(file_.get(), static_cast<off_t>(bytes_)) != 0) return fail(error);
      return fail(error);
    }
    done += static_cast<std::uint64_t>(put);
  }
  bytes_ += size;
  return Done{};
}

Result<Done> Segment::flush_index() {
  auto written = write_at(index_.get(), as_bytes(lines_), index_bytes_);
  if (!written) return fail(std::move(written).error().in(index_of(path_in(folder_, name_))));
  index_bytes_ += lines_.size();
  lines_.clear();
  return Done{};
}

Result<Done> Segment::sync() {
  if (::fdatasync(file_.get()) != 0) return fail(io_error(path_in(folder_, name_)));
  return flush_index();
}

// What a Matroska file has at its end: until then it plays, but nobody can look for a place in it.
Result<std::uint64_t> Segment::end_film() {
  if (frames_ == 0 || !film_) return bytes_;
  const std::string cues = film_->cues();
  const std::uint64_t end = bytes_ + cues.size();
  auto written = write_at(file_.get(), as_bytes(cues), bytes_);
  if (written) written = write_at(file_.get(), as_bytes(film_->head(bytes_, end)), 0);
  if (!written) return fail(std::move(written).error().in(path_in(folder_, name_)));
  return end;
}

Result<std::string> Segment::finish() {
  const std::string path = path_in(folder_, name_);
  if (::ftruncate(file_.get(), static_cast<off_t>(bytes_)) != 0) return fail(io_error(path));
  const auto end = end_film();
  if (!end) return fail(end.error());
  if (!ended_) lines_ += index_end(*end);
  ended_ = true;
  if (auto flushed = flush_index(); !flushed) return fail(std::move(flushed).error());
  if (::fsync(file_.get()) != 0 || ::fsync(index_.get()) != 0) return fail(io_error(path));
  // Somebody may have made a file of that name meanwhile.
  for (int number = 1; number <= kMostOfOneName; ++number) {
    const std::string whole = numbered(path, number);
    const std::string from = index_as_.empty() ? part_of(index_of(path)) : index_as_;
    if (from != index_of(whole)) {
      auto named = exists(whole) ? fail(io_error(whole, EEXIST)) : rename_to_free(from, index_of(whole));
      if (!named && named.error().sys == EEXIST) continue;
      if (!named) return fail(std::move(named).error());
      index_as_ = index_of(whole);
    }
    auto named = rename_to_free(part_of(path), whole);
    if (!named && named.error().sys == EEXIST) continue;
    if (!named) return fail(std::move(named).error());
    if (auto synced = sync_folder(folder_of(path)); !synced) return fail(std::move(synced).error());
    return whole;
  }
  return fail(io_error(path, EEXIST));
}

}  // namespace fp::record
