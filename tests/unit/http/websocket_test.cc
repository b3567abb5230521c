#include "http/websocket.h"

#include <doctest/doctest.h>

#include <string>

#include "support/fake_clock.h"
#include "support/io.h"
#include "support/websocket_frames.h"

namespace {

using namespace fp;
using namespace fp::http;
using namespace std::chrono_literals;
using test::client_frame;
using test::frame;
using CloseReason = Connection::CloseReason;

struct Log {
  std::string heard;
  int closed = 0;  // with what code
};

struct Echo final : WebSocketHandler {
  explicit Echo(Log& log) : log_(log) {}
  void text(WebSocket& socket, std::string_view message) override {
    log_.heard += message;
    if (message == "close") return socket.close(4000, "as you wish");
    if (message == "flood") {
      while (socket.send_binary(as_bytes(std::string(10'000, 'x')))) {
      }
      return;
    }
    CHECK(socket.send_text("<" + std::string(message) + ">"));
  }
  void binary(WebSocket& socket, ByteView message) override { CHECK(socket.send_binary(message)); }
  void closed(int code) override { log_.closed = code; }
  Log& log_;
};

// A connection that becomes a WebSocket at any path, on a clock that stands still.
class Site {
 public:
  explicit Site(WebSocketOptions options = {})
      : options_(options), handler_([this](Connection& asked, const Request& request) {
          if (auto refused = WebSocket::refusal(request, options_)) return asked.respond(*refused);
          WebSocket::accept(loop, clock, asked, request, options_, std::make_unique<Echo>(log));
        }) {
    test::Pair pair = test::make_socketpair();
    peer = std::move(pair.write);
    connection = std::make_unique<Connection>(loop, clock, std::move(pair.read), "unix", connection_options_, handler_,
                                              [this](Connection&, CloseReason why) {
                                                reason = why;
                                                ++closed;
                                                std::shared_ptr<Connection> dying = std::move(connection);
                                                loop.defer([dying] {});
                                              });
  }
  void send(const std::string& bytes) { REQUIRE(test::write_all(peer.get(), bytes)); }
  bool run_until(const std::function<bool()>& holds) {
    return test::eventually([&] {
      turn();
      return holds();
    });
  }
  void turn() { ::ev_run(loop.raw(), EVRUN_NOWAIT); }
  // All that comes until `enough` is its end, or the connection's.
  std::string receive(const std::string& enough) {
    std::string seen;
    (void)run_until([&] {
      std::array<char, 65536> room{};
      const ssize_t got = ::recv(peer.get(), room.data(), room.size(), MSG_DONTWAIT);
      if (got > 0) seen.append(room.data(), static_cast<std::size_t>(got));
      return got == 0 || seen.ends_with(enough);
    });
    return seen;
  }
  std::string status() {
    REQUIRE(run_until([&] { return test::wait_readable(peer.get(), 0ms); }));
    std::array<char, 12> room{};
    return {room.data(), static_cast<std::size_t>(::recv(peer.get(), room.data(), room.size(), 0))};
  }
  void begin() {
    send(request());
    REQUIRE(receive("\r\n\r\n").starts_with("HTTP/1.1 101 "));
  }
  static std::string request(const std::string& more = "") {
    return "GET /ws HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
           more + "\r\n";
  }

  test::FakeClock clock;
  Loop loop;
  Log log;
  Fd peer;
  std::unique_ptr<Connection> connection;
  int closed = 0;
  CloseReason reason = CloseReason::Error;

 private:
  const WebSocketOptions options_;
  const ConnectionOptions connection_options_;
  const Connection::Handler handler_;
};

TEST_CASE("WebSocket: the answer of RFC 6455, 1.3, to the byte") {
  Site site;
  site.send(Site::request());
  CHECK(site.receive("\r\n\r\n") ==
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
}

TEST_CASE("WebSocket: messages go both ways, also one that came with the request") {
  Site site;
  site.send(Site::request() + client_frame(1, "early"));
  CHECK(site.receive("<early>").ends_with("\r\n\r\n" + frame(1, "<early>")));
  site.send(client_frame(1, "one") + client_frame(2, "two"));
  CHECK(site.receive("two") == frame(1, "<one>") + frame(2, "two"));
  CHECK(site.closed == 0);
}

TEST_CASE("WebSocket: a request that is none is told what is missing") {
  const auto answer = [](const std::string& request) {
    Site site;
    site.send(request);
    return site.status();
  };
  const std::string whole = Site::request();
  const auto without = [&](const std::string& line) {
    std::string request = whole;
    return request.erase(request.find(line), request.find("\r\n", request.find(line)) + 2 - request.find(line));
  };
  CHECK(answer(without("Upgrade: ")) == "HTTP/1.1 426");
  CHECK(answer(without("Connection: ")) == "HTTP/1.1 426");
  CHECK(answer(without("Sec-WebSocket-Version: ")) == "HTTP/1.1 426");
  CHECK(answer(without("Sec-WebSocket-Key: ")) == "HTTP/1.1 400");
  CHECK(answer("POST" + whole.substr(3)) == "HTTP/1.1 405");
}

TEST_CASE("WebSocket: a page of another origin may not connect, our own and one that is allowed may") {
  const std::vector<std::string> allowed = {"https://friend.example"};
  const auto answer = [&](const std::string& origin) {
    Site site({.limits = {}, .origins = &allowed});
    site.send(Site::request("Origin: " + origin + "\r\n"));
    return site.status();
  };
  CHECK(answer("https://evil.example") == "HTTP/1.1 403");
  CHECK(answer("null") == "HTTP/1.1 403");
  CHECK(answer("http://server.example.com") == "HTTP/1.1 101");
  CHECK(answer("https://friend.example") == "HTTP/1.1 101");
}

TEST_CASE("WebSocket: either side closes, is answered, and the connection ends") {
  Site theirs;
  theirs.begin();
  theirs.send(client_frame(8, std::string("\x03\xe8", 2)));
  CHECK(theirs.receive("\x03\xe8") == frame(8, std::string("\x03\xe8", 2)));
  CHECK(theirs.run_until([&] { return theirs.closed == 1 && theirs.log.closed == 1000; }));
  CHECK(static_cast<int>(theirs.reason) == static_cast<int>(CloseReason::Done));

  Site ours;
  ours.begin();
  ours.send(client_frame(1, "close"));
  CHECK(ours.receive("wish") == frame(8,
                                      "\x0f\xa0"
                                      "as you wish"));
  CHECK(ours.closed == 0);
  ours.send(client_frame(8, "\x0f\xa0"));
  CHECK(ours.run_until([&] { return ours.log.closed == 4000; }));
}

TEST_CASE("WebSocket: a peer that does not answer our closing is left") {
  Site site({.limits = {}, .close_time = 1ms});
  site.begin();
  site.send(client_frame(1, "close"));
  CHECK(site.run_until([&] { return site.log.closed == 1006; }));
  CHECK(static_cast<int>(site.reason) == static_cast<int>(CloseReason::Timeout));
}

TEST_CASE("WebSocket: a peer is pinged, and left when it says nothing for the time; a pong will do") {
  Site site({.limits = {}, .ping_every = 1ms});
  site.begin();
  CHECK(site.receive(frame(9, "")).starts_with(frame(9, "")));
  site.clock.tick(29s);
  site.send(client_frame(10, "") + client_frame(1, "here"));
  REQUIRE(site.run_until([&] { return site.log.heard == "here"; }));
  site.clock.tick(29s);
  for (int i = 0; i < 20; ++i) site.turn();
  CHECK(site.closed == 0);
  site.clock.tick(2s);
  CHECK(site.run_until([&] { return site.log.closed == 1006; }));
  CHECK(static_cast<int>(site.reason) == static_cast<int>(CloseReason::Stalled));
}

TEST_CASE("WebSocket: a peer that leaves without a word is gone at once") {
  Site site;
  site.begin();
  site.peer.reset();
  CHECK(site.run_until([&] { return site.log.closed == 1006; }));
}

TEST_CASE("WebSocket: over the limit nothing more is taken, and what was goes out when the peer reads") {
  Site site;
  site.begin();
  site.send(client_frame(1, "flood"));
  REQUIRE(site.run_until([&] { return site.log.heard == "flood"; }));
  std::string seen;
  const std::string whole = frame(2, std::string(10'000, 'x'));
  CHECK(site.run_until([&] {
    std::array<char, 65536> room{};
    const ssize_t got = ::recv(site.peer.get(), room.data(), room.size(), MSG_DONTWAIT);
    if (got > 0) seen.append(room.data(), static_cast<std::size_t>(got));
    return seen.size() >= 100 * whole.size();
  }));
  CHECK(seen.starts_with(whole));
  CHECK(seen.size() % whole.size() == 0);
  site.send(client_frame(1, "then"));
  CHECK(site.receive("<then>").ends_with(frame(1, "<then>")));
}

TEST_CASE("WebSocket: the server's end is told, and the connection waits for the answer") {
  Site site;
  site.begin();
  for (int i = 0; i < 10; ++i) site.turn();
  site.connection->shut_down();
  CHECK(site.receive("ends").starts_with(std::string("\x88\x11\x03\xe9", 4)));
  site.send(client_frame(8, "\x03\xe9"));
  CHECK(site.run_until([&] { return site.log.closed == 1001; }));
}

}  // namespace
