// Host names to addresses, without making anybody wait.
#pragma once

#include <sys/socket.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace fp {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
  [[nodiscard]] int family() const { return storage.ss_family; }
  [[nodiscard]] const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

/// Looks up HOST:PORT for a stream socket. An address in figures is known at once; a name is asked for by a thread,
/// since getaddrinfo(3) blocks for as long as the resolver likes.
///
/// Destroying a Lookup abandons it: the thread ends by itself when the resolver answers, and nobody waits for it. Until
/// then it holds a stack and a descriptor, so whoever tries again and again should do so with a back-off.
class Lookup {
 public:
  using Addresses = std::vector<SocketAddress>;  ///< never empty

  Lookup(const std::string& host, const std::string& port);

  /// Readable when take() has something to give, for poll(2); -1 when it has it already.
  [[nodiscard]] int fd() const;
  /// The result, once: nothing as long as there is none. Errors: Io (no such host; no resolver; no more threads).
  [[nodiscard]] std::optional<Result<Addresses>> take();

 private:
  struct Shared;
  std::shared_ptr<Shared> shared_;  // with the thread; gone when the result was there at once
  std::optional<Result<Addresses>> result_;
};

}  // namespace fp
