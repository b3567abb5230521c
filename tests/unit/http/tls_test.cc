#include <doctest/doctest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <csignal>
#include <string>

#include "http/connection.h"
#include "http/tls_context.h"
#include "support/certificates.h"
#include "support/fake_clock.h"
#include "support/io.h"

namespace {

using namespace fp;
using namespace fp::http;
using namespace std::chrono_literals;
using CloseReason = Connection::CloseReason;

TlsContext context_of(const test::Certificate& certificate) {
  return TlsContext::load({certificate.cert(), certificate.key()}).value();
}

// A client that takes any certificate, by hand: nothing is read but by receive().
class Client {
 public:
  explicit Client(const Fd& socket, const std::function<void(SSL_CTX*)>& configure = {}) {
    std::signal(SIGPIPE, SIG_IGN);  // NOLINT(cert-err33-c)
    context_.reset(::SSL_CTX_new(::TLS_client_method()));
    ::SSL_CTX_set_mode(context_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (configure) configure(context_.get());
    ssl_.reset(::SSL_new(context_.get()));
    ::SSL_set_fd(ssl_.get(), socket.get());
    ::SSL_set_connect_state(ssl_.get());
    ::fcntl(socket.get(), F_SETFL, O_NONBLOCK);
  }
  // True when it is done, for good or bad.
  bool shake() {
    ::ERR_clear_error();
    const int result = ::SSL_do_handshake(ssl_.get());
    const int kind = ::SSL_get_error(ssl_.get(), result);
    return result == 1 || (kind != SSL_ERROR_WANT_READ && kind != SSL_ERROR_WANT_WRITE);
  }
  [[nodiscard]] bool shaken() const { return ::SSL_is_init_finished(ssl_.get()) == 1; }
  void send(const std::string& text) {
    REQUIRE(::SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())) == static_cast<int>(text.size()));
  }
  // Takes what has come.
  void receive() {
    std::array<char, 16384> room{};
    for (;;) {
      ::ERR_clear_error();
      const int got = ::SSL_read(ssl_.get(), room.data(), static_cast<int>(room.size()));
      if (got <= 0) {
        const int kind = ::SSL_get_error(ssl_.get(), got);
        said_goodbye = said_goodbye || kind == SSL_ERROR_ZERO_RETURN;
        ended = ended || (kind != SSL_ERROR_WANT_READ && kind != SSL_ERROR_WANT_WRITE);
        return;
      }
      seen.append(room.data(), static_cast<std::size_t>(got));
    }
  }
  [[nodiscard]] SSL* ssl() const { return ssl_.get(); }

  std::string seen;
  bool ended = false;
  bool said_goodbye = false;  // by close_notify

 private:
  struct Free {
    void operator()(SSL* ssl) const { ::SSL_free(ssl); }
    void operator()(SSL_CTX* context) const { ::SSL_CTX_free(context); }
  };
  std::unique_ptr<SSL_CTX, Free> context_;
  std::unique_ptr<SSL, Free> ssl_;
};

struct FakeBody final : Body {
  explicit FakeBody(std::function<void()> on_writable) : on_writable_(std::move(on_writable)) {}
  void writable() override { on_writable_(); }
  bool finish() override { return true; }
  std::function<void()> on_writable_;
};

// A connection that speaks TLS with the test, on a clock that stands still.
class Site {
 public:
  explicit Site(const TlsContext& context, Connection::Handler handler) : handler_(std::move(handler)) {
    test::Pair pair = test::make_socketpair();
    peer = std::move(pair.write);
    ::fcntl(pair.read.get(), F_SETFL, O_NONBLOCK);
    auto session = context.accept(pair.read.get());
    connection = std::make_unique<Connection>(
        loop, clock, std::move(pair.read), "unix", options_, handler_,
        [this](Connection& closing, CloseReason why) {
          reason = why;
          trouble = closing.trouble();
          ++closed;
          std::shared_ptr<Connection> dying = std::move(connection);
          loop.defer([dying] {});
        },
        nullptr, std::move(session));
  }
  bool run_until(const std::function<bool()>& holds) {
    return test::eventually([&] {
      turn();
      return holds();
    });
  }
  void turn() { ::ev_run(loop.raw(), EVRUN_NOWAIT); }
  bool shake(Client& client) {
    return run_until([&] { return client.shake(); }) && client.shaken();
  }

  test::FakeClock clock;
  Loop loop;
  Fd peer;
  std::unique_ptr<Connection> connection;
  int closed = 0;
  CloseReason reason = CloseReason::Error;
  std::string trouble;

 private:
  const ConnectionOptions options_;
  const Connection::Handler handler_;
};

void echo_path(Connection& connection, const Request& request) {
  Response response;
  response.text = std::string(connection.secure() ? "secure " : "open ") + request.path;
  connection.respond(response);
}

constexpr const char* kGet = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n";

TEST_CASE("TLS: requests are answered, one after the other, by HTTP/1.1 and TLS 1.2 at least") {
  const test::Certificate certificate;
  const TlsContext context = context_of(certificate);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    CAPTURE(version);
    Site site(context, echo_path);
    Client client(site.peer, [&](SSL_CTX* ssl) {
      ::SSL_CTX_set_max_proto_version(ssl, version);
      ::SSL_CTX_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>("\x02h2\x08http/1.1"), 12);
    });
    REQUIRE(site.shake(client));
    CHECK(::SSL_version(client.ssl()) == version);
    const unsigned char* protocol = nullptr;
    unsigned size = 0;
    ::SSL_get0_alpn_selected(client.ssl(), &protocol, &size);
    CHECK(std::string(reinterpret_cast<const char*>(protocol), size) == "http/1.1");
    for (int i = 0; i < 3; ++i) {
      client.seen.clear();
      client.send(kGet);
      CHECK(site.run_until([&] {
        client.receive();
        return client.seen.ends_with("\r\n\r\nsecure /a");
      }));
    }
    CHECK(site.closed == 0);
  }
}

TEST_CASE("TLS: what is older than 1.2 and who wants another protocol are refused") {
  const test::Certificate certificate;
  const TlsContext context = context_of(certificate);
  const auto old_version = [](SSL_CTX* ssl) {
    ::SSL_CTX_set_min_proto_version(ssl, TLS1_VERSION);
    ::SSL_CTX_set_max_proto_version(ssl, TLS1_1_VERSION);
    ::SSL_CTX_set_cipher_list(ssl, "ALL:@SECLEVEL=0");
  };
  const auto other_protocol = [](SSL_CTX* ssl) {
    ::SSL_CTX_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>("\x02h2"), 3);
  };
  for (const auto& configure : {std::function<void(SSL_CTX*)>(old_version), {other_protocol}}) {
    Site site(context, echo_path);
    Client client(site.peer, configure);
    CHECK(!site.shake(client));
    CHECK(site.run_until([&] { return site.closed == 1; }));
    CHECK(static_cast<int>(site.reason) == static_cast<int>(CloseReason::Handshake));
    CHECK(!site.trouble.empty());
  }
}

TEST_CASE("TLS: a request in the clear is told so, once, in words") {
  const test::Certificate certificate;
  const TlsContext context = context_of(certificate);
  Site site(context, echo_path);
  REQUIRE(test::write_all(site.peer.get(), kGet));
  ::fcntl(site.peer.get(), F_SETFL, O_NONBLOCK);
  std::string answer;
  CHECK(site.run_until([&] {
    std::array<char, 4096> room{};
    const ssize_t got = ::read(site.peer.get(), room.data(), room.size());
    if (got > 0) answer.append(room.data(), static_cast<std::size_t>(got));
    return got == 0;
  }));
  CHECK(answer.starts_with("HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n"));
  CHECK(answer.find("https://") != std::string::npos);
  site.peer.reset();
  CHECK(site.run_until([&] { return site.closed == 1; }));
  CHECK(static_cast<int>(site.reason) == static_cast<int>(CloseReason::Handshake));
}

TEST_CASE("TLS: bytes that are no handshake end the connection, and a handshake that stands still ends by time") {
  const test::Certificate certificate;
  const TlsContext context = context_of(certificate);
  Site broken(context, echo_path);
  REQUIRE(test::write_all(broken.peer.get(), std::string("\x16\x03\x01\x00\x20") + std::string(32, 'x')));
  CHECK(broken.run_until([&] { return broken.closed == 1; }));
  CHECK(static_cast<int>(broken.reason) == static_cast<int>(CloseReason::Handshake));

  Site half(context, echo_path);
  REQUIRE(test::write_all(half.peer.get(), "\x16\x03\x01"));
  for (int i = 0; i < 10; ++i) half.turn();
  half.clock.tick(9s);
  half.connection->check_time();
  CHECK(half.closed == 0);
  half.clock.tick(2s);
  half.connection->check_time();
  CHECK(half.closed == 1);
  CHECK(static_cast<int>(half.reason) == static_cast<int>(CloseReason::Timeout));
}

// Sends frames as a viewer does, each as long as others are, of one letter; one of which nothing was taken is given up.
struct Frames {
  explicit Frames(std::size_t size, int count) : size_(size), left_(count) {}
  void push(Connection& connection) {
    while (left_ > 0) {
      const std::string frame(size_ - at_, letter_);
      const iovec part{const_cast<char*>(frame.data()), frame.size()};
      const auto sent = connection.send({&part, 1});
      REQUIRE(sent);
      at_ += *sent;
      taken.append(*sent, letter_);
      if (*sent == 0) {
        ++blocked;
        if (at_ == 0) next();
        return connection.wait_writable();
      }
      if (at_ == size_) {
        next();
        --left_;
      }
    }
    connection.close(CloseReason::Done);
  }
  void next() {
    at_ = 0;
    letter_ = letter_ == 'z' ? 'a' : static_cast<char>(letter_ + 1);
  }
  std::string taken;
  int blocked = 0;

 private:
  std::size_t size_;
  int left_;
  std::size_t at_ = 0;
  char letter_ = 'a';
};

TEST_CASE(
    "TLS: a slow peer gets what was taken, byte for byte to the last, also when a frame was given up in between") {
  const test::Certificate certificate;
  const TlsContext context = context_of(certificate);
  for (const bool short_records : {false, true}) {
    for (const std::size_t size : std::initializer_list<std::size_t>{100, 16'384, 50'000}) {
      CAPTURE(size);
      CAPTURE(short_records);
      Frames frames(size, static_cast<int>(1'000'000 / size));
      Site site(context, [&](Connection& connection, const Request&) {
        connection.stream({}, "", std::make_unique<FakeBody>([&] { frames.push(connection); }));
      });
      Client client(site.peer, [&](SSL_CTX* ssl) {
        if (short_records) ::SSL_CTX_set_tlsext_max_fragment_length(ssl, TLSEXT_max_fragment_length_512);
      });
      REQUIRE(site.shake(client));
      client.send(kGet);
      // It does not read until nothing more goes.
      REQUIRE(site.run_until([&] { return frames.blocked > 0; }));
      REQUIRE(site.run_until([&] {
        client.receive();
        return client.ended;
      }));
      const auto body = client.seen.find("\r\n\r\n") + 4;
      CHECK(client.seen.substr(body) == frames.taken);
      CHECK(client.said_goodbye);
      CHECK(frames.blocked > 1);
      CHECK(site.run_until([&] { return site.closed == 1; }));
      CHECK(static_cast<int>(site.reason) == static_cast<int>(CloseReason::Done));
    }
  }
}

TEST_CASE("TLS: while a record waits nothing more is taken, and a peer that never takes it is stalled") {
  const test::Certificate certificate;
  const TlsContext context = context_of(certificate);
  Frames frames(50'000, 1000);
  Site site(context, [&](Connection& connection, const Request&) {
    connection.stream({}, "", std::make_unique<FakeBody>([&] { frames.push(connection); }));
  });
  Client client(site.peer);
  REQUIRE(site.shake(client));
  client.send(kGet);
  REQUIRE(site.run_until([&] { return frames.blocked > 0; }));
  const std::size_t taken = frames.taken.size();
  for (int i = 0; i < 50; ++i) site.turn();
  CHECK(frames.taken.size() == taken);
  site.clock.tick(16s);
  site.connection->check_time();
  CHECK(site.closed == 1);
  CHECK(static_cast<int>(site.reason) == static_cast<int>(CloseReason::Stalled));
}

TEST_CASE("TLS: a viewer that is to end while a record waits for it gets that record, and holds nobody up for ever") {
  const test::Certificate certificate;
  const TlsContext context = context_of(certificate);
  bool body_gone = false;
  struct Tell {
    bool& gone;
    ~Tell() { gone = true; }
  };
  Site site(context, [&](Connection& connection, const Request&) {
    auto tell = std::make_shared<Tell>(body_gone);
    connection.stream({}, "", std::make_unique<FakeBody>([&connection, tell] {
                        const std::string frame(1'000'000, 'x');
                        const iovec part{const_cast<char*>(frame.data()), frame.size()};
                        REQUIRE(connection.send({&part, 1}));
                        connection.close(CloseReason::Done);
                        CHECK(!connection.send({&part, 1}));
                      }));
  });
  Client client(site.peer);
  REQUIRE(site.shake(client));
  client.send(kGet);
  REQUIRE(site.run_until([&] { return body_gone; }));
  CHECK(site.closed == 0);
  site.clock.tick(16s);
  site.connection->check_time();
  CHECK(static_cast<int>(site.reason) == static_cast<int>(CloseReason::Stalled));
}

TEST_CASE("TLS: a client may not begin the handshake anew") {
  const test::Certificate certificate;
  const TlsContext context = context_of(certificate);
  Site site(context, echo_path);
  Client client(site.peer, [](SSL_CTX* ssl) { ::SSL_CTX_set_max_proto_version(ssl, TLS1_2_VERSION); });
  REQUIRE(site.shake(client));
  REQUIRE(::SSL_renegotiate(client.ssl()) == 1);
  CHECK(site.run_until([&] { return client.shake(); }));
  CHECK(!client.shaken());
}

TEST_CASE("TLS: files that cannot be used are refused in words, with the mend") {
  const test::Certificate good(1);
  const test::Certificate other(2);
  test::write_file(good.file("empty"), "");
  test::write_file(good.file("cut"), "-----BEGIN CERTIFICATE-----\nMIIB\n");
  const auto text = [](const std::string& certificate, const std::string& key) {
    auto loaded = TlsContext::load({certificate, key});
    REQUIRE(!loaded);
    return loaded.error().text;
  };
  CHECK(text(good.file("nosuch"), good.key()).find("nosuch: No such file") != std::string::npos);
  CHECK(text(good.cert(), good.file("nosuch")).find("nosuch: No such file") != std::string::npos);
  CHECK(text(good.file("empty"), good.key()).find("empty: no certificate in it") != std::string::npos);
  CHECK(text(good.file("cut"), good.key()).find("cut: no certificate in it") != std::string::npos);
  CHECK(text(good.key(), good.cert()).find("key: no certificate in it") != std::string::npos);
  CHECK(text(good.cert(), good.cert()).find("cert: no private key in it") != std::string::npos);
  CHECK(text(good.cert(), other.key()).find("does not fit the certificate in " + good.cert()) != std::string::npos);
  other.write(3, {}, "secret");
  CHECK(text(other.cert(), other.key()).find("locked by a passphrase (openssl pkey") != std::string::npos);
}

TEST_CASE("TLS: what is wrong and hinders nothing is a warning") {
  const test::Certificate good;
  CHECK(context_of(good).warnings().empty());
  const test::Certificate old(1, {-7200, -3600});
  const TlsContext expired = context_of(old);
  REQUIRE(expired.warnings().size() == 1);
  CHECK(expired.warnings()[0].find("has expired on ") != std::string::npos);
  ::chmod(good.key().c_str(), 0644);
  const TlsContext open = context_of(good);
  REQUIRE(open.warnings().size() == 1);
  CHECK(open.warnings()[0].find("everybody on this machine can read the key (chmod o= ") != std::string::npos);
}

long serial_of(const TlsContext& context) {
  Site site(context, echo_path);
  Client client(site.peer);
  REQUIRE(site.shake(client));
  X509* const certificate = ::SSL_get1_peer_certificate(client.ssl());
  const long serial = ::ASN1_INTEGER_get(::X509_get0_serialNumber(certificate));
  ::X509_free(certificate);
  return serial;
}

TEST_CASE("TLS: a certificate read again is for connections to come, and one that cannot be read changes nothing") {
  const test::Certificate certificate(1);
  TlsContext context = context_of(certificate);
  Site before(context, echo_path);
  Client client(before.peer);
  REQUIRE(before.shake(client));
  certificate.write(2);
  CHECK(serial_of(context) == 1);
  REQUIRE(context.reload());
  CHECK(serial_of(context) == 2);
  client.send(kGet);
  CHECK(before.run_until([&] {
    client.receive();
    return client.seen.ends_with("secure /a");
  }));
  test::write_file(certificate.cert(), "nonsense");
  CHECK(!context.reload());
  CHECK(serial_of(context) == 2);
}

}  // namespace
