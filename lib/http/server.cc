#include "http/server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>

namespace fp::http {
namespace {

using namespace std::chrono_literals;

std::string peer_name(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET) {
    ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text.data(), text.size());
    return text.data();
  }
  if (address.ss_family == AF_INET6) {
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, text.data(), text.size());
    const std::string name = text.data();
    return name.starts_with("::ffff:") && name.find('.') != std::string::npos ? name.substr(7) : name;
  }
  return "unix";
}

Fd open_spare() { return Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

}  // namespace

Server::Server(Loop& loop, const Clock& clock, Options options, Connection::Handler handler, Report report)
    : loop_(loop),
      clock_(clock),
      options_(std::move(options)),
      handler_(std::move(handler)),
      report_(std::move(report)),
      bodies_(options_.body_budget_bytes),
      spare_(open_spare()),
      sweep_timer_(loop, [this] { sweep(); }),
      shutdown_timer_(loop, [this] {
        if (done_) std::exchange(done_, nullptr)();
      }) {
  sweep_timer_.every(1s);
}

Server::~Server() = default;

void Server::listen(Fd socket, const TlsContext* tls) {
  auto listener = std::make_unique<Listener>();
  listener->tls = tls;
  listener->socket = std::move(socket);
  listener->watch = std::make_unique<IoWatch>(loop_, [this, raw = listener.get()](int) { accept(*raw); });
  listener->watch->watch(listener->socket.get(), IoWatch::kRead);
  listeners_.push_back(std::move(listener));
}

void Server::accept(Listener& listener) {
  // Some at a time, so that a rush of viewers does not hold up those that are there.
  for (int i = 0; i < 64; ++i) {
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    Fd socket(
        ::accept4(listener.socket.get(), reinterpret_cast<sockaddr*>(&address), &length, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (socket) {
      admit(std::move(socket), peer_name(address), listener.tls);
    } else if (errno == EMFILE || errno == ENFILE) {
      out_of_descriptors(listener.socket.get());
      return;
    } else if (errno != EINTR && errno != ECONNABORTED) {
      return;
    }
  }
}

// A connection that cannot be accepted keeps its listener readable: the loop would spin. One spare descriptor is given
// up to take it and turn it away.
void Server::out_of_descriptors(int listener) {
  spare_.reset();
  Fd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC)).reset();
  spare_ = open_spare();
  ++figures_.refused;
  if (report_ && clock_.steady() - said_full_ > 10s) {
    said_full_ = clock_.steady();
    report_(Severity::Error, "no more descriptors: viewers are turned away (raise LimitNOFILE= or ulimit -n)");
  }
}

void Server::admit(Fd socket, const std::string& peer, const TlsContext* tls) {
  std::size_t& same = per_address_[peer];
  if (connections_.size() >= options_.max_connections || same >= options_.max_connections_per_address) {
    ++figures_.refused;
    if (same == 0) per_address_.erase(peer);
    // In the midst of TLS it could not be read, and a handshake is what a full server can do without.
    if (tls != nullptr) return;
    constexpr std::string_view kFull =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nRetry-After: 5\r\nContent-Length: 30\r\n"
        "Connection: close\r\n\r\n{\"error\":\"too many viewers\"}\r\n";
    [[maybe_unused]] const ssize_t sent = ::send(socket.get(), kFull.data(), kFull.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    return;
  }
  std::unique_ptr<TlsSession> session = tls != nullptr ? tls->accept(socket.get()) : nullptr;
  if (tls != nullptr && session == nullptr) {
    ++figures_.refused;
    if (same == 0) per_address_.erase(peer);
    return;
  }
  ++same;
  ++figures_.accepted;
  auto connection = std::make_unique<Connection>(
      loop_, clock_, std::move(socket), peer, options_.connection, handler_,
      [this](Connection& closing, Connection::CloseReason reason) { closed(closing, reason); }, &bodies_,
      std::move(session));
  connections_.emplace(connection.get(), std::move(connection));
}

void Server::closed(Connection& connection, Connection::CloseReason reason) {
  if (reason == Connection::CloseReason::Stalled) ++figures_.stalled;
  if (reason == Connection::CloseReason::Timeout) ++figures_.timed_out;
  if (reason == Connection::CloseReason::Handshake) {
    ++figures_.no_tls;
    if (report_) report_(Severity::Debug, connection.peer() + ": TLS: " + connection.trouble());
  }
  const auto same = per_address_.find(connection.peer());
  if (same != per_address_.end() && --same->second == 0) per_address_.erase(same);
  const auto found = connections_.find(&connection);
  if (found == connections_.end()) return;
  std::shared_ptr<Connection> dying = std::move(found->second);
  connections_.erase(found);
  loop_.defer([dying] {});
  if (connections_.empty() && done_) loop_.defer(std::exchange(done_, nullptr));
}

void Server::sweep() {
  std::vector<Connection*> all;
  all.reserve(connections_.size());
  for (const auto& [raw, owned] : connections_) all.push_back(raw);
  for (Connection* connection : all) {
    if (connections_.count(connection) != 0) connection->check_time();
  }
}

void Server::shut_down(std::chrono::milliseconds limit, std::function<void()> done) {
  listeners_.clear();
  done_ = std::move(done);
  std::vector<Connection*> all;
  all.reserve(connections_.size());
  for (const auto& [raw, owned] : connections_) all.push_back(raw);
  for (Connection* connection : all) {
    if (connections_.count(connection) != 0) connection->shut_down();
  }
  if (connections_.empty() && done_) {
    loop_.defer(std::exchange(done_, nullptr));
  } else {
    shutdown_timer_.once(limit);
  }
}

}  // namespace fp::http
