#include "frame/endpoint.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "base/text.h"
#include "http/url.h"

namespace fp {
namespace {

tl::unexpected<Error> unsupported(const std::string& text) { return fail({Error::Kind::Unsupported, 0, text}); }

Result<sockaddr_un> unix_address(const std::string& path, socklen_t& length) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return fail(io_error("unix:" + path, path.empty() ? EINVAL : ENAMETOOLONG));
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  if (path.front() == '@') address.sun_path[0] = 0;  // the abstract namespace, as socat and ss write it
  length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (path.front() == '@' ? 0 : 1));
  return address;
}

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

Result<Addresses> resolve_own(const HostPort& where) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | AI_PASSIVE;
  const std::string host = where.host.empty() ? "127.0.0.1" : where.host == "*" ? "0.0.0.0" : where.host;
  addrinfo* list = nullptr;
  const int error = ::getaddrinfo(host.c_str(), where.port.c_str(), &hints, &list);
  if (error == EAI_SYSTEM) return fail(io_error(host));
  if (error != 0) return fail({Error::Kind::Io, EHOSTUNREACH, host + ": " + ::gai_strerror(error)});
  return Addresses(list);
}

Result<Fd> new_socket(int family) {
  Fd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return fail(io_error("socket"));
  return fd;
}

// A socket file that nobody listens behind any more.
bool is_stale(const sockaddr_un& address, socklen_t length) {
  // connect() to any other file is refused, too: that is somebody's data.
  struct stat info {};
  if (::lstat(address.sun_path, &info) != 0 || !S_ISSOCK(info.st_mode)) return false;
  Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  return probe && ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0 &&
         errno == ECONNREFUSED;
}

}  // namespace

Result<HostPort> parse_host_port(const std::string& text) {
  HostPort result;
  std::string_view rest = text;
  if (rest.starts_with('[')) {
    const auto close = rest.find(']');
    if (close == std::string_view::npos || close + 1 >= rest.size() || rest[close + 1] != ':') {
      return unsupported("'" + text + "' is no [ADDRESS]:PORT");
    }
    result.host = std::string(rest.substr(1, close - 1));
    rest.remove_prefix(close + 2);
  } else if (const auto colon = rest.rfind(':'); colon != std::string_view::npos) {
    result.host = std::string(rest.substr(0, colon));
    rest.remove_prefix(colon + 1);
    if (result.host.find(':') != std::string::npos) {
      return unsupported("'" + text + "': an IPv6 address stands in brackets, as in [::1]:8000");
    }
  }
  if (!parse_integer<std::uint16_t>(rest)) {
    return unsupported("'" + std::string(rest) + "' is no port (0 to 65535) in '" + text + "'");
  }
  result.port = std::string(rest);
  return result;
}

Result<Endpoint> parse_endpoint(const std::string& spec, Direction direction) {
  Endpoint endpoint;
  endpoint.text = spec;
  const auto after = [&](std::string_view prefix) -> bool {
    if (!std::string_view(spec).starts_with(prefix)) return false;
    endpoint.address = spec.substr(prefix.size());
    return true;
  };
  if (spec == "-") return endpoint;
  if (spec == "none" && direction == Direction::Out) {
    endpoint.kind = Endpoint::Kind::None;
    return endpoint;
  }
  if (after("fd:")) {
    const auto fd = parse_integer<int>(endpoint.address);
    if (!fd || *fd < 0) return unsupported("'" + spec + "': fd: wants the number of an open descriptor");
    endpoint.kind = Endpoint::Kind::Fd;
    endpoint.fd = *fd;
  } else if (after("unix:")) {
    endpoint.kind = Endpoint::Kind::Unix;
  } else if (after("unix-listen:")) {
    endpoint.kind = Endpoint::Kind::UnixListen;
  } else if (after("tcp:") || after("tcp-listen:")) {
    const bool listens = spec[3] == '-';
    auto address = parse_host_port(endpoint.address);
    if (!address) return fail(std::move(address).error());
    if (!listens && address->host.empty()) return unsupported("'" + spec + "': tcp: wants HOST:PORT");
    endpoint.kind = listens ? Endpoint::Kind::TcpListen : Endpoint::Kind::Tcp;
    endpoint.address = address->host;
    endpoint.port = address->port;
  } else if (after("exec:")) {
    endpoint.kind = Endpoint::Kind::Exec;
  } else if (http::is_http_url(spec)) {
    const auto url = http::parse_url(spec);
    if (!url) return fail(url.error());
    if (direction == Direction::Out) {
      return unsupported("'" + url->text() + "': frames are not sent to URLs (mjpeg-serve serves them at one)");
    }
    endpoint.kind = Endpoint::Kind::Http;
    endpoint.address = spec;
    endpoint.text = url->text();
  } else {
    endpoint.kind = Endpoint::Kind::Path;
    endpoint.address = spec;
  }
  if (endpoint.address.empty() && endpoint.kind != Endpoint::Kind::Fd && endpoint.kind != Endpoint::Kind::TcpListen) {
    return unsupported("'" + spec + "' names nothing");
  }
  return endpoint;
}

Result<Fd> listen_unix(const std::string& path) {
  socklen_t length = 0;
  auto address = unix_address(path, length);
  if (!address) return fail(std::move(address).error());
  auto fd = new_socket(AF_UNIX);
  if (!fd) return fd;
  const auto* const raw = reinterpret_cast<const sockaddr*>(&*address);
  if (::bind(fd->get(), raw, length) != 0) {
    const bool replaced = errno == EADDRINUSE && path.front() != '@' && is_stale(*address, length) &&
                          ::unlink(path.c_str()) == 0 && ::bind(fd->get(), raw, length) == 0;
    if (!replaced) return fail(io_error("listen on unix:" + path, errno == ECONNREFUSED ? EADDRINUSE : errno));
  }
  if (::listen(fd->get(), SOMAXCONN) != 0) return fail(io_error("listen on unix:" + path));
  return fd;
}

std::uint16_t local_port(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) != 0) return 0;
  if (address.ss_family == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  return 0;
}

std::string socket_file(const Endpoint& endpoint) {
  return endpoint.kind == Endpoint::Kind::UnixListen && !endpoint.address.starts_with('@') ? endpoint.address : "";
}

Result<Fd> listen_tcp(const HostPort& where) {
  const std::string name = "listen on " + (where.host.empty() ? "127.0.0.1" : where.host) + ":" + where.port;
  auto addresses = resolve_own(where);
  if (!addresses) return fail(std::move(addresses).error().in(name));
  auto fd = new_socket((*addresses)->ai_family);
  if (!fd) return fd;
  const int on = 1;
  ::setsockopt(fd->get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd->get(), (*addresses)->ai_addr, (*addresses)->ai_addrlen) != 0) return fail(io_error(name));
  if (::listen(fd->get(), SOMAXCONN) != 0) return fail(io_error(name));
  return fd;
}

Result<Fd> connect_unix(const std::string& path) {
  socklen_t length = 0;
  auto address = unix_address(path, length);
  if (!address) return fail(std::move(address).error());
  auto fd = new_socket(AF_UNIX);
  if (!fd) return fd;
  if (::connect(fd->get(), reinterpret_cast<const sockaddr*>(&*address), length) != 0 && errno != EINPROGRESS) {
    return fail(io_error("connect to unix:" + path));
  }
  return fd;
}

void set_keepalive(int fd) {
  const int on = 1;
  const int idle_s = 2;
  const int interval_s = 1;
  const int count = 3;
  // None of these may fail on TCP, and on a unix socket they do no harm.
  ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval_s, sizeof interval_s);
  ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

}  // namespace fp
