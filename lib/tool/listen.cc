#include "tool/listen.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <array>
#include <cerrno>

#include "frame/endpoint.h"

namespace fp {
namespace {

// Fills in what the socket is really bound to: a port asked for as 0 has a number now.
void describe(Listener& listener, bool tls) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getsockname(listener.socket.get(), reinterpret_cast<sockaddr*>(&address), &length) != 0) return;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    ::inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
    listener.address = std::string(text.data()) + ":" + std::to_string(ntohs(v4.sin_port));
    listener.beyond_loopback = (ntohl(v4.sin_addr.s_addr) >> 24) != 127;
  } else if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    ::inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    listener.address = "[" + std::string(text.data()) + "]:" + std::to_string(ntohs(v6.sin6_port));
    listener.beyond_loopback = IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) == 0;
  } else {
    const auto& local = reinterpret_cast<const sockaddr_un&>(address);
    listener.address = "unix:" + std::string(local.sun_path);
    listener.text = listener.address;
    return;
  }
  listener.tls = tls;
  const std::string scheme = tls ? "https://" : "http://";
  const bool any = listener.address.starts_with("0.0.0.0:") || listener.address.starts_with("[::]:");
  const std::string port = listener.address.substr(listener.address.rfind(':'));
  listener.text =
      any ? scheme + "localhost" + port + "/ and this machine's other addresses" : scheme + listener.address + "/";
}

// On this machine nothing has to be paced, and where BBR is the default its timers cost 8 % of the processor time and
// of the age. Its connections inherit it from the listener; changed later, the old pacing rate would stay in force.
void stop_pacing(const Listener& listener) {
  if (listener.beyond_loopback || listener.text == listener.address) return;
  ::setsockopt(listener.socket.get(), IPPROTO_TCP, TCP_CONGESTION, "reno", 4);  // the one that is always there
}

Failure cannot_listen(const Error& error) {
  Failure failure = failure_of(error);
  if (error.sys == EADDRINUSE) failure.text += " (does another server run? name another port with --listen)";
  if (error.sys == EACCES) failure.text += " (ports below 1024 are for root)";
  return failure;
}

Listener open_one(const std::string& spec, bool tls) {
  Listener listener;
  if (spec.starts_with("unix:")) {
    auto socket = listen_unix(spec.substr(5));
    if (!socket) throw cannot_listen(socket.error());
    listener.socket = std::move(*socket);
    if (spec.size() > 5 && spec[5] != '@') listener.unix_path = spec.substr(5);
  } else {
    auto address = parse_host_port(spec);
    if (!address) throw Failure{Exit::Usage, "--listen " + address.error().text};
    // As everywhere else in the world, no address means all of them; both IPv6 and IPv4 where there is IPv6.
    const bool all = address->host.empty() && spec.starts_with(':');
    Result<Fd> socket = listen_tcp(all ? HostPort{"::", address->port} : *address);
    if (!socket && all) socket = listen_tcp({"0.0.0.0", address->port});
    if (!socket) throw cannot_listen(socket.error());
    listener.socket = std::move(*socket);
  }
  describe(listener, tls);
  stop_pacing(listener);
  return listener;
}

}  // namespace

std::vector<Listener> open_listeners(const std::vector<std::string>& specs, const std::vector<int>& activated, bool tls,
                                     const std::string& fallback) {
  std::vector<Listener> listeners;
  for (const int fd : activated) {
    Listener listener;
    listener.socket = Fd(fd);
    ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);  // ours alone: systemd does not accept on it
    describe(listener, tls);
    listeners.push_back(std::move(listener));
  }
  for (const std::string& spec : specs) listeners.push_back(open_one(spec, tls));
  if (listeners.empty()) listeners.push_back(open_one(fallback, tls));
  return listeners;
}

}  // namespace fp
