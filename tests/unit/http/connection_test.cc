#include "http/connection.h"

#include <doctest/doctest.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <string>
#include <vector>

#include "http/access.h"
#include "support/fake_clock.h"
#include "support/io.h"

namespace {

using namespace fp;
using namespace fp::http;
using namespace std::chrono_literals;
using CloseReason = Connection::CloseReason;

// What a handler lends the connection to: remembers who called.
struct FakeBody final : Body {
  explicit FakeBody(std::function<void()> on_writable = {}, bool may_end = true, bool leaves = false)
      : on_writable_(std::move(on_writable)), may_end_(may_end), leaves_(leaves) {}
  void writable() override {
    if (on_writable_) on_writable_();
  }
  bool finish() override { return may_end_; }
  bool leaves_with_input() const override { return leaves_; }
  std::function<void()> on_writable_;
  bool may_end_;
  bool leaves_;
};

Response text_response(const std::string& text) {
  Response response;
  response.content_type = "text/plain";
  response.text = text;
  return response;
}

// A connection whose peer is the test, on a clock that stands still.
class Site {
 public:
  explicit Site(Connection::Handler handler, ConnectionOptions options = {})
      : options_(std::move(options)), handler_(std::move(handler)) {
    test::Pair pair = test::make_socketpair();
    peer_ = std::move(pair.write);
    connection_ = std::make_unique<Connection>(loop, clock, std::move(pair.read), "unix", options_, handler_,
                                               [this](Connection&, CloseReason reason) {
                                                 reason_ = reason;
                                                 ++closed_;
                                                 // As the server does: it goes when its callback has returned.
                                                 std::shared_ptr<Connection> dying = std::move(connection_);
                                                 loop.defer([dying] {});
                                               });
  }
  void send(const std::string& text) { REQUIRE(test::write_all(peer_.get(), text)); }
  void get(const std::string& path) { send("GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n"); }
  // Lets the loop run until `enough` holds of all that came; then takes it away.
  std::string receive(const std::function<bool(const std::string&)>& enough) {
    (void)test::eventually([&] {
      turn();
      char buffer[65536];
      for (ssize_t got = 0; (got = ::recv(peer_.get(), buffer, sizeof buffer, MSG_DONTWAIT)) >= 0;) {
        if (got == 0) {
          ended_ = true;
          break;
        }
        seen_.append(buffer, static_cast<std::size_t>(got));
      }
      return ended_ || enough(seen_);
    });
    return std::exchange(seen_, {});
  }
  std::string receive_until(const std::string& end) {
    return receive([&](const std::string& text) { return text.ends_with(end); });
  }
  std::string receive_all() {
    return receive([](const std::string&) { return false; });
  }
  bool run_until(const std::function<bool()>& holds) {
    return test::eventually([&] {
      turn();
      return holds();
    });
  }
  void turn() { ::ev_run(loop.raw(), EVRUN_NOWAIT); }
  [[nodiscard]] Connection& connection() { return *connection_; }
  [[nodiscard]] int closed() const { return closed_; }
  [[nodiscard]] CloseReason reason() const { return reason_; }
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] Fd& peer() { return peer_; }

  test::FakeClock clock;
  Loop loop;

 private:
  const ConnectionOptions options_;
  const Connection::Handler handler_;
  Fd peer_;
  std::unique_ptr<Connection> connection_;
  std::string seen_;
  bool ended_ = false;
  int closed_ = 0;
  CloseReason reason_ = CloseReason::Error;
};

void echo_path(Connection& connection, const Request& request) {
  connection.respond(text_response("<" + request.path + ">"));
}

TEST_CASE("Connection: an answer is head and body, to the byte") {
  Site site(echo_path);
  site.get("/a");
  CHECK(site.receive_until("</a>") ==
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\nX-Content-Type-Options: nosniff\r\n"
        "Connection: keep-alive\r\n\r\n</a>");
}

TEST_CASE("Connection: serves one request after the other") {
  Site site(echo_path);
  for (const char* path : {"/a", "/b", "/c"}) {
    site.get(path);
    CHECK(site.receive_until("<" + std::string(path) + ">").find("200 OK") != std::string::npos);
  }
  CHECK(site.closed() == 0);
}

TEST_CASE("Connection: pipelined requests are answered in order") {
  Site site(echo_path);
  std::string requests;
  for (int i = 0; i < 10; ++i) requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
  site.send(requests);
  const std::string answers = site.receive_until("</9>");
  std::size_t at = 0;
  for (int i = 0; i < 10; ++i) {
    at = answers.find("</" + std::to_string(i) + ">", at);
    CHECK(at != std::string::npos);
  }
}

TEST_CASE("Connection: a pipelined request waits for the answer that comes later") {
  std::vector<Connection*> waiting;
  Site site([&](Connection& connection, const Request& request) {
    if (request.path == "/later") {
      waiting.push_back(&connection);
      connection.wait(std::make_unique<FakeBody>());
    } else {
      echo_path(connection, request);
    }
  });
  site.send("GET /later HTTP/1.1\r\nHost: x\r\n\r\nGET /next HTTP/1.1\r\nHost: x\r\n\r\n");
  REQUIRE(site.run_until([&] { return waiting.size() == 1; }));
  site.turn();
  waiting[0]->respond(text_response("<now>"));
  const std::string answers = site.receive_until("</next>");
  CHECK(answers.find("<now>") < answers.find("</next>"));
}

TEST_CASE("Connection: HEAD gets the length of the body and no body") {
  Site site(echo_path);
  site.send("HEAD /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string answer = site.receive_all();
  CHECK(answer.find("Content-Length: 4\r\n") != std::string::npos);
  CHECK(answer.ends_with("\r\n\r\n"));
}

TEST_CASE("Connection: an answer after HEAD is not mistaken for its body") {
  Site site(echo_path);
  site.send("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string answers = site.receive_until("</b>");
  CHECK(answers.find("</a>") == std::string::npos);
}

TEST_CASE("Connection: 304 and 204 have neither body nor length") {
  for (const int status : {204, 304}) {
    CAPTURE(status);
    Site site([&](Connection& connection, const Request&) {
      Response response = text_response("body");
      response.status = status;
      connection.respond(response);
    });
    site.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    const std::string answer = site.receive_all();
    CHECK(answer.find("Content-Length") == std::string::npos);
    CHECK(answer.ends_with("\r\n\r\n"));
  }
}

TEST_CASE("Connection: closes behind the answer when the peer asks for it") {
  for (const char* request : {"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "GET / HTTP/1.0\r\n\r\n"}) {
    CAPTURE(request);
    Site site(echo_path);
    site.send(request);
    const std::string answer = site.receive_all();
    CHECK(answer.find("\r\nConnection: close\r\n") != std::string::npos);
    CHECK(answer.ends_with("</>"));
    CHECK(site.ended());
    CHECK(static_cast<int>(site.reason()) == static_cast<int>(CloseReason::Done));
  }
}

TEST_CASE("Connection: a peer that closes its side behind its request still gets the answer") {
  Site site(echo_path);
  site.get("/a");
  ::shutdown(site.peer().get(), SHUT_WR);
  CHECK(site.receive_all().ends_with("</a>"));
}

TEST_CASE("Connection: a bad request is answered with its status, and closed") {
  Site site(echo_path);
  site.send("nonsense\r\n\r\n");
  const std::string answer = site.receive_all();
  CHECK(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"));
  CHECK(answer.find("{\"error\":\"") != std::string::npos);
  CHECK(site.ended());
}

TEST_CASE("Connection: the requests before a bad one are answered") {
  Site site(echo_path);
  site.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\nnonsense\r\n\r\n");
  const std::string answers = site.receive_all();
  CHECK(answers.find("</a>") < answers.find("400 Bad Request"));
  CHECK(answers.find("400 Bad Request") != std::string::npos);
}

TEST_CASE("Connection: a peer that leaves is let go") {
  Site site(echo_path);
  site.peer().reset();
  CHECK(site.run_until([&] { return site.closed() == 1; }));
  CHECK(static_cast<int>(site.reason()) == static_cast<int>(CloseReason::Peer));
}

// Answers nothing by itself; `leaves` as Body::leaves_with_input().
Connection::Handler waits(Connection*& waiting, bool leaves) {
  return [&waiting, leaves](Connection& connection, const Request&) {
    waiting = &connection;
    connection.wait(std::make_unique<FakeBody>(std::function<void()>(), true, leaves));
  };
}

TEST_CASE("Connection: a peer that leaves while its answer is awaited is let go") {
  Connection* waiting = nullptr;
  Site site(waits(waiting, false));
  site.get("/a");
  REQUIRE(site.run_until([&] { return waiting != nullptr; }));
  site.peer().reset();
  CHECK(site.run_until([&] { return site.closed() == 1; }));
  CHECK(static_cast<int>(site.reason()) == static_cast<int>(CloseReason::Peer));
}

TEST_CASE("Connection: one that has sent more behind its request and leaves is found at the next look") {
  Connection* waiting = nullptr;
  Site site(waits(waiting, false));
  site.get("/a");
  REQUIRE(site.run_until([&] { return waiting != nullptr; }));
  site.get("/b");
  for (int i = 0; i < 5; ++i) site.turn();
  site.connection().check_time();
  CHECK(site.closed() == 0);
  site.peer().reset();
  site.connection().check_time();
  CHECK(site.closed() == 1);
  CHECK(static_cast<int>(site.reason()) == static_cast<int>(CloseReason::Peer));
}

TEST_CASE("Connection: a peer that has closed its side still gets the answer that comes later") {
  Connection* waiting = nullptr;
  Site site(waits(waiting, false));
  site.get("/a");
  REQUIRE(site.run_until([&] { return waiting != nullptr; }));
  ::shutdown(site.peer().get(), SHUT_WR);
  for (int i = 0; i < 5; ++i) site.turn();
  site.connection().check_time();
  REQUIRE(site.closed() == 0);
  waiting->respond(text_response("later"));
  CHECK(site.receive_all().ends_with("later"));
}

TEST_CASE("Connection: a peer that has closed its side has gone where the body says so") {
  Connection* waiting = nullptr;
  Site site(waits(waiting, true));
  site.get("/a");
  REQUIRE(site.run_until([&] { return waiting != nullptr; }));
  CHECK(site.closed() == 0);
  ::shutdown(site.peer().get(), SHUT_WR);
  CHECK(site.run_until([&] { return site.closed() == 1; }));
  CHECK(static_cast<int>(site.reason()) == static_cast<int>(CloseReason::Peer));
}

TEST_CASE("Connection: one who sends more while its answer is awaited keeps no processor busy, and is answered") {
  Connection* waiting = nullptr;
  Site site(waits(waiting, true));
  site.get("/a");
  REQUIRE(site.run_until([&] { return waiting != nullptr; }));
  site.get("/b");
  Timer stop(site.loop, [&] { site.loop.stop(); });
  stop.once(200ms);
  const unsigned before = ::ev_iteration(site.loop.raw());
  site.loop.run();
  CHECK(::ev_iteration(site.loop.raw()) - before < 50);
  Connection* const first = std::exchange(waiting, nullptr);
  first->respond(text_response("<a>"));
  CHECK(site.receive_until("<a>").ends_with("<a>"));
  REQUIRE(site.run_until([&] { return waiting != nullptr; }));
  waiting->respond(text_response("<b>"));
  CHECK(site.receive_until("<b>").ends_with("<b>"));
}

TEST_CASE("Connection: a request that takes longer than its time is answered with 408") {
  Site site(echo_path);
  site.send("GET / HT");
  site.turn();  // a socket pair delivers at once
  site.clock.tick(9s);
  site.connection().check_time();
  REQUIRE(site.closed() == 0);
  site.clock.tick(2s);
  site.connection().check_time();
  const std::string answer = site.receive_all();
  CHECK(answer.starts_with("HTTP/1.1 408 Request Timeout\r\n"));
  CHECK(site.ended());
}

TEST_CASE("Connection: a peer that drips its request byte by byte gains no time by it") {
  Site site(echo_path);
  site.send("G");
  site.turn();
  for (int i = 0; i < 11; ++i) {
    site.clock.tick(1s);
    site.send("E");
    site.turn();
    if (site.closed() == 0) site.connection().check_time();
  }
  CHECK(site.receive_all().starts_with("HTTP/1.1 408 "));
}

TEST_CASE("Connection: idle for too long, it is closed without a word") {
  Site site(echo_path);
  site.get("/a");
  REQUIRE(site.receive_until("</a>").size() > 0);
  site.clock.tick(29s);
  site.connection().check_time();
  REQUIRE(site.closed() == 0);
  site.clock.tick(2s);
  site.connection().check_time();
  CHECK(site.receive_all().empty());
  CHECK(static_cast<int>(site.reason()) == static_cast<int>(CloseReason::Timeout));
}

TEST_CASE("Connection: a peer that asks now and then is not idle") {
  Site site(echo_path);
  for (int i = 0; i < 5; ++i) {
    site.clock.tick(20s);
    site.connection().check_time();
    REQUIRE(site.closed() == 0);
    site.get("/a");
    REQUIRE(site.receive_until("</a>").size() > 0);
  }
  CHECK(site.closed() == 0);
}

std::string large_post(std::size_t size, const std::string& headers = {}) {
  return "POST /large HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(size) + "\r\n" + headers + "\r\n";
}

ConnectionOptions large_bodies() {
  ConnectionOptions options;
  options.body_limit = [](const Request&) { return std::size_t{4} << 20U; };
  return options;
}

void echo_size(Connection& connection, const Request& request) {
  connection.respond(text_response("<" + std::to_string(request.body.size()) + ">"));
}

TEST_CASE("Connection: who waits for 100 Continue gets it, and then sends the body") {
  Site site(echo_size, large_bodies());
  site.send(large_post(100'000, "Expect: 100-continue\r\n"));
  CHECK(site.receive_until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  site.send(std::string(100'000, 'x'));
  const std::string answer = site.receive_until("<100000>");
  CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_CASE("Connection: who waits for 100 Continue and may not send the body is told why instead") {
  Site site(echo_size);
  site.send(large_post(100'000, "Expect: 100-continue\r\n"));
  CHECK(site.receive_all().starts_with("HTTP/1.1 413 Content Too Large\r\n"));
}

TEST_CASE("Connection: a refused body is read to its end and thrown away, so that the answer is not lost") {
  Site site(echo_size);
  site.send(large_post(1'000'000));
  for (int i = 0; i < 10; ++i) {
    site.send(std::string(100'000, 'x'));
    REQUIRE(site.run_until([&] {
      int left = 0;
      return ::ioctl(site.peer().get(), SIOCOUTQ, &left) == 0 && left == 0;
    }));
    REQUIRE(site.closed() == 0);
  }
  CHECK(site.receive_all().starts_with("HTTP/1.1 413 "));
  ::shutdown(site.peer().get(), SHUT_WR);
  CHECK(site.run_until([&] { return site.closed() == 1; }));
  CHECK(static_cast<int>(site.reason()) == static_cast<int>(CloseReason::Done));
}

TEST_CASE("Connection: a refused peer that neither reads nor leaves is closed after a while") {
  Site site(echo_size);
  site.send(large_post(1'000'000));
  REQUIRE(site.receive_all().starts_with("HTTP/1.1 413 "));
  site.clock.tick(4s);
  site.connection().check_time();
  REQUIRE(site.closed() == 0);
  site.clock.tick(2s);
  site.connection().check_time();
  CHECK(site.closed() == 1);
}

TEST_CASE("Connection: a large body has more time, by what has come of it") {
  Site site(echo_size, large_bodies());
  site.send(large_post(1'000'000));
  // 20 s in all, at 100 KB in two seconds.
  for (int i = 0; i < 10; ++i) {
    if (i > 0) site.clock.tick(2s);
    site.connection().check_time();
    REQUIRE(site.closed() == 0);
    site.send(std::string(100'000, 'x'));
    REQUIRE(site.run_until([&] {
      int left = 0;
      return ::ioctl(site.peer().get(), SIOCOUTQ, &left) == 0 && left == 0;
    }));
  }
  CHECK(site.receive_until("<1000000>").starts_with("HTTP/1.1 200 OK\r\n"));
}

TEST_CASE("Connection: a large body of which nothing comes has no more time than any request") {
  Site site(echo_size, large_bodies());
  site.send(large_post(4'000'000));
  site.turn();
  site.clock.tick(11s);
  site.connection().check_time();
  CHECK(site.receive_all().starts_with("HTTP/1.1 408 "));
}

Connection::Handler large_answer() {
  return [](Connection& connection, const Request&) {
    Response response;
    response.content_type = "image/jpeg";
    response.blob = Blob::copy_of(as_bytes(std::string(4 << 20, 'x')));
    connection.respond(response);
  };
}

TEST_CASE("Connection: a large answer arrives whole, however the socket takes it") {
  Site site(large_answer());
  site.send("GET / HTTP/1.0\r\n\r\n");
  const std::string answer = site.receive_all();
  CHECK(answer.size() - answer.find("\r\n\r\n") - 4 == 4 << 20);
}

TEST_CASE("Connection: a peer that takes no byte of its answer for the stall time is closed") {
  Site site(large_answer());
  site.get("/");
  REQUIRE(site.run_until([&] { return test::wait_readable(site.peer().get(), 0ms); }));
  site.clock.tick(14s);
  site.connection().check_time();
  REQUIRE(site.closed() == 0);
  site.clock.tick(2s);
  site.connection().check_time();
  CHECK(site.closed() == 1);
  CHECK(static_cast<int>(site.reason()) == static_cast<int>(CloseReason::Stalled));
}

TEST_CASE("Connection: a slow peer that takes some bytes now and then is not stalled") {
  Site site(large_answer());
  site.get("/");
  REQUIRE(site.run_until([&] { return test::wait_readable(site.peer().get(), 0ms); }));
  for (int i = 0; i < 4; ++i) {
    site.clock.tick(10s);
    // As much as the kernel holds, so that the connection can send more.
    std::size_t taken = 0;
    REQUIRE(site.run_until([&] {
      char buffer[65536];
      const ssize_t got = ::recv(site.peer().get(), buffer, sizeof buffer, MSG_DONTWAIT);
      if (got > 0) taken += static_cast<std::size_t>(got);
      return taken > 400'000;
    }));
    site.turn();
    site.connection().check_time();
    REQUIRE(site.closed() == 0);
  }
}

TEST_CASE("Connection: a peer that has closed its side and does not read keeps no processor busy") {
  Site site(large_answer());
  site.get("/");
  REQUIRE(site.run_until([&] { return test::wait_readable(site.peer().get(), 0ms); }));
  ::shutdown(site.peer().get(), SHUT_WR);
  Timer stop(site.loop, [&] { site.loop.stop(); });
  stop.once(200ms);
  const unsigned before = ::ev_iteration(site.loop.raw());
  site.loop.run();
  CHECK(::ev_iteration(site.loop.raw()) - before < 50);
}

TEST_CASE("Connection: a peer that asks and asks without reading is cut off, not answered into memory") {
  Site site(large_answer());
  std::string requests;
  for (int i = 0; i < 100; ++i) requests += "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  site.send(requests);
  CHECK(site.run_until([&] { return site.closed() == 1; }));
}

TEST_CASE("Connection: a stream is a head without length, then what its body sends") {
  Site site([](Connection& connection, const Request&) {
    Response head;
    head.content_type = "multipart/x-mixed-replace;boundary=frame";
    connection.stream(head, "first|", std::make_unique<FakeBody>([&connection] {
                        std::string text = "second";
                        const iovec part{text.data(), text.size()};
                        CHECK(connection.send({&part, 1}) == text.size());
                      }));
  });
  site.get("/stream");
  CHECK(site.receive_until("second") ==
        "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=frame\r\n"
        "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\nfirst|second");
}

TEST_CASE("Connection: HEAD of a stream gets the head and the end") {
  Site site(
      [](Connection& connection, const Request&) { connection.stream({}, "first", std::make_unique<FakeBody>()); });
  site.send("HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string answer = site.receive_all();
  CHECK(answer.ends_with("Connection: close\r\n\r\n"));
}

TEST_CASE("Connection: a stream is not idle, whatever the time") {
  Site site(
      [](Connection& connection, const Request&) { connection.stream({}, "first", std::make_unique<FakeBody>()); });
  site.get("/stream");
  REQUIRE(site.receive_until("first").size() > 0);
  for (int i = 0; i < 10; ++i) site.turn();  // its body has been asked, and has nothing to send for now
  site.clock.tick(1h);
  site.connection().check_time();
  CHECK(site.closed() == 0);
}

TEST_CASE("Connection: a stream whose body waits for a peer that takes nothing is stalled") {
  Site site([](Connection& connection, const Request&) {
    connection.stream({}, "first", std::make_unique<FakeBody>([&connection] {
                        std::string text(1 << 20, 'x');
                        const iovec part{text.data(), text.size()};
                        (void)connection.send({&part, 1});
                        connection.wait_writable();
                      }));
  });
  site.get("/stream");
  REQUIRE(site.run_until([&] { return test::wait_readable(site.peer().get(), 0ms); }));
  for (int i = 0; i < 20; ++i) site.turn();
  site.clock.tick(16s);
  site.connection().check_time();
  CHECK(site.closed() == 1);
  CHECK(static_cast<int>(site.reason()) == static_cast<int>(CloseReason::Stalled));
}

TEST_CASE("Connection: a viewer that leaves its stream is let go at once") {
  Site site(
      [](Connection& connection, const Request&) { connection.stream({}, "first", std::make_unique<FakeBody>()); });
  site.get("/stream");
  REQUIRE(site.receive_until("first").size() > 0);
  site.peer().reset();
  CHECK(site.run_until([&] { return site.closed() == 1; }));
}

TEST_CASE("Connection: shutting down closes an idle one at once") {
  Site site(echo_path);
  site.turn();
  site.connection().shut_down();
  CHECK(site.closed() == 1);
  CHECK(static_cast<int>(site.reason()) == static_cast<int>(CloseReason::Shutdown));
}

TEST_CASE("Connection: shutting down lets an answer that was begun go out whole") {
  Site site(large_answer());
  site.get("/");
  REQUIRE(site.run_until([&] { return test::wait_readable(site.peer().get(), 0ms); }));
  site.connection().shut_down();
  REQUIRE(site.closed() == 0);
  const std::string answer = site.receive_all();
  CHECK(answer.size() - answer.find("\r\n\r\n") - 4 == 4 << 20);
  CHECK(site.ended());
}

TEST_CASE("Connection: shutting down asks a stream's body, which may finish its frame first") {
  for (const bool may_end : {true, false}) {
    CAPTURE(may_end);
    Site site([&](Connection& connection, const Request&) {
      connection.stream({}, "first", std::make_unique<FakeBody>(nullptr, may_end));
    });
    site.get("/stream");
    REQUIRE(site.receive_until("first").size() > 0);
    site.connection().shut_down();
    CHECK(site.closed() == (may_end ? 1 : 0));
  }
}

// Lets every request wait, and keeps it.
struct Held {
  Connection::Handler handler() {
    return [this](Connection& to, Request& asked) {
      connection = &to;
      request = std::move(asked);
      to.wait(std::make_unique<FakeBody>());
    };
  }
  Connection* connection = nullptr;
  Request request;
};

TEST_CASE("Connection: a request that waited is answered as if it had just come, and so is the one behind it") {
  Held held;
  Site site(held.handler());
  site.send("GET /one HTTP/1.1\r\nHost: x\r\n\r\nGET /two HTTP/1.1\r\nHost: x\r\n\r\n");
  REQUIRE(site.run_until([&] { return held.connection != nullptr; }));
  CHECK(held.request.path == "/one");
  Request one = std::move(held.request);
  held.connection->go_on(one, echo_path);
  CHECK(site.receive_until("</one>").find("200 OK") != std::string::npos);
  CHECK(held.request.path == "/two");
  Request two = std::move(held.request);
  held.connection->go_on(two, echo_path);
  CHECK(site.receive_until("</two>").find("keep-alive") != std::string::npos);
}

TEST_CASE("Connection: a stream may begin after a wait") {
  Held held;
  Site site(held.handler());
  site.get("/stream");
  REQUIRE(site.run_until([&] { return held.connection != nullptr; }));
  bool writable = false;
  held.connection->go_on(held.request, [&](Connection& connection, Request&) {
    connection.stream(text_response(""), "first", std::make_unique<FakeBody>([&] { writable = true; }));
  });
  CHECK(site.receive_until("first").find("Connection: close") != std::string::npos);
  CHECK(site.run_until([&] { return writable; }));
}

TEST_CASE("Connection: after a wait another one may follow, and a peer that sent more meanwhile is answered") {
  Held held;
  Site site(held.handler());
  site.get("/one");
  REQUIRE(site.run_until([&] { return held.connection != nullptr; }));
  site.get("/two");
  site.turn();
  Connection& connection = *held.connection;
  Request one = std::move(held.request);
  connection.go_on(one, [](Connection& to, Request&) { to.wait(std::make_unique<FakeBody>()); });
  site.turn();
  connection.respond(text_response("<one>"));
  CHECK(site.receive_until("<one>").ends_with("<one>"));
  REQUIRE(site.run_until([&] { return held.request.path == "/two"; }));
  connection.go_on(held.request, echo_path);
  CHECK(site.receive_until("</two>").ends_with("</two>"));
}

TEST_CASE("Connection: what was switched to after a wait gets what the peer sent behind its request") {
  Held held;
  Site site(held.handler());
  site.send("GET /ws HTTP/1.1\r\nHost: x\r\n\r\nhello");
  REQUIRE(site.run_until([&] { return held.connection != nullptr; }));
  struct Hearing final : Body {
    explicit Hearing(std::string& heard) : heard_(heard) {}
    void writable() override {}
    void received(ByteView bytes) override { heard_ += as_text(bytes); }
    bool finish() override { return true; }
    std::string& heard_;
  };
  std::string heard;
  held.connection->go_on(held.request, [&](Connection& connection, Request&) {
    connection.switch_protocols("Upgrade: echo\r\n", std::make_unique<Hearing>(heard));
  });
  CHECK(heard == "hello");
  site.send(" again");
  CHECK(site.run_until([&] { return heard == "hello again"; }));
}

TEST_CASE("Connection: what rights gave ends with them, and the next request is of none") {
  bool hold = true;
  const auto rights = std::make_shared<Rights>();
  rights->hold = [&] { return hold; };
  Site site([&](Connection& connection, const Request& request) {
    if (request.path == "/short") connection.end_with(rights);
    if (request.path != "/stream") return echo_path(connection, request);
    connection.stream(text_response(""), "first", std::make_unique<FakeBody>());
  });
  site.get("/short");
  CHECK(site.receive_until("</short>").ends_with("</short>"));
  hold = false;
  site.get("/stream");
  CHECK(site.receive_until("first").ends_with("first"));
  site.connection().check_time();
  CHECK(site.closed() == 0);
  hold = true;
  site.connection().end_with(rights);
  site.connection().check_time();
  CHECK(site.closed() == 0);
  hold = false;
  site.connection().check_time();
  CHECK(site.closed() == 1);
  CHECK(site.reason() == CloseReason::Done);
}

}  // namespace
