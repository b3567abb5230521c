#include "http/transport.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

#include "http/tls_error.h"

namespace fp::http {
namespace {

bool is_address(const std::string& host) {
  return host.find(':') != std::string::npos || host.find_first_not_of("0123456789.") == std::string::npos;
}

tl::unexpected<Error> unsupported(std::string text) { return fail({Error::Kind::Unsupported, 0, std::move(text)}); }

}  // namespace

struct TlsTrust::Context {
  SSL_CTX* context = ::SSL_CTX_new(::TLS_client_method());
  Context() = default;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { ::SSL_CTX_free(context); }
};

Result<TlsTrust> TlsTrust::load(const std::string& ca_file, bool insecure) {
  auto trust = std::make_shared<Context>();
  SSL_CTX* const context = trust->context;
  if (context == nullptr) return unsupported("TLS: " + take_tls_error());
  ::SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  ::SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // Many servers end a stream by closing, with no word of TLS before: for pictures that is an end like any other.
  ::SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF);
  if (insecure) return TlsTrust(std::move(trust));
  ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  ::ERR_clear_error();
  errno = 0;
  const bool loaded = ca_file.empty() ? ::SSL_CTX_set_default_verify_paths(context) == 1
                                      : ::SSL_CTX_load_verify_file(context, ca_file.c_str()) == 1;
  if (!loaded) {
    const int sys = errno;
    const std::string text = take_tls_error();
    if (!ca_file.empty() && sys != 0) return fail(io_error(ca_file, sys));
    return unsupported((ca_file.empty() ? "the system's authorities" : ca_file) + ": no certificate in it (" + text +
                       ")");
  }
  return TlsTrust(std::move(trust));
}

struct Transport::Tls {
  std::shared_ptr<TlsTrust::Context> context;
  SSL* ssl = nullptr;
  Tls() = default;
  Tls(const Tls&) = delete;
  Tls& operator=(const Tls&) = delete;
  ~Tls() { ::SSL_free(ssl); }
};

Transport::Transport(Fd socket) : socket_(std::move(socket)) {}
Transport::Transport(Transport&& other) noexcept = default;
Transport& Transport::operator=(Transport&& other) noexcept = default;
Transport::~Transport() = default;

Result<Done> Transport::begin_tls(const TlsTrust& trust, const std::string& host) {
  auto tls = std::make_unique<Tls>();
  tls->context = trust.context_;
  tls->ssl = ::SSL_new(trust.context_->context);
  SSL* const ssl = tls->ssl;
  if (ssl == nullptr || ::SSL_set_fd(ssl, socket_.get()) != 1) return unsupported("TLS: " + take_tls_error());
  if (is_address(host)) {
    // An address is no name for SNI (RFC 6066, 3), and a certificate names it in another place.
    const std::string address = host.substr(0, host.find('%'));
    if (::X509_VERIFY_PARAM_set1_ip_asc(::SSL_get0_param(ssl), address.c_str()) != 1) {
      return unsupported("TLS: '" + host + "' is no address");
    }
  } else {
    ::SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    if (::SSL_set1_host(ssl, host.c_str()) != 1 || ::SSL_set_tlsext_host_name(ssl, host.c_str()) != 1) {
      return unsupported("TLS: " + take_tls_error());
    }
  }
  ::SSL_set_connect_state(ssl);
  tls_ = std::move(tls);
  return Done{};
}

Result<bool> Transport::settle(int result, std::string_view doing) {
  const int sys = errno;
  const int kind = ::SSL_get_error(tls_->ssl, result);
  wants_write_ = kind == SSL_ERROR_WANT_WRITE;
  if (wants_write_ || kind == SSL_ERROR_WANT_READ) return true;
  const long verdict = ::SSL_get_verify_result(tls_->ssl);
  if (kind == SSL_ERROR_SSL && verdict != X509_V_OK && (::SSL_get_verify_mode(tls_->ssl) & SSL_VERIFY_PEER) != 0) {
    ::ERR_clear_error();
    return unsupported(std::string("certificate: ") + ::X509_verify_cert_error_string(verdict));
  }
  if (kind == SSL_ERROR_SYSCALL) {
    ::ERR_clear_error();
    return fail(io_error(doing, sys != 0 ? sys : ECONNRESET));
  }
  return fail({Error::Kind::Io, 0, "TLS: " + take_tls_error()});
}

Result<Transport::Status> Transport::handshake() {
  ::ERR_clear_error();
  errno = 0;
  const int result = ::SSL_do_handshake(tls_->ssl);
  if (result == 1) return Status::Done;
  auto settled = settle(result, "TLS");
  if (!settled) return fail(std::move(settled).error());
  return Status::Again;
}

Result<Transport::Status> Transport::write(std::string& text) {
  while (!text.empty()) {
    if (tls_) {
      ::ERR_clear_error();
      errno = 0;
      const int size = static_cast<int>(std::min<std::size_t>(text.size(), INT_MAX));
      const int put = ::SSL_write(tls_->ssl, text.data(), size);
      if (put > 0) {
        text.erase(0, static_cast<std::size_t>(put));
        continue;
      }
      auto settled = settle(put, "send");
      if (!settled) return fail(std::move(settled).error());
      return Status::Again;
    }
    const ssize_t put = ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (put >= 0) {
      text.erase(0, static_cast<std::size_t>(put));
      continue;
    }
    if (errno == EINTR) continue;
    wants_write_ = errno == EAGAIN || errno == EWOULDBLOCK;
    if (!wants_write_) return fail(io_error("send"));
    return Status::Again;
  }
  wants_write_ = false;
  return Status::Done;
}

Result<Transport::Read> Transport::read(std::span<std::uint8_t> room) {
  if (tls_) {
    ::ERR_clear_error();
    errno = 0;
    const int size = static_cast<int>(std::min<std::size_t>(room.size(), INT_MAX));
    const int got = ::SSL_read(tls_->ssl, room.data(), size);
    wants_write_ = false;
    if (got > 0) return Read{static_cast<std::size_t>(got), false};
    if (::SSL_get_error(tls_->ssl, got) == SSL_ERROR_ZERO_RETURN) return Read{};
    auto settled = settle(got, "read");
    if (!settled) return fail(std::move(settled).error());
    return Read{0, true};
  }
  for (;;) {
    const ssize_t got = ::recv(socket_.get(), room.data(), room.size(), MSG_DONTWAIT);
    if (got >= 0) return Read{static_cast<std::size_t>(got), false};
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return Read{0, true};
    return fail(io_error("read"));
  }
}

bool Transport::holds_bytes() const { return tls_ && ::SSL_pending(tls_->ssl) > 0; }

}  // namespace fp::http
