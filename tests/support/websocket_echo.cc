// A server of WebSockets for tests with real clients: says back what it hears, until it is stopped.
//   websocket_echo [CERTIFICATE KEY]
#include <arpa/inet.h>
#include <netinet/in.h>

#include <csignal>
#include <iostream>
#include <optional>

#include "http/server.h"
#include "http/websocket.h"

namespace {

using namespace fp;

struct Echo final : http::WebSocketHandler {
  void text(http::WebSocket& socket, std::string_view message) override {
    if (message == "close") return socket.close(4000, "as you wish");
    if (!socket.send_text(message)) socket.close(1008, "too much at once");
  }
  void binary(http::WebSocket& socket, ByteView message) override { (void)socket.send_binary(message); }
  void closed(int code) override { std::cout << "closed " << code << std::endl; }
};

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // NOLINT(cert-err33-c)
  const SystemClock clock;
  Loop loop;
  std::optional<http::TlsContext> tls;
  if (argc > 2) tls.emplace(http::TlsContext::load({argv[1], argv[2]}).value());
  const http::WebSocketOptions options;
  http::Server server(loop, clock, {},
                      [&](http::Connection& connection, const http::Request& request) {
                        if (const auto refused = http::WebSocket::refusal(request, options))
                          return connection.respond(*refused);
                        http::WebSocket::accept(loop, clock, connection, request, options, std::make_unique<Echo>());
                      },
                      {});
  Fd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* const raw = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener.get(), raw, length) != 0 || ::listen(listener.get(), 64) != 0 ||
      ::getsockname(listener.get(), raw, &length) != 0) {
    return 1;
  }
  std::cout << (tls ? "wss" : "ws") << "://127.0.0.1:" << ntohs(address.sin_port) << "/" << std::endl;
  server.listen(std::move(listener), tls ? &*tls : nullptr);
  loop.run();
}
