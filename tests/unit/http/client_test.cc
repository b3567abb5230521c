#include "http/client.h"

#include <doctest/doctest.h>

#include <cerrno>

#include "support/fake_clock.h"
#include "support/io.h"
#include "support/scripted_server.h"

namespace {

using namespace fp;
using namespace std::chrono_literals;
using http::Client;
using test::Peer;
using test::ScriptedServer;

const SystemClock kClock;
const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n\r\n";

void wait_for(const Client& client) {
  const Wait wait = client.wait();
  pollfd one{wait.fd, static_cast<short>(wait.write ? POLLOUT : POLLIN), 0};
  ::poll(&one, 1, std::min(poll_timeout_ms(wait.until, kClock.steady()), 30'000));
}

// Until the body is open, or it never will be.
Client::State open(Client& client) {
  client.start();
  const auto until = kClock.steady() + test::kPatience;
  while (client.advance() == Client::State::Opening && kClock.steady() < until) wait_for(client);
  return client.state();
}

std::string read_all(Client& client, std::size_t enough = std::string::npos, std::size_t room_size = 4096) {
  std::string body;
  std::vector<std::uint8_t> room(room_size);
  const auto until = kClock.steady() + test::kPatience;
  while (client.state() == Client::State::Open && body.size() < enough && kClock.steady() < until) {
    bool again = false;
    const auto got = client.read(room, again);
    if (!got) break;
    body += as_text(ByteView(room).first(*got));
    if (again) wait_for(client);
  }
  return body;
}

struct Session {
  explicit Session(const std::string& url, Client::Options options = {})
      : client(http::parse_url(url).value(), std::move(options), kClock) {}
  Client client;
};

std::string line_of(const std::string& request, const std::string& name) {
  const auto at = request.find("\r\n" + name + ": ");
  if (at == std::string::npos) return "none";
  const auto begin = at + name.size() + 4;
  return request.substr(begin, request.find("\r\n", begin) - begin);
}

TEST_CASE("Client: asks once, for everything, and names no picture") {
  std::string request;
  const ScriptedServer server([&](Peer& peer, int) {
    request = peer.request();
    peer.send(kOk + "body");
  });
  Session session(server.url("/a?b=c"), {.user_agent = "framepipe/1"});
  REQUIRE(open(session.client) == Client::State::Open);
  CHECK(session.client.head().status == 200);
  CHECK(read_all(session.client) == "body");
  CHECK(session.client.state() == Client::State::Ended);
  CHECK(request == "GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:" + server.port() +
                       "\r\nUser-Agent: framepipe/1\r\nAccept: */*\r\nAccept-Encoding: identity\r\n"
                       "Connection: close\r\n\r\n");
}

TEST_CASE("Client: a body ends with the connection, whatever length was announced") {
  for (const char* length : {"0", "-1", "3", "999999999", "x"}) {
    CAPTURE(length);
    const ScriptedServer server([&](Peer& peer, int) {
      peer.request();
      peer.send("HTTP/1.0 200 OK\r\nContent-Length: " + std::string(length) + "\r\n\r\nten bytes.");
    });
    Session session(server.url("/"));
    REQUIRE(open(session.client) == Client::State::Open);
    CHECK(read_all(session.client) == "ten bytes.");
  }
}

TEST_CASE("Client: chunks are put together, however they are cut") {
  const std::string data(100'000, 'x');
  for (const std::size_t room : {std::size_t{1000}, std::size_t{65'536}}) {
    const ScriptedServer server([&](Peer& peer, int) {
      peer.request();
      peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
      for (const char c : std::string("5;a=\"b\"\r\nhel")) peer.send(std::string(1, c));
      peer.send("lo\r\n186A0\r\n" + data + "\r\n0\r\nT: x\r\n\r\nbehind");
      peer.hold();
    });
    Session session(server.url("/"));
    REQUIRE(open(session.client) == Client::State::Open);
    CHECK(read_all(session.client, std::string::npos, room) == "hello" + data);
    CHECK(session.client.state() == Client::State::Ended);
  }
}

TEST_CASE("Client: a malformed chunk is an error") {
  const ScriptedServer server([&](Peer& peer, int) {
    peer.request();
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhelloXX");
    peer.hold();
  });
  Session session(server.url("/"));
  REQUIRE(open(session.client) == Client::State::Open);
  read_all(session.client);
  CHECK(session.client.state() == Client::State::Failed);
  CHECK(session.client.error().text == "a malformed chunk in the answer");
}

TEST_CASE("Client: what begins without a head is the body") {
  const ScriptedServer server([&](Peer& peer, int) {
    peer.request();
    peer.send("--frame\r\nContent-Type: image/jpeg\r\n\r\n");
  });
  Session session(server.url("/"));
  REQUIRE(open(session.client) == Client::State::Open);
  CHECK_FALSE(session.client.head().present);
  CHECK(read_all(session.client) == "--frame\r\nContent-Type: image/jpeg\r\n\r\n");
}

TEST_CASE("Client: follows redirects, and is where they lead") {
  for (const int status : {301, 302, 303, 307, 308}) {
    CAPTURE(status);
    const ScriptedServer server([&](Peer& peer, int number) {
      const std::string request = peer.request();
      if (number == 0) peer.send("HTTP/1.1 " + std::to_string(status) + " Go\r\nLocation: ../new?x\r\n\r\n");
      if (number == 1) peer.send(kOk + request.substr(0, request.find("\r\n")));
    });
    Session session(server.url("/old/a"));
    REQUIRE(open(session.client) == Client::State::Open);
    CHECK(read_all(session.client) == "GET /new?x HTTP/1.1");
    CHECK(session.client.url().target == "/new?x");
  }
}

TEST_CASE("Client: a loop of redirects ends") {
  const ScriptedServer server([&](Peer& peer, int) {
    peer.request();
    peer.send("HTTP/1.1 302 Found\r\nLocation: /again\r\n\r\n");
  });
  Session session(server.url("/"));
  REQUIRE(open(session.client) == Client::State::Failed);
  CHECK(session.client.error().text.starts_with("more than 5 redirects"));
  CHECK(server.connections() == 6);
  CHECK(session.client.pause() == 5s);
}

TEST_CASE("Client: a password goes to no other origin, and the user is told") {
  std::string second;
  const ScriptedServer other([&](Peer& peer, int) {
    second = peer.request();
    peer.send("HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\r\n");
  });
  const ScriptedServer server([&](Peer& peer, int) {
    peer.request();
    peer.send("HTTP/1.1 302 Found\r\nLocation: " + other.url("/x") + "\r\n\r\n");
  });
  std::string url = server.url("/");
  url.insert(7, "me:geheim@");
  Session session(url);
  REQUIRE(open(session.client) == Client::State::Failed);
  CHECK(session.client.error().text.starts_with("401: " + other.url("/x") + ", to which it redirects"));
  CHECK(line_of(second, "Authorization") == "none");
  CHECK(other.connections() == 1);
}

TEST_CASE("Client: answers Basic when it is asked for, and from then on without being asked") {
  std::vector<std::string> sent;
  const ScriptedServer server([&](Peer& peer, int) {
    sent.push_back(line_of(peer.request(), "Authorization"));
    peer.send(sent.back() == "Basic bWU6Z2VoZWlt" ? kOk
                                                  : "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\r\n");
  });
  std::string url = server.url("/");
  url.insert(7, "me:geheim@");
  Session session(url);
  REQUIRE(open(session.client) == Client::State::Open);
  read_all(session.client);
  REQUIRE(open(session.client) == Client::State::Open);
  CHECK(sent == std::vector<std::string>{"none", "Basic bWU6Z2VoZWlt", "Basic bWU6Z2VoZWlt"});
}

TEST_CASE("Client: answers Digest, counts, and takes a new nonce when the old one is stale") {
  std::vector<std::string> sent;
  const ScriptedServer server([&](Peer& peer, int number) {
    sent.push_back(line_of(peer.request(), "Authorization"));
    const std::string nonce = number < 2 ? "one" : "two";
    const bool right = number == 1 || number == 3;
    peer.send(right ? kOk
                    : "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\nWWW-Authenticate: Digest "
                      "realm=\"cam\", nonce=\"" +
                          nonce + "\", qop=\"auth\"" + (number == 2 ? ", stale=true" : "") + "\r\n\r\n");
  });
  Session session(server.url("/v?x=1"), {.credentials = http::Credentials{"me", "geheim"}});
  REQUIRE(open(session.client) == Client::State::Open);
  read_all(session.client);
  REQUIRE(open(session.client) == Client::State::Open);
  REQUIRE(sent.size() == 4);
  CHECK(sent[0] == "none");
  CHECK(sent[1].find("nonce=\"one\", uri=\"/v?x=1\"") != std::string::npos);
  CHECK(sent[1].find("nc=00000001") != std::string::npos);
  CHECK(sent[2].find("nc=00000002") != std::string::npos);
  CHECK(sent[3].find("nonce=\"two\"") != std::string::npos);
  CHECK(sent[3].find("nc=00000001") != std::string::npos);
}

TEST_CASE("Client: refusals are told in words, and not tried again at once") {
  struct Case {
    std::string answer;
    std::string url_user;
    std::string says;
    std::chrono::milliseconds pause;
  };
  const std::string basic = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\r\n";
  const Case cases[] = {
      {basic, "", "401: the camera wants a user and a password (http://USER:PASSWORD@HOST/...)", 5s},
      {basic, "me:x@", "401: the user or the password is wrong", 5s},
      {"HTTP/1.1 401 No\r\nWWW-Authenticate: NTLM\r\n\r\n", "me:x@",
       "401: the server wants a kind of authentication that is neither Basic nor Digest", 5s},
      {"HTTP/1.1 404 Not Found\r\n\r\n", "", "404 Not Found", 5s},
      {"HTTP/1.1 403\r\n\r\n", "", "403", 5s},
      {"HTTP/1.1 503 Busy\r\n\r\n", "", "503 Busy", 0s},
      {"HTTP/1.1 204 No Content\r\n\r\n", "", "204 No Content", 0s},
      {"HTTP/1.1 302 Found\r\n\r\n", "", "302 Found: a redirect to nowhere", 0s},
      {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", "",
       "the answer is compressed (gzip), which was not asked for", 0s},
      {"HTTP/1.1 2x0\r\n\r\n", "", "the answer's first line is 'HTTP/1.1 2x0'", 0s},
      {"", "", "the server closed the connection without an answer", 0s},
      {"HTTP/1.1 200 OK\r\nA: b", "", "the server closed the connection in the middle of its answer's head", 0s},
      {"HTTP/1.1 200 OK\r\nA: " + std::string(70'000, 'x') + "\r\n\r\n", "", "the answer's head is over 64 KiB", 0s},
  };
  for (const Case& one : cases) {
    CAPTURE(one.says);
    const ScriptedServer server([&](Peer& peer, int) {
      peer.request();
      peer.send(one.answer);
    });
    std::string url = server.url("/");
    url.insert(7, one.url_user);
    Session session(url);
    REQUIRE(open(session.client) == Client::State::Failed);
    CHECK(session.client.error().text == one.says);
    CHECK(session.client.pause() == one.pause);
  }
}

TEST_CASE("Client: a port where nobody listens, and a name that nobody knows, are told") {
  std::string port;
  {
    const ScriptedServer server([](Peer&, int) {});
    port = server.port();
  }
  Session refused("http://127.0.0.1:" + port + "/");
  REQUIRE(open(refused.client) == Client::State::Failed);
  CHECK(refused.client.error().sys == ECONNREFUSED);
  Session nameless("http://-.invalid/");
  REQUIRE(open(nameless.client) == Client::State::Failed);
  CHECK(nameless.client.error().text.starts_with("-.invalid: "));
}

TEST_CASE("Client: a head that does not come, or never ends, is waited for 10 s") {
  for (const std::string& begin : {std::string(), std::string("HTTP/1.1 200 OK\r\nA: b\r\n")}) {
    const ScriptedServer server([&](Peer& peer, int) {
      peer.request();
      peer.send(begin);
      peer.hold();
    });
    test::FakeClock clock;
    Client client(http::parse_url(server.url("/")).value(), {}, clock);
    client.start();
    REQUIRE(test::eventually([&] {
      client.advance();
      return std::string(client.waits_for()) == "the answer" && !client.wait().write;
    }));
    CHECK(client.wait().until == clock.steady() + 10s);
    clock.tick(9999ms);
    CHECK(client.advance() == Client::State::Opening);
    clock.tick(1ms);
    CHECK(client.advance() == Client::State::Failed);
    CHECK(client.error().text == "no whole answer within 10 s");
  }
}

TEST_CASE("Client: close() ends the connection at once, and another wait has another generation") {
  const ScriptedServer server([&](Peer& peer, int) {
    peer.request();
    peer.send(kOk);
    peer.hold();
  });
  Session session(server.url("/"));
  REQUIRE(open(session.client) == Client::State::Open);
  const auto generation = session.client.wait().generation;
  session.client.close();
  CHECK(session.client.state() == Client::State::Idle);
  CHECK(session.client.wait().fd == -1);
  REQUIRE(open(session.client) == Client::State::Open);
  CHECK(session.client.wait().generation > generation);
}

// --- TLS, with a certificate that openssl(1) makes

struct Certificate {
  test::TempDir folder;
  SSL_CTX* context = nullptr;

  explicit Certificate(const std::string& names) {
    const std::string command =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        "-subj /CN=cam -addext subjectAltName=" +
        names + " -keyout " + (folder / "key") + " -out " + (folder / "cert") + " 2>/dev/null";
    REQUIRE(std::system(command.c_str()) == 0);  // NOLINT(concurrency-mt-unsafe)
    context = ::SSL_CTX_new(::TLS_server_method());
    REQUIRE(::SSL_CTX_use_certificate_file(context, (folder / "cert").c_str(), SSL_FILETYPE_PEM) == 1);
    REQUIRE(::SSL_CTX_use_PrivateKey_file(context, (folder / "key").c_str(), SSL_FILETYPE_PEM) == 1);
  }
  Certificate(const Certificate&) = delete;
  Certificate& operator=(const Certificate&) = delete;
  ~Certificate() { ::SSL_CTX_free(context); }
};

TEST_CASE("Client: https with a certificate it trusts, all of it, and nothing is forgotten inside OpenSSL") {
  const Certificate certificate("IP:127.0.0.1,DNS:localhost");
  const std::string data(50'000, 'x');
  const ScriptedServer server(
      [&](Peer& peer, int) {
        peer.request();
        peer.send(kOk + data);
        peer.hold();  // silent from now on: what is left must come out without the descriptor
      },
      certificate.context);
  for (const std::string& host : {std::string("127.0.0.1"), std::string("localhost")}) {
    CAPTURE(host);
    Session session("https://" + host + ":" + server.port() + "/", {.ca_file = certificate.folder / "cert"});
    REQUIRE(open(session.client) == Client::State::Open);
    // In portions smaller than a TLS record, waiting each time as an owner with a loop would.
    std::string body;
    std::vector<std::uint8_t> room(1000);
    const auto until = kClock.steady() + test::kPatience;
    while (body.size() < data.size() && kClock.steady() < until) {
      wait_for(session.client);
      bool again = false;
      const auto got = session.client.read(room, again);
      REQUIRE(got.has_value());
      body += as_text(ByteView(room).first(*got));
    }
    CHECK(body == data);
    session.client.close();
  }
}

TEST_CASE("Client: a certificate that cannot be trusted is refused with its reason and the mend") {
  const Certificate certificate("DNS:other.example");
  const ScriptedServer server([&](Peer& peer, int) { peer.request(); }, certificate.context);
  Session stranger(server.url("/"));
  REQUIRE(open(stranger.client) == Client::State::Failed);
  CHECK(stranger.client.error().text.starts_with("certificate: self-signed certificate ("));
  CHECK(stranger.client.error().text.find("SSL_CERT_FILE") != std::string::npos);
  CHECK(stranger.client.pause() == 5s);
  Session wrong_address(server.url("/"), {.ca_file = certificate.folder / "cert"});
  REQUIRE(open(wrong_address.client) == Client::State::Failed);
  CHECK(wrong_address.client.error().text.starts_with("certificate: IP address mismatch"));
  Session wrong_name("https://localhost:" + server.port() + "/", {.ca_file = certificate.folder / "cert"});
  REQUIRE(open(wrong_name.client) == Client::State::Failed);
  CHECK(wrong_name.client.error().text.starts_with("certificate: hostname mismatch"));
}

TEST_CASE("Client: insecure takes any certificate") {
  const Certificate certificate("DNS:other.example");
  const ScriptedServer server(
      [&](Peer& peer, int) {
        peer.request();
        peer.send(kOk + "body");
      },
      certificate.context);
  Session session(server.url("/"), {.insecure = true});
  REQUIRE(open(session.client) == Client::State::Open);
  CHECK(read_all(session.client) == "body");
}

TEST_CASE("Client: a server that speaks no TLS, and a file that holds no certificate, are told") {
  const ScriptedServer server([&](Peer& peer, int) { peer.send("HTTP/1.0 400 What\r\n\r\n"); });
  Session plain("https://127.0.0.1:" + server.port() + "/", {.insecure = true});
  REQUIRE(open(plain.client) == Client::State::Failed);
  CHECK(plain.client.error().text.starts_with("TLS: "));
  Session missing("https://127.0.0.1:" + server.port() + "/", {.ca_file = "/no/such/file"});
  REQUIRE(open(missing.client) == Client::State::Failed);
  CHECK(missing.client.error().text == "/no/such/file: No such file or directory");
  Session empty("https://127.0.0.1:" + server.port() + "/", {.ca_file = "/dev/null"});
  REQUIRE(open(empty.client) == Client::State::Failed);
  CHECK(empty.client.error().text.starts_with("/dev/null: no certificate in it"));
}

TEST_CASE("Client: from https no redirect leads to http") {
  const Certificate certificate("IP:127.0.0.1");
  const ScriptedServer server(
      [&](Peer& peer, int) {
        peer.request();
        peer.send("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/x\r\n\r\n");
      },
      certificate.context);
  Session session(server.url("/"), {.ca_file = certificate.folder / "cert"});
  REQUIRE(open(session.client) == Client::State::Failed);
  CHECK(session.client.error().text == "a redirect from https to http (http://127.0.0.1/x) is not followed");
}

TEST_CASE("Client: interim answers have an end") {
  const ScriptedServer server([&](Peer& peer, int) {
    (void)peer.request();
    for (int i = 0; i < 20; ++i) peer.send("HTTP/1.1 103 Early Hints\r\n\r\n");
    peer.send(kOk + "body");
  });
  Session session(server.url("/"));
  REQUIRE(open(session.client) == Client::State::Failed);
  CHECK(session.client.error().text.find("interim answers") != std::string::npos);
}

TEST_CASE("Client: wrapping of chunks without data lets others have their turn") {
  const ScriptedServer server([&](Peer& peer, int) {
    (void)peer.request();
    std::string wrapped;
    for (int i = 0; i < 100; ++i) wrapped += "1;" + std::string(15'000, 'x') + "\r\n-\r\n";
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + wrapped + "0\r\n\r\n");
  });
  Session session(server.url("/"));
  REQUIRE(open(session.client) == Client::State::Open);
  CHECK(read_all(session.client) == std::string(100, '-'));
  CHECK(session.client.state() == Client::State::Ended);
}

TEST_CASE("Client: a redirect may be forbidden") {
  const ScriptedServer server([&](Peer& peer, int) {
    (void)peer.request();
    peer.send("HTTP/1.1 302 Found\r\nLocation: http://elsewhere.invalid/\r\n\r\n");
  });
  Client::Options options;
  options.may_follow = [](const http::Url& to) { return to.host == "127.0.0.1"; };
  Session session(server.url("/"), std::move(options));
  REQUIRE(open(session.client) == Client::State::Failed);
  CHECK(session.client.error().text == "a redirect to elsewhere.invalid is not allowed here");
}

}  // namespace
