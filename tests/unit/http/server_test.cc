#include "http/server.h"

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <vector>

#include "frame/endpoint.h"
#include "support/fake_clock.h"
#include "support/io.h"
#include "support/loops.h"

namespace {

using namespace fp;
using namespace fp::http;
using namespace std::chrono_literals;

struct Endless final : Body {
  void writable() override {}
  bool finish() override { return false; }
};

// A server on loopback and its clients, all on one thread.
struct Site {
  explicit Site(Server::Options options = {})
      : server(loop, clock, options,
               [this](Connection& connection, const Request& request) {
                 peers.push_back(connection.peer());
                 if (request.path == "/hold") {
                   held = &connection;
                   return connection.wait(std::make_unique<Endless>());
                 }
                 if (request.path == "/stream") return connection.stream({}, "streaming", std::make_unique<Endless>());
                 Response response;
                 response.text = "<" + request.path + ">";
                 connection.respond(response);
               },
               {}) {
    Fd listener = listen_tcp({"127.0.0.1", "0"}).value();
    sockaddr_storage address{};
    socklen_t length = sizeof address;
    REQUIRE(::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &length) == 0);
    address_ = address;
    server.listen(std::move(listener));
  }
  // A client that is connected, as far as the kernel knows.
  Fd connect() {
    Fd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(::connect(client.get(), reinterpret_cast<const sockaddr*>(&address_), sizeof(sockaddr_in)) == 0);
    return client;
  }
  bool run_until(const std::function<bool()>& holds) { return test::run_until(loop, holds); }
  std::string receive(const Fd& client, const std::string& end = "\x01never") {
    std::string text;
    (void)run_until([&] {
      char buffer[4096];
      const ssize_t got = ::recv(client.get(), buffer, sizeof buffer, MSG_DONTWAIT);
      if (got > 0) text.append(buffer, static_cast<std::size_t>(got));
      const bool lost = got < 0 && errno != EAGAIN;
      return got == 0 || lost || text.ends_with(end);
    });
    return text;
  }
  static void get(const Fd& client, const std::string& path) {
    REQUIRE(test::write_all(client.get(), "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n"));
  }

  test::FakeClock clock;
  Loop loop;
  std::vector<std::string> peers;
  Connection* held = nullptr;  // whose answer is to come
  Server server;

 private:
  sockaddr_storage address_{};
};

TEST_CASE("Server: many clients are served side by side, and known by their address") {
  Site site;
  std::vector<Fd> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(site.connect());
  for (std::size_t i = 0; i < clients.size(); ++i) Site::get(clients[i], "/" + std::to_string(i));
  for (std::size_t i = 0; i < clients.size(); ++i) {
    const std::string end = "</" + std::to_string(i) + ">";
    CHECK(site.receive(clients[i], end).ends_with(end));
  }
  CHECK(site.server.connections() == 100);
  CHECK(site.server.figures().accepted == 100);
  CHECK(site.peers.front() == "127.0.0.1");
}

TEST_CASE("Server: a connection that its peer closes is forgotten") {
  Site site;
  Fd client = site.connect();
  REQUIRE(site.run_until([&] { return site.server.connections() == 1; }));
  client.reset();
  CHECK(site.run_until([&] { return site.server.connections() == 0; }));
}

TEST_CASE("Server: over its limit of connections it answers 503 and counts") {
  Site site({.max_connections = 1, .max_connections_per_address = 10, .connection = {}});
  const Fd first = site.connect();
  REQUIRE(site.run_until([&] { return site.server.connections() == 1; }));
  const Fd second = site.connect();
  const std::string answer = site.receive(second);
  CHECK(answer.starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
  CHECK(answer.find("\r\nRetry-After: ") != std::string::npos);
  const auto body = answer.find("\r\n\r\n") + 4;
  CHECK(answer.find("\r\nContent-Length: " + std::to_string(answer.size() - body) + "\r\n") != std::string::npos);
  CHECK(site.server.figures().refused == 1);
  Site::get(first, "/a");
  CHECK(site.receive(first, "</a>").ends_with("</a>"));
}

TEST_CASE("Server: over its limit for one address it answers 503") {
  Site site({.max_connections = 10, .max_connections_per_address = 2, .connection = {}});
  const Fd first = site.connect();
  const Fd second = site.connect();
  REQUIRE(site.run_until([&] { return site.server.connections() == 2; }));
  const Fd third = site.connect();
  CHECK(site.receive(third).starts_with("HTTP/1.1 503 "));
}

Server::Options large_bodies(std::size_t budget_bytes) {
  Server::Options options;
  options.connection.body_limit = [](const Request&) { return std::size_t{32} << 20U; };
  options.body_budget_bytes = budget_bytes;
  return options;
}

// Without waiting for an answer, while the server runs.
bool post(Site& site, const Fd& client, const std::string& path, std::size_t size) {
  const std::string head =
      "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n";
  if (!test::write_all(client.get(), head)) return false;
  const std::string portion(64U << 10U, 'x');
  std::size_t sent = 0;
  return site.run_until([&] {
    for (int i = 0; i < 16 && sent < size; ++i) {
      const ssize_t put =
          ::send(client.get(), portion.data(), std::min(portion.size(), size - sent), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (put < 0) return errno != EAGAIN;
      sent += static_cast<std::size_t>(put);
    }
    return sent == size;
  }) && sent == size;
}

TEST_CASE("Server: a body of 20 MB arrives") {
  Site site(large_bodies(32U << 20U));
  const Fd client = site.connect();
  REQUIRE(post(site, client, "/large", 20'000'000));
  CHECK(site.receive(client, "</large>").ends_with("</large>"));
  CHECK(site.server.bodies().used_bytes() == 0);
}

TEST_CASE("Server: over the budget of bodies a request gets 503 and all of it, and smaller ones go on") {
  Site site(large_bodies(3'000'000));
  const Fd holder = site.connect();
  REQUIRE(post(site, holder, "/hold", 2'000'000));
  REQUIRE(site.run_until([&] { return site.peers.size() == 1; }));
  const Fd refused = site.connect();
  CHECK(post(site, refused, "/large", 4'000'000));  // it goes on sending: the answer must not be lost by that
  const std::string answer = site.receive(refused);
  CHECK(answer.starts_with("HTTP/1.1 503 Service Unavailable\r\n"));
  CHECK(answer.find("\r\nRetry-After: ") != std::string::npos);
  const Fd small = site.connect();
  REQUIRE(post(site, small, "/small", 50'000));
  CHECK(site.receive(small, "</small>").ends_with("</small>"));
}

TEST_CASE("Server: what a body took of the budget comes back when its connection closes") {
  Site site(large_bodies(3'000'000));
  const Fd holder = site.connect();
  REQUIRE(post(site, holder, "/hold", 2'000'000));
  REQUIRE(site.run_until([&] { return site.held != nullptr; }));
  CHECK(site.server.bodies().used_bytes() >= 2'000'000);
  site.held->close(Connection::CloseReason::Done);
  CHECK(site.server.bodies().used_bytes() == 0);
}

TEST_CASE("Server: a place that becomes free is given to the next") {
  Site site({.max_connections = 1, .max_connections_per_address = 1, .connection = {}});
  for (int i = 0; i < 5; ++i) {
    const Fd client = site.connect();
    Site::get(client, "/a");
    REQUIRE(site.receive(client, "</a>").ends_with("</a>"));
    ::shutdown(client.get(), SHUT_RDWR);
    REQUIRE(site.run_until([&] { return site.server.connections() == 0; }));
  }
  CHECK(site.server.figures().refused == 0);
}

TEST_CASE("Server: idle and slow clients are found by themselves") {
  Site site;
  const Fd idle = site.connect();
  const Fd slow = site.connect();
  REQUIRE(site.run_until([&] { return site.server.connections() == 2; }));
  REQUIRE(test::write_all(slow.get(), "GET / HT"));
  for (int i = 0; i < 20; ++i) ::ev_run(site.loop.raw(), EVRUN_NOWAIT);  // loopback delivers at once
  site.clock.tick(1min);
  CHECK(site.receive(slow).starts_with("HTTP/1.1 408 "));
  CHECK(site.receive(idle).empty());
  CHECK(site.run_until([&] { return site.server.connections() == 0; }));
}

TEST_CASE("Server: shutting down closes what is idle, refuses newcomers, and says when it is done") {
  Site site;
  const Fd idle = site.connect();
  REQUIRE(site.run_until([&] { return site.server.connections() == 1; }));
  int done = 0;
  site.server.shut_down(test::kPatience, [&] { ++done; });
  CHECK(site.run_until([&] { return done == 1; }));
  CHECK(site.receive(idle).empty());
  CHECK(site.server.connections() == 0);
}

TEST_CASE("Server: shutting down with no connection is done at once") {
  Site site;
  int done = 0;
  site.server.shut_down(test::kPatience, [&] { ++done; });
  CHECK(site.run_until([&] { return done == 1; }));
}

TEST_CASE("Server: shutting down waits for a stream in the middle of a frame, up to its limit") {
  Site site;
  const Fd viewer = site.connect();
  Site::get(viewer, "/stream");
  REQUIRE(site.receive(viewer, "streaming").ends_with("streaming"));
  int done = 0;
  site.server.shut_down(20ms, [&] { ++done; });
  CHECK(done == 0);
  CHECK(site.run_until([&] { return done == 1; }));
}

TEST_CASE("Server: shutting down, it says so once") {
  Site site;
  Fd viewer = site.connect();
  Site::get(viewer, "/stream");
  REQUIRE(site.receive(viewer, "streaming").ends_with("streaming"));
  int done = 0;
  site.server.shut_down(20ms, [&] { ++done; });
  REQUIRE(site.run_until([&] { return done == 1; }));
  viewer.reset();
  REQUIRE(site.run_until([&] { return site.server.connections() == 0; }));
  CHECK(done == 1);
}

}  // namespace
