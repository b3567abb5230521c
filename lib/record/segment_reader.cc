#include "record/segment_reader.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace fp::record {
namespace {

constexpr std::chrono::microseconds kInterval{40'000};  // 25 a second, as ffmpeg takes what has no times

// No frame is larger than the file: a length in a header is not to be believed beyond that.
std::size_t size_of(int fd) {
  struct stat info {};
  return ::fstat(fd, &info) == 0 ? std::max<std::size_t>(1024, static_cast<std::size_t>(info.st_size)) : 1024;
}

}  // namespace

Result<SegmentReader> SegmentReader::open(const std::string& path, Place from, std::size_t max_frame_bytes) {
  // O_NONBLOCK: a FIFO without a writer is opened all the same, to be refused.
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return fail(io_error("open " + path));
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return fail(io_error("open " + path));
  if (!S_ISREG(info.st_mode)) return fail({Error::Kind::Unsupported, 0, path + ": is no regular file"});
  SegmentReader reader(fd.get(), from, max_frame_bytes);
  reader.owned_ = std::move(fd);
  return reader;
}

SegmentReader::SegmentReader(int fd, Place from, std::size_t max_frame_bytes)
    : fd_(fd),
      parser_({std::min(max_frame_bytes, size_of(fd))}),
      read_(from.offset),
      number_(from.number),
      end_(from.offset) {
  struct stat info {};
  if (::fstat(fd, &info) == 0) modified_ = WallTime(std::chrono::seconds(info.st_mtim.tv_sec));
}

// A part begins behind the line end of the one before.
std::uint64_t SegmentReader::behind_line_end(std::uint64_t at) const {
  std::array<char, 2> bytes{};
  const ssize_t got = at == 0 ? 0 : ::pread(fd_, bytes.data(), bytes.size(), static_cast<off_t>(at));
  return got == 2 && bytes[0] == '\r' && bytes[1] == '\n' ? at + 2 : at;
}

Result<std::optional<Frame>> SegmentReader::next() {
  for (;;) {
    const std::uint64_t stamped = parser_.framing().with_timestamp;
    const std::uint64_t numbered = parser_.framing().with_sequence;
    if (auto frame = parser_.next()) {
      offset_ = behind_line_end(end_);
      end_ = read_ - parser_.pending_bytes();
      if (parser_.framing().with_timestamp == stamped) {
        frame->captured = modified_ + kInterval * static_cast<std::int64_t>(number_);
      }
      if (parser_.framing().with_sequence == numbered) frame->sequence = number_;
      ++number_;
      return frame;
    }
    if (over_) return std::optional<Frame>();
    const auto room = parser_.room();
    const ssize_t got = ::pread(fd_, room.data(), room.size(), static_cast<off_t>(read_));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(io_error("read"));
    if (got == 0) {
      over_ = true;
      parser_.end();
      continue;
    }
    parser_.commit(static_cast<std::size_t>(got), modified_);
    read_ += static_cast<std::uint64_t>(got);
  }
}

}  // namespace fp::record
