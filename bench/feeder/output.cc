#include "feeder/output.h"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <span>

#include "common/clock.h"
#include "common/fd.h"

namespace fp::bench {
namespace {

iovec piece(const void* data, std::size_t bytes) { return {const_cast<void*>(data), bytes}; }

// Writes all of it; false when the reader is gone.
bool write_all(int fd, std::span<iovec> pieces) {
  while (!pieces.empty()) {
    const ssize_t wrote = ::writev(fd, pieces.data(), static_cast<int>(pieces.size()));
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0 && errno == EPIPE) return false;
    auto left = static_cast<std::size_t>(checked(wrote, "write"));
    while (!pieces.empty() && left >= pieces.front().iov_len) {
      left -= pieces.front().iov_len;
      pieces = pieces.subspan(1);
    }
    if (!pieces.empty()) {
      pieces.front().iov_base = static_cast<char*>(pieces.front().iov_base) + left;
      pieces.front().iov_len -= left;
    }
  }
  return true;
}

}  // namespace

bool DirectoryOutput::emit(const Picture& picture, std::uint32_t number) {
  const std::string temporary = directory_ + "/.tmp";
  Fd file(checked(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644), temporary));
  checked(::pwrite(file.get(), picture.body.data(), picture.body.size(), kStampedHeadBytes), temporary);
  std::array<char, 32> name{};
  std::snprintf(name.data(), name.size(), "/frame_%06u.jpg", number);
  const StampedHead head = stamped_head({wall_us(), number, picture.crc});
  checked(::pwrite(file.get(), head.data(), head.size(), 0), temporary);
  file.close();
  written_.push_back(directory_ + name.data());
  checked(::rename(temporary.c_str(), written_.back().c_str()), temporary);
  if (written_.size() > keep_) {
    ::unlink(written_.front().c_str());
    written_.pop_front();
  }
  return true;
}

bool PipeOutput::emit(const Picture& picture, std::uint32_t number) {
  std::array<char, 96> part{};
  const int part_bytes =
      std::snprintf(part.data(), part.size(), "--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %zu\r\n\r\n",
                    picture.stamped_bytes());
  const StampedHead head = stamped_head({wall_us(), number, picture.crc});
  std::array<iovec, 4> pieces = {piece(part.data(), static_cast<std::size_t>(part_bytes)),
                                 piece(head.data(), head.size()), piece(picture.body.data(), picture.body.size()),
                                 piece("\r\n", 2)};
  return write_all(fd_, pieces);
}

}  // namespace fp::bench
