// Where a server listens.
#pragma once

#include <string>
#include <vector>

#include "base/fd.h"

namespace fp {

struct Listener {
  Fd socket;
  std::string address;    ///< "127.0.0.1:8000", "unix:/run/x.sock"
  std::string text;       ///< for people: "http://127.0.0.1:8000/"
  bool tls = false;       ///< it is to speak TLS, as its text says
  std::string unix_path;  ///< to be unlinked at the end; "" when it is not ours
  bool beyond_loopback = false;
};

/// Opens what --listen names ("ADDR:PORT", ":PORT", "unix:PATH"), and takes over `activated` descriptors from systemd;
/// without any of these `fallback`. With `tls` those that are not unix sockets speak it. Throws Failure.
[[nodiscard]] std::vector<Listener> open_listeners(const std::vector<std::string>& specs,
                                                   const std::vector<int>& activated, bool tls,
                                                   const std::string& fallback);

}  // namespace fp
