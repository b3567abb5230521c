// A TCP server that does what a test tells it, connection by connection, on a thread of its own.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "support/io.h"

namespace fp::test {

/// What a connection's script talks through: the same words in the clear and in TLS.
class Peer {
 public:
  Peer(int fd, SSL* ssl, int stop) : fd_(fd), ssl_(ssl), stop_(stop) {}
  /// The request up to its blank line; "" when the client has left.
  std::string request() {
    std::string text;
    std::array<char, 4096> room{};
    while (text.find("\r\n\r\n") == std::string::npos) {
      const auto got = ssl_ != nullptr ? ::SSL_read(ssl_, room.data(), room.size())
                                       : static_cast<int>(::recv(fd_, room.data(), room.size(), 0));
      if (got <= 0) return "";
      text.append(room.data(), static_cast<std::size_t>(got));
    }
    return text;
  }
  bool send(const std::string& text) {
    if (ssl_ == nullptr) return write_all(fd_, text);
    return text.empty() || ::SSL_write(ssl_, text.data(), static_cast<int>(text.size())) > 0;
  }
  /// Until the client leaves, or the test ends.
  void hold() {
    std::array<pollfd, 2> fds = {pollfd{fd_, POLLRDHUP, 0}, {stop_, POLLIN, 0}};
    ::poll(fds.data(), fds.size(), static_cast<int>(std::chrono::milliseconds(kPatience).count()));
  }

 private:
  int fd_;
  SSL* ssl_;
  int stop_;
};

class ScriptedServer {
 public:
  using Script = std::function<void(Peer&, int number)>;  ///< number: of the connection, from 0

  /// With `tls`, a context with a certificate, that each connection speaks TLS with. It is the caller's.
  explicit ScriptedServer(Script script, SSL_CTX* tls = nullptr) : script_(std::move(script)), tls_(tls) {
    listener_ = Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    auto* const raw = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_.get(), raw, length) != 0 || ::listen(listener_.get(), 16) != 0 ||
        ::getsockname(listener_.get(), raw, &length) != 0) {
      throw std::runtime_error("listen");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { run(); });
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;
  ~ScriptedServer() {
    stop_.write.reset();
    thread_.join();
  }

  [[nodiscard]] std::string port() const { return std::to_string(port_); }
  [[nodiscard]] std::string url(const std::string& target) const {
    return (tls_ != nullptr ? "https://" : "http://") + std::string("127.0.0.1:") + port() + target;
  }
  [[nodiscard]] int connections() const { return connections_; }

 private:
  void run() {
    for (int number = 0;; ++number) {
      std::array<pollfd, 2> fds = {pollfd{listener_.get(), POLLIN, 0}, {stop_.read.get(), POLLIN, 0}};
      while (::poll(fds.data(), fds.size(), -1) < 0 && errno == EINTR) {
      }
      if (fds[1].revents != 0) return;
      const Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      ++connections_;
      if (tls_ == nullptr) {
        Peer peer(socket.get(), nullptr, stop_.read.get());
        script_(peer, number);
        continue;
      }
      const std::unique_ptr<SSL, decltype(&::SSL_free)> ssl(::SSL_new(tls_), &::SSL_free);
      ::SSL_set_fd(ssl.get(), socket.get());
      if (::SSL_accept(ssl.get()) != 1) continue;
      Peer peer(socket.get(), ssl.get(), stop_.read.get());
      script_(peer, number);
      ::SSL_shutdown(ssl.get());
    }
  }

  Script script_;
  SSL_CTX* tls_;
  Fd listener_;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  Pair stop_ = make_pipe();
  std::thread thread_;
};

}  // namespace fp::test
