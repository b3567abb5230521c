// Pipes, sockets, files and patience for tests.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/fd.h"

namespace fp::test {

/// How long a test waits for what must come: long, for loaded machines. Nothing is ever asserted to be quick.
inline constexpr std::chrono::seconds kPatience{30};

/// Waits until `holds` does; false when it never did.
inline bool eventually(const std::function<bool()>& holds) {
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (!holds()) {
    if (std::chrono::steady_clock::now() > until) return false;
    ::poll(nullptr, 0, 1);
  }
  return true;
}

/// Waits until `fd` is readable (or at its end).
inline bool wait_readable(int fd, std::chrono::milliseconds limit = kPatience) {
  pollfd one{fd, POLLIN, 0};
  int ready = 0;
  while ((ready = ::poll(&one, 1, static_cast<int>(limit.count()))) < 0 && errno == EINTR) {
  }
  return ready > 0;
}

struct Pair {
  Fd read;
  Fd write;
};
inline Pair make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
  return {Fd(ends[0]), Fd(ends[1])};
}
inline Pair make_socketpair() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) throw std::runtime_error("socketpair");
  return {Fd(ends[0]), Fd(ends[1])};
}

/// Writes all of `text`; false when the other side has left.
inline bool write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = ::write(fd, text.data(), text.size());
    if (put < 0 && errno == EAGAIN) {
      pollfd one{fd, POLLOUT, 0};
      if (::poll(&one, 1, static_cast<int>(std::chrono::milliseconds(kPatience).count())) <= 0) return false;
      continue;
    }
    if (put < 0 && errno != EINTR) return false;
    if (put > 0) text.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

/// Reads until `enough` holds of what has come, or the stream ends, or patience does.
inline std::string read_until(int fd, const std::function<bool(const std::string&)>& enough) {
  std::string text;
  std::array<char, 65536> buffer{};
  while (!enough(text) && wait_readable(fd)) {
    const ssize_t got = ::read(fd, buffer.data(), buffer.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return text;
}
inline std::string read_to_end(int fd) {
  return read_until(fd, [](const std::string&) { return false; });
}
inline std::string read_line(int fd) {
  return read_until(fd, [](const std::string& text) { return text.ends_with('\n'); });
}

/// A folder that goes away with its owner.
class TempDir {
 public:
  TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "fp-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
    path_ = name;
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline void write_file(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}
inline std::string read_file(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// As cli::start() does for the tools.
inline const auto kIgnoreSigpipe = std::signal(SIGPIPE, SIG_IGN);

}  // namespace fp::test
