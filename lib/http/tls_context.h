// A server's certificate and key.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace fp::http {

class TlsSession;

/// What each TLS connection of a server begins with: TLS 1.2 and up, ALPN http/1.1 (RFC 7301), no renegotiation,
/// session tickets. One thread.
class TlsContext {
 public:
  struct Files {
    std::string certificate;  ///< PEM: the server's, then those between it and an authority
    std::string key;          ///< PEM, without a passphrase
  };

  /// Reads both files and tries them. Errors: Io: one cannot be read; Malformed: what is wrong with it, and the mend.
  [[nodiscard]] static Result<TlsContext> load(Files files);
  TlsContext(TlsContext&& other) noexcept;
  TlsContext& operator=(TlsContext&& other) noexcept;
  ~TlsContext();

  /// Reads them again, for connections to come; those there are keep what they have. After an error (as load()'s) all
  /// stays as it was.
  [[nodiscard]] Result<Done> reload();
  /// Of the last that was read, whole sentences: it has expired, others can read the key. Nothing that hinders us.
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }
  /// The end of the certificate's time: "Nov 21 16:00:00 2027 GMT".
  [[nodiscard]] const std::string& valid_until() const { return valid_until_; }

  /// The server's side of a connection on `socket`, which is borrowed, connected and non-blocking. It may outlive this.
  /// nullptr: OpenSSL is out of memory.
  [[nodiscard]] std::unique_ptr<TlsSession> accept(int socket) const;

 private:
  struct Context;
  TlsContext(Files files, std::unique_ptr<Context> context);
  Files files_;
  std::unique_ptr<Context> context_;
  std::vector<std::string> warnings_;
  std::string valid_until_;
};

}  // namespace fp::http
