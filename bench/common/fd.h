#pragma once

#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>
#include <utility>

namespace fp::bench {

/// Owns a file descriptor and closes it. The bench has its own, so that it measures without the code it measures.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  void close() { *this = Fd(); }

 private:
  int fd_ = -1;
};

/// Passes `result` on; -1 becomes an exception that carries errno and `what`.
template <typename Integer>
Integer checked(Integer result, const std::string& what) {
  if (result == -1) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

}  // namespace fp::bench
