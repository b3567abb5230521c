// Where frames come from and go to: SPECs in socat's words.
#pragma once

#include <cstdint>
#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace fp {

struct Endpoint {
  enum class Kind { Standard, Fd, Path, Unix, UnixListen, Tcp, TcpListen, Http, Exec, None };
  Kind kind = Kind::Standard;
  int fd = -1;          ///< Fd
  std::string address;  ///< Path, Unix*: the path; Tcp*: the host ("" for TcpListen: loopback); Http: the URL, with its
                        ///< password; Exec: the command
  std::string port;     ///< Tcp*: a number, 0 to 65535
  std::string text;     ///< as given, but for passwords in URLs: for messages

  /// Whether its bytes may come from another machine.
  [[nodiscard]] bool network() const { return kind == Kind::Tcp || kind == Kind::TcpListen || kind == Kind::Http; }
  [[nodiscard]] bool listens() const { return kind == Kind::UnixListen || kind == Kind::TcpListen; }
};

enum class Direction { In, Out };

/// Reads `-`, a path, `fd:N`, `unix:PATH`, `unix-listen:PATH`, `tcp:HOST:PORT`, `tcp-listen:[HOST:]PORT`,
/// `exec:COMMAND`, for In `http://...` and `https://...`, and for Out `none`. IPv6 addresses stand in brackets. Errors:
/// Unsupported, saying what is wrong.
[[nodiscard]] Result<Endpoint> parse_endpoint(const std::string& spec, Direction direction);

/// "HOST:PORT", "[V6]:PORT", ":PORT" or "PORT". Errors: Unsupported.
struct HostPort {
  std::string host;
  std::string port;
};
[[nodiscard]] Result<HostPort> parse_host_port(const std::string& text);

/// A listening socket, close-on-exec and non-blocking, with the longest backlog there is. A unix socket that was left
/// behind by a dead process is replaced; a TCP host "" is loopback. Errors: Io.
[[nodiscard]] Result<Fd> listen_unix(const std::string& path);
[[nodiscard]] Result<Fd> listen_tcp(const HostPort& address);
/// The file that listening on a unix socket made, and that its owner unlinks at the end; "" when there is none.
[[nodiscard]] std::string socket_file(const Endpoint& endpoint);
/// The TCP port that a socket is bound to, which may have been asked for as 0; 0 when it has none.
[[nodiscard]] std::uint16_t local_port(int fd);
/// Begins to connect without blocking: poll for writing, then connect_error() (base/connector.h).
[[nodiscard]] Result<Fd> connect_unix(const std::string& path);
/// Makes the kernel notice within 5 s that a peer's machine or the way to it is gone (tcp(7)), so that an input whose
/// host lost power is opened again, and another broker is asked.
void set_keepalive(int fd);

}  // namespace fp
