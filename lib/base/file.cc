#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/fd.h"
#include "base/text.h"

namespace fp {

Result<Blob> read_file(const std::string& path, std::size_t most_bytes) {
  // O_NONBLOCK: a FIFO without a writer is opened all the same, to be refused.
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return fail(io_error("open " + path));
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return fail(io_error("open " + path));
  if (S_ISDIR(info.st_mode)) return fail(io_error("read " + path, EISDIR));
  if (!S_ISREG(info.st_mode)) return malformed(path + ": is no regular file");
  Buffer buffer(64u << 10);
  std::size_t have = 0;
  for (;;) {
    if (have > most_bytes) {
      return fail({Error::Kind::TooLarge, 0, path + ": larger than " + human_bytes(most_bytes)});
    }
    if (have == buffer.capacity()) buffer.reserve(2 * have);
    const ssize_t got = ::read(fd.get(), buffer.data() + have, buffer.capacity() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(io_error("read " + path));
    if (got == 0) return std::move(buffer).into_blob(0, have);
    have += static_cast<std::size_t>(got);
  }
}

FileStamp stamp_of(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return {};
  FileStamp stamp;
  stamp.device = info.st_dev;
  stamp.inode = info.st_ino;
  stamp.size_bytes = info.st_size;
  stamp.written_ns = std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
  stamp.for_all = (info.st_mode & S_IROTH) != 0;
  return stamp;
}

}  // namespace fp
