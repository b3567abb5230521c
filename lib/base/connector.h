// A TCP connection in the making.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/fd.h"
#include "base/lookup.h"
#include "base/wait.h"

namespace fp {

/// Looks a host up and tries its addresses one after the other, none of it blocking, in the time that there is: each
/// address gets an equal share of what is left, so that one that swallows packets does not use up the time of the next.
/// One thread.
class Connector {
 public:
  static constexpr std::chrono::milliseconds kLimit{5000};  ///< for all of it, as a peer that is there takes far less

  Connector(const std::string& host, std::string port, SteadyTime now, std::chrono::milliseconds limit = kLimit);

  [[nodiscard]] Wait wait() const;
  /// Does what can be done now. Gives the connected socket (close-on-exec, non-blocking) or the last address's error,
  /// once; nothing: call again when wait() is fulfilled. Errors: Io, without the name of the host.
  [[nodiscard]] std::optional<Result<Fd>> advance(SteadyTime now);
  /// Is it still about the name?
  [[nodiscard]] bool looking_up() const { return lookup_.has_value(); }

 private:
  std::optional<Result<Fd>> next_address(SteadyTime now);

  std::string port_;
  SteadyTime until_;
  SteadyTime address_until_;
  std::optional<Lookup> lookup_;  // until it has answered
  Lookup::Addresses addresses_;
  std::size_t next_ = 0;  // of the addresses
  Fd socket_;
  std::uint64_t generation_ = 0;
  Error last_;
};

/// The same for a thread that may wait.
[[nodiscard]] Result<Fd> connect_blocking(const std::string& host, const std::string& port);

/// 0, or the errno with which a connect that was begun has failed.
[[nodiscard]] int connect_error(int fd);

}  // namespace fp
