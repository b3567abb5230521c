// A connected socket's bytes, in the clear or by TLS.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/fd.h"
#include "base/result.h"

namespace fp::http {

/// Whom to trust, made once and used for all connections of a client.
class TlsTrust {
 public:
  /// `ca_file`: PEM, in place of the system's authorities; "": those (SSL_CERT_FILE and SSL_CERT_DIR name others).
  /// `insecure`: nothing is verified. Error: Io, Unsupported: the file cannot be read, or holds no certificate.
  [[nodiscard]] static Result<TlsTrust> load(const std::string& ca_file, bool insecure);

 private:
  friend class Transport;
  struct Context;
  explicit TlsTrust(std::shared_ptr<Context> context) : context_(std::move(context)) {}
  std::shared_ptr<Context> context_;
};

/// Non-blocking; one thread. SIGPIPE must be ignored, as cli::start() does: OpenSSL knows no MSG_NOSIGNAL.
class Transport {
 public:
  enum class Status { Done, Again };  ///< Again: wait for the socket, for writing when wants_write() says so
  struct Read {
    std::size_t size = 0;  ///< 0 and not again: the peer has closed
    bool again = false;
  };

  explicit Transport(Fd socket);
  Transport(Transport&& other) noexcept;
  Transport& operator=(Transport&& other) noexcept;
  ~Transport();

  /// From here on in TLS, to a server of this name or address. Error: Unsupported.
  [[nodiscard]] Result<Done> begin_tls(const TlsTrust& trust, const std::string& host);
  /// Errors: Io; Unsupported when the certificate is not to be trusted: "certificate: ...".
  [[nodiscard]] Result<Status> handshake();
  [[nodiscard]] Result<Status> write(std::string& text);  ///< what has gone is taken away
  [[nodiscard]] Result<Read> read(std::span<std::uint8_t> room);

  [[nodiscard]] int fd() const { return socket_.get(); }
  [[nodiscard]] bool wants_write() const { return wants_write_; }
  /// Bytes that have come and of which the descriptor says nothing.
  [[nodiscard]] bool holds_bytes() const;

 private:
  struct Tls;
  Result<bool> settle(int result, std::string_view doing);  // true: again

  Fd socket_;
  std::unique_ptr<Tls> tls_;
  bool wants_write_ = false;
};

}  // namespace fp::http
