#include "mqtt/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

namespace fp::mqtt {
namespace {

std::string openssl_reason() {
  const unsigned long code = ::ERR_get_error();
  ::ERR_clear_error();
  const char* const text = ::ERR_reason_error_string(code);
  return text != nullptr ? text : "unknown error";
}

bool is_address(const std::string& host) {
  in6_addr address{};
  return ::inet_pton(AF_INET, host.c_str(), &address) == 1 || ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

Result<Done> readable(const std::string& option, const std::string& file) {
  if (::access(file.c_str(), R_OK) != 0) return fail(io_error(option + " " + file));
  return Done{};
}

Result<Done> trust(SSL_CTX* context, const std::string& file) {
  if (file.empty()) {
    if (::SSL_CTX_set_default_verify_paths(context) != 1) return malformed("authorities: " + openssl_reason());
    return Done{};
  }
  if (auto there = readable("--ca", file); !there) return there;
  if (::SSL_CTX_load_verify_file(context, file.c_str()) != 1) {
    (void)openssl_reason();
    return malformed("--ca " + file + ": no certificates in it (PEM)");
  }
  return Done{};
}

Result<Done> identify(SSL_CTX* context, const TlsFiles& files) {
  if (files.cert.empty()) return Done{};
  if (auto there = readable("--cert", files.cert); !there) return there;
  if (auto there = readable("--key", files.key); !there) return there;
  if (::SSL_CTX_use_certificate_chain_file(context, files.cert.c_str()) != 1) {
    return malformed("--cert " + files.cert + ": " + openssl_reason());
  }
  // Never asks for a pass phrase at a terminal.
  ::SSL_CTX_set_default_passwd_cb(context, [](char*, int, int, void*) { return 0; });
  if (::SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return malformed("--key " + files.key + ": " + openssl_reason() +
                     " (a key without pass phrase that belongs to --cert)");
  }
  return Done{};
}

}  // namespace

void Tls::Free::operator()(ssl_ctx_st* context) const { ::SSL_CTX_free(context); }

Result<Tls> Tls::make(const TlsFiles& files, const std::string& host) {
  ::ERR_clear_error();
  Tls tls;
  tls.context_.reset(::SSL_CTX_new(::TLS_client_method()));
  if (!tls.context_) return malformed("TLS: " + openssl_reason());
  tls.verdict_ = std::make_unique<Verdict>(Verdict{host, 0});
  SSL_CTX* const context = tls.context_.get();
  ::SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  ::SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (auto done = trust(context, files.ca); !done) return fail(std::move(done).error());
  if (auto done = identify(context, files); !done) return fail(std::move(done).error());

  X509_VERIFY_PARAM* const wanted = ::SSL_CTX_get0_param(context);
  const int set = is_address(host) ? ::X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str())
                                   : ::X509_VERIFY_PARAM_set1_host(wanted, host.c_str(), host.size());
  if (set != 1) return malformed("TLS: " + openssl_reason());
  SSL_CTX_set_app_data(context, tls.verdict_.get());
  ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER, [](int good, X509_STORE_CTX* store) {
    if (good == 0) {
      const auto* const ssl =
          static_cast<const SSL*>(::X509_STORE_CTX_get_ex_data(store, ::SSL_get_ex_data_X509_STORE_CTX_idx()));
      static_cast<Verdict*>(SSL_CTX_get_app_data(::SSL_get_SSL_CTX(ssl)))->error = ::X509_STORE_CTX_get_error(store);
    }
    return good;
  });
  // The name for brokers that many share (SNI; RFC 6066, 3: no address): in place before the first byte is made.
  if (!is_address(host)) {
    ::SSL_CTX_set_info_callback(context, [](const SSL* ssl, int where, int) {
      if (where != SSL_CB_HANDSHAKE_START) return;
      const auto* const verdict = static_cast<const Verdict*>(SSL_CTX_get_app_data(::SSL_get_SSL_CTX(ssl)));
      SSL_set_tlsext_host_name(const_cast<SSL*>(ssl), verdict->host.c_str());
    });
  }
  return tls;
}

std::string Tls::take_refusal() {
  const long error = std::exchange(verdict_->error, 0);
  if (error == X509_V_OK) return "";
  std::string text = std::string("its certificate is refused: ") + ::X509_verify_cert_error_string(error);
  const bool unknown = error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
                       error == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN ||
                       error == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT || error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT;
  return unknown ? text + " (--ca FILE trusts those that FILE has signed)" : text;
}

}  // namespace fp::mqtt
