// TLS towards a broker.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

// OpenSSL's own name, so that its headers stay out of ours.
struct ssl_ctx_st;

namespace fp::mqtt {

struct TlsFiles {
  std::string ca;    ///< PEM; "": the authorities that this machine trusts
  std::string cert;  ///< a client's certificate, PEM; "": none
  std::string key;   ///< and its key
};

/// An SSL_CTX for one host: TLS 1.2 or later, the broker's certificate checked against the authorities and the host's
/// name or address. libmosquitto is given addresses in figures, which it would check and announce (SNI) instead of the
/// name. One thread.
class Tls {
 public:
  /// Errors: Io (a file cannot be read), Malformed (it is no certificate, no key, or they do not belong together).
  [[nodiscard]] static Result<Tls> make(const TlsFiles& files, const std::string& host);

  [[nodiscard]] ssl_ctx_st* context() const { return context_.get(); }
  /// Why the last certificate was refused, with the mend; "" when it was not. Forgets it.
  [[nodiscard]] std::string take_refusal();

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };
  struct Verdict {
    std::string host;
    long error = 0;
  };
  Tls() = default;
  std::unique_ptr<Verdict> verdict_;  // the context points to it
  std::unique_ptr<ssl_ctx_st, Free> context_;
};

}  // namespace fp::mqtt
