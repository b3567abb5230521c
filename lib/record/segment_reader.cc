#include "record/segment_reader.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/text.h"
#include "record/cluster_reader.h"
#include "record/matroska.h"

namespace fp::record {
namespace {

constexpr std::chrono::microseconds kInterval{40'000};  // 25 a second, as ffmpeg takes what has no times

// X-Timestamp ends with the year 9999, and what a file says does not.
constexpr std::chrono::microseconds kLatest = std::chrono::years(100);

// No frame is larger than the file: a length in a header is not to be believed beyond that.
std::size_t size_of(int fd) {
  struct stat info {};
  return ::fstat(fd, &info) == 0 ? std::max<std::size_t>(1024, static_cast<std::size_t>(info.st_size)) : 1024;
}

// What the file begins with, as far as it tells who wrote it.
std::string front_of(int fd) {
  std::string front(matroska::kHeadBytes, '\0');
  const ssize_t got = ::pread(fd, front.data(), front.size(), 0);
  front.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return front;
}

// Other muxers put other things there.
bool are_headers(std::string_view text) {
  while (!text.empty()) {
    const auto end = text.find("\r\n");
    if (end == std::string_view::npos || text.find('\n') != end + 1) return false;
    if (!equal_ignoring_case(text.substr(0, 2), "X-")) return false;
    text.remove_prefix(end + 2);
  }
  return true;
}

}  // namespace

Container container_of(const std::string& name) {
  return name.ends_with(matroska::kExtension) ? Container::Matroska : Container::Parts;
}

Result<SegmentReader> SegmentReader::open(const std::string& path, Place from, std::size_t max_frame_bytes,
                                          const OpenBlocks& foreign) {
  // O_NONBLOCK: a FIFO without a writer is opened all the same, to be refused.
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return fail(io_error("open " + path));
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return fail(io_error("open " + path));
  if (!S_ISREG(info.st_mode)) return fail({Error::Kind::Unsupported, 0, path + ": is no regular file"});
  const std::string front = front_of(fd.get());
  const bool parts = !front.starts_with(matroska::kMagic);
  const bool ours = parts || matroska::is_ours(as_bytes(front));
  SegmentReader reader(fd.get(), ours ? from : Place(), max_frame_bytes,
                       parts ? Container::Parts : Container::Matroska);
  if (!ours) {
    if (!foreign)
      return malformed(path + ": is Matroska that frame-record did not write, for which libavformat is missing");
    auto blocks = foreign(fd.get(), path, max_frame_bytes);
    if (!blocks) return fail(std::move(blocks).error());
    reader.begun_ = (*blocks)->begin().value_or(reader.begun_);
    reader.blocks_ = std::move(*blocks);
  }
  reader.owned_ = std::move(fd);
  return reader;
}

SegmentReader::SegmentReader(int fd, Place from, std::size_t max_frame_bytes, Container container)
    : fd_(fd),
      parser_({std::min(max_frame_bytes, size_of(fd))}),
      read_(from.offset),
      number_(from.number),
      end_(from.offset) {
  struct stat info {};
  if (::fstat(fd, &info) == 0) begun_ = WallTime(std::chrono::seconds(info.st_mtim.tv_sec));
  if (container == Container::Matroska) blocks_ = std::make_unique<ClusterReader>(fd, from.offset, max_frame_bytes);
}

Skips SegmentReader::skips() const {
  Skips skips = parser_.skips();
  if (blocks_) skips += blocks_->skips();
  return skips;
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
      if (!blocks_) {
        offset_ = behind_line_end(end_);
        end_ = read_ - parser_.pending_bytes();
      }
      if (parser_.framing().with_timestamp == stamped) {
        const auto time = time_.value_or(kInterval * static_cast<std::int64_t>(number_));
        frame->captured = begun_ + std::min(time, kLatest);
      }
      if (parser_.framing().with_sequence == numbered) frame->sequence = number_;
      ++number_;
      return frame;
    }
    if (over_) return std::optional<Frame>();
    if (auto more = blocks_ ? read_block() : read_bytes(); !more) return fail(std::move(more).error());
  }
}

Result<Done> SegmentReader::read_bytes() {
  const auto room = parser_.room();
  const ssize_t got = ::pread(fd_, room.data(), room.size(), static_cast<off_t>(read_));
  if (got < 0 && errno == EINTR) return Done{};
  if (got < 0) return fail(io_error("read"));
  if (got == 0) {
    over_ = true;
    parser_.end();
    return Done{};
  }
  parser_.commit(static_cast<std::size_t>(got), begun_);
  read_ += static_cast<std::uint64_t>(got);
  return Done{};
}

// As the part that it would be in a stream: what is accepted as a frame is the same then.
Result<Done> SegmentReader::read_block() {
  auto block = blocks_->next();
  if (!block) return fail(std::move(block).error());
  if (!*block) {
    over_ = true;
    parser_.end();
    return Done{};
  }
  std::string header = "--" + std::string(kBoundary) +
                       "\r\nContent-Type: image/jpeg\r\nContent-Length: " + std::to_string((*block)->jpeg.size()) +
                       "\r\n";
  if (are_headers((*block)->headers)) header += (*block)->headers;
  put(as_bytes(header + "\r\n"));
  put((*block)->jpeg);
  put(as_bytes("\r\n"));
  offset_ = (*block)->offset;
  end_ = (*block)->end;
  time_ = (*block)->time;
  return Done{};
}

void SegmentReader::put(ByteView bytes) {
  while (!bytes.empty()) {
    const auto room = parser_.room();
    const std::size_t size = std::min(room.size(), bytes.size());
    std::copy_n(bytes.begin(), size, room.begin());
    parser_.commit(size, begun_);
    bytes = bytes.subspan(size);
  }
}

}  // namespace fp::record
