#include "base/connector.h"

#include <doctest/doctest.h>
#include <netinet/in.h>

#include <cerrno>

#include "support/io.h"

namespace {

using namespace fp;
using namespace std::chrono_literals;

struct Port {
  Fd listener;
  std::string number;
};

// Bound to a port of its own, and listening there if `listens`.
Port make_port(bool listens) {
  Port port{Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), ""};
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  REQUIRE(::bind(port.listener.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
  if (listens) REQUIRE(::listen(port.listener.get(), 4) == 0);
  REQUIRE(::getsockname(port.listener.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
  port.number = std::to_string(ntohs(address.sin_port));
  return port;
}

TEST_CASE("Connector: the socket it gives is connected, close-on-exec, and does not block") {
  const Port port = make_port(true);
  // localhost may have an IPv6 address first, where nobody listens: the next one is tried.
  for (const char* host : {"127.0.0.1", "localhost"}) {
    CAPTURE(host);
    const auto socket = connect_blocking(host, port.number);
    REQUIRE(socket.has_value());
    CHECK((::fcntl(socket->get(), F_GETFD) & FD_CLOEXEC) != 0);
    CHECK((::fcntl(socket->get(), F_GETFL) & O_NONBLOCK) != 0);
    const Fd peer(::accept(port.listener.get(), nullptr, nullptr));
    REQUIRE(test::write_all(peer.get(), "hello\n"));
    CHECK(test::read_line(socket->get()) == "hello\n");
  }
}

TEST_CASE("Connector: a refusal is an error with its errno") {
  const Port port = make_port(false);
  const auto socket = connect_blocking("127.0.0.1", port.number);
  REQUIRE_FALSE(socket.has_value());
  CHECK(socket.error().sys == ECONNREFUSED);
  CHECK(socket.error().text == "connect: Connection refused");
}

TEST_CASE("Connector: what does not answer within the time is given up") {
  // A backlog that is full: further connections are not answered.
  const Port port = make_port(false);
  REQUIRE(::listen(port.listener.get(), 0) == 0);
  std::vector<Fd> filling;
  const SteadyTime begin{1h};
  for (int i = 0; i < 8; ++i) {
    Connector connector("127.0.0.1", port.number, begin);
    std::optional<Result<Fd>> socket;
    for (int turn = 0; turn < 20 && !socket; ++turn) {
      socket = connector.advance(begin);
      ::poll(nullptr, 0, 1);
    }
    if (!socket) {
      CHECK(connector.wait().write);
      CHECK(connector.wait().until == begin + 5s);
      CHECK_FALSE(connector.advance(begin + 4999ms).has_value());
      socket = connector.advance(begin + 5s);
      REQUIRE(socket.has_value());
      REQUIRE_FALSE(socket->has_value());
      CHECK((*socket).error().sys == ETIMEDOUT);
      return;
    }
    REQUIRE(socket->has_value());
    filling.push_back(std::move(**socket));
  }
  FAIL("the backlog never filled");
}

TEST_CASE("Connector: a name nobody can look up is the error of the look-up") {
  const auto socket = connect_blocking("no such host", "80");
  REQUIRE_FALSE(socket.has_value());
  CHECK(socket.error().text.starts_with("no such host: "));
}

}  // namespace
