#include "record/cluster_reader.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace fp::record {

ClusterReader::ClusterReader(int fd, std::uint64_t offset, std::size_t max_frame_bytes)
    : fd_(fd), max_frame_bytes_(max_frame_bytes), at_(std::max<std::uint64_t>(offset, matroska::kHeadBytes)) {
  struct stat info {};
  if (::fstat(fd, &info) == 0) file_bytes_ = static_cast<std::uint64_t>(info.st_size);
}

// Into the front of buffer_; fewer only at the end of the file.
Result<std::size_t> ClusterReader::read(std::uint64_t at, std::size_t bytes) {
  if (buffer_.size() < bytes) buffer_.resize(bytes);
  std::size_t have = 0;
  while (have < bytes) {
    const ssize_t got = ::pread(fd_, buffer_.data() + have, bytes - have, static_cast<off_t>(at + have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(io_error("read"));
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  return have;
}

// To what may be the next Cluster behind at_; false when there is none.
Result<bool> ClusterReader::find_next() {
  constexpr std::size_t kChunkBytes = 64u << 10;
  const std::string_view id = matroska::kClusterId;
  const std::uint64_t from = at_;
  for (++at_;;) {
    const auto got = read(at_, kChunkBytes);
    if (!got) return fail(got.error());
    const auto found = as_text({buffer_.data(), *got}).find(id);
    if (found != std::string_view::npos || *got < kChunkBytes) {
      at_ += found == std::string_view::npos ? *got : found;
      skips_.bytes += at_ - from;
      return found != std::string_view::npos;
    }
    at_ += *got - (id.size() - 1);
  }
}

// The Cluster at at_, which is behind it then; nothing for one that is passed over.
Result<std::optional<Block>> ClusterReader::take(const matroska::ClusterHead& head) {
  const std::uint64_t offset = at_;
  const auto bytes = static_cast<std::size_t>(head.bytes());
  at_ += bytes;
  Skip reason = Skip::TooLarge;
  if (head.jpeg_bytes <= max_frame_bytes_) {
    const auto got = read(offset, bytes);
    if (!got) return fail(got.error());
    const ByteView all(buffer_.data(), *got);
    // Without its headers nobody knows when a frame was.
    const auto headers =
        *got == bytes ? matroska::parse_tail(all.last(static_cast<std::size_t>(head.tail_bytes))) : std::nullopt;
    const auto jpeg = [&] {
      return all.subspan(matroska::kClusterHeadBytes, static_cast<std::size_t>(head.jpeg_bytes));
    };
    if (headers) return Block{*headers, jpeg(), head.time, offset, at_};
    reason = Skip::Corrupt;
  }
  skips_.add(reason);
  skips_.bytes += bytes;
  return std::optional<Block>();
}

Result<std::optional<Block>> ClusterReader::next() {
  bool lost = false;  // a Cluster was damaged, and this is still behind it
  while (at_ < file_bytes_) {
    const auto got = read(at_, matroska::kClusterHeadBytes);
    if (!got) return fail(got.error());
    const ByteView front(buffer_.data(), *got);
    const auto head = matroska::parse_cluster_head(front);
    if (head && head->bytes() <= file_bytes_ - at_) {
      lost = false;
      auto block = take(*head);
      if (!block || *block) return block;
      continue;
    }
    if (matroska::begins_cues(front)) break;
    if (!std::exchange(lost, true)) skips_.add(head ? Skip::Truncated : Skip::Junk);
    const auto found = find_next();
    if (!found) return fail(found.error());
    if (!*found) break;
  }
  return std::optional<Block>();
}

}  // namespace fp::record
