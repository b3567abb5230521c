#include "record/file_steps.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/fd.h"

namespace fp::record {

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<Done> make_folders(const std::string& root, const std::string& name) {
  for (std::size_t slash = name.find('/'); slash != std::string::npos; slash = name.find('/', slash + 1)) {
    const std::string folder = root + '/' + name.substr(0, slash);
    if (::mkdir(folder.c_str(), 0777) == 0) {
      if (auto synced = sync_folder(folder_of(folder)); !synced) return synced;
    } else if (errno != EEXIST) {
      return fail(io_error(folder));
    }
  }
  return Done{};
}

Result<Done> sync_folder(const std::string& folder) {
  const Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  // Some file systems of networks cannot do it: they say EINVAL.
  if (!fd || (::fsync(fd.get()) != 0 && errno != EINVAL)) return fail(io_error(folder));
  return Done{};
}

Result<Done> write_at(int fd, ByteView bytes, std::uint64_t at) {
  while (!bytes.empty()) {
    const ssize_t put = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return fail(io_error("write"));
    bytes = bytes.subspan(static_cast<std::size_t>(put));
    at += static_cast<std::uint64_t>(put);
  }
  return Done{};
}

Result<Done> rename_to_free(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return Done{};
  if (errno != EINVAL && errno != ENOSYS) return fail(io_error(to));
  // A file system that cannot ask and rename at once.
  struct stat info {};
  if (::lstat(to.c_str(), &info) == 0) return fail(io_error(to, EEXIST));
  if (::rename(from.c_str(), to.c_str()) != 0) return fail(io_error(to));
  return Done{};
}

}  // namespace fp::record
