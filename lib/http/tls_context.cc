#include "http/tls_context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/stat.h>

#include <array>

#include "base/file.h"
#include "http/tls_error.h"
#include "http/tls_session.h"

namespace fp::http {
namespace {

constexpr std::size_t kMostBytes = 1U << 20U;  // a chain has some kilobytes

struct Free {
  void operator()(BIO* bio) const { ::BIO_free(bio); }
  void operator()(X509* certificate) const { ::X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { ::EVP_PKEY_free(key); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

Owned<BIO> reader_of(const Blob& bytes) {
  return Owned<BIO>(::BIO_new_mem_buf(bytes.data(), static_cast<int>(bytes.size())));
}

// Asked for a passphrase OpenSSL would read one from the terminal.
int refuse_passphrase(char* /*room*/, int /*size*/, int /*writing*/, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

// RFC 7301: a client that offers protocols and not ours could not be understood.
int choose_protocol(SSL* /*ssl*/, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                    unsigned offered_size, void* /*unused*/) {
  static constexpr std::array<unsigned char, 9> kOurs = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  unsigned char* found = nullptr;
  const int result = ::SSL_select_next_proto(&found, size, kOurs.data(), kOurs.size(), offered, offered_size);
  if (result != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_ALERT_FATAL;
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

std::string time_text(const ASN1_TIME* time) {
  const Owned<BIO> out(::BIO_new(::BIO_s_mem()));
  if (!out || ::ASN1_TIME_print(out.get(), time) != 1) return "an unknown time";
  char* text = nullptr;
  const long size = ::BIO_get_mem_data(out.get(), &text);  // NOLINT(cppcoreguidelines-pro-type-cstyle-cast): a macro
  return {text, static_cast<std::size_t>(size)};
}

}  // namespace

struct TlsContext::Context {
  SSL_CTX* ssl = ::SSL_CTX_new(::TLS_server_method());
  Context() = default;
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { ::SSL_CTX_free(ssl); }

  [[nodiscard]] Result<Done> configure() const;
  [[nodiscard]] Result<Done> use_chain(const std::string& file) const;
  [[nodiscard]] Result<Done> use_key(const Files& files) const;
};

Result<Done> TlsContext::Context::configure() const {
  if (ssl == nullptr) return fail({Error::Kind::Unsupported, 0, "TLS: " + take_tls_error()});
  ::SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
  // Of TLS 1.2 what TLS 1.3 has: no CBC (Lucky 13), always forward secrecy. Fails only for a list that names nothing.
  ::SSL_CTX_set_cipher_list(ssl, "ECDHE+AESGCM:ECDHE+CHACHA20");
  // Many clients leave without a word of TLS: an end like any other.
  ::SSL_CTX_set_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_CIPHER_SERVER_PREFERENCE);
  // A connection that waits gives its 34 KiB of buffers back.
  ::SSL_CTX_set_mode(ssl,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  ::SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);  // clients keep their tickets
  ::SSL_CTX_set_alpn_select_cb(ssl, choose_protocol, nullptr);
  return Done{};
}

Result<Done> TlsContext::Context::use_chain(const std::string& file) const {
  auto bytes = read_file(file, kMostBytes);
  if (!bytes) return fail(std::move(bytes).error());
  const Owned<BIO> in = reader_of(*bytes);
  ::ERR_clear_error();
  Owned<X509> certificate(::PEM_read_bio_X509_AUX(in.get(), nullptr, nullptr, nullptr));
  if (!certificate) {
    return malformed(file + ": no certificate in it (it begins with -----BEGIN CERTIFICATE-----; " + take_tls_error() +
                     ")");
  }
  if (::SSL_CTX_use_certificate(ssl, certificate.get()) != 1) {
    return malformed(file + ": " + take_tls_error() + " (make another certificate)");
  }
  for (;;) {
    const Owned<X509> next(::PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr));
    if (!next) break;
    if (::SSL_CTX_add1_chain_cert(ssl, next.get()) != 1) return malformed(file + ": " + take_tls_error());
  }
  // The end of the file is one of "no more PEM"; anything else is a certificate cut short.
  const bool at_end = ERR_GET_REASON(::ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string reason = take_tls_error();
  if (!at_end) return malformed(file + ": one of its certificates is damaged (" + reason + ")");
  return Done{};
}

Result<Done> TlsContext::Context::use_key(const Files& files) const {
  auto bytes = read_file(files.key, kMostBytes);
  if (!bytes) return fail(std::move(bytes).error());
  const Owned<BIO> in = reader_of(*bytes);
  bool locked = false;
  ::ERR_clear_error();
  const Owned<EVP_PKEY> key(::PEM_read_bio_PrivateKey(in.get(), nullptr, refuse_passphrase, &locked));
  if (!key) {
    const std::string reason = take_tls_error();
    if (locked) {
      return malformed(files.key + ": locked by a passphrase (openssl pkey -in " + files.key +
                       " -out FILE writes it without)");
    }
    return malformed(files.key + ": no private key in it (it begins with -----BEGIN PRIVATE KEY-----; " + reason + ")");
  }
  if (::X509_check_private_key(::SSL_CTX_get0_certificate(ssl), key.get()) != 1) {
    ::ERR_clear_error();
    return malformed(files.key + ": does not fit the certificate in " + files.certificate +
                     " (was only one of them replaced? the server's certificate must be the first in its file)");
  }
  if (::SSL_CTX_use_PrivateKey(ssl, key.get()) != 1) return malformed(files.key + ": " + take_tls_error());
  return Done{};
}

TlsContext::TlsContext(Files files, std::unique_ptr<Context> context)
    : files_(std::move(files)), context_(std::move(context)) {
  const X509* const certificate = ::SSL_CTX_get0_certificate(context_->ssl);
  valid_until_ = time_text(::X509_get0_notAfter(certificate));
  if (::X509_cmp_current_time(::X509_get0_notAfter(certificate)) < 0) {
    warnings_.push_back(files_.certificate + ": the certificate has expired on " + valid_until_ +
                        ": browsers will not trust it");
  }
  if (::X509_cmp_current_time(::X509_get0_notBefore(certificate)) > 0) {
    warnings_.push_back(files_.certificate + ": the certificate is not valid before " +
                        time_text(::X509_get0_notBefore(certificate)) + " (is this machine's clock right?)");
  }
  struct stat info {};
  if (::stat(files_.key.c_str(), &info) == 0 && S_ISREG(info.st_mode) && (info.st_mode & S_IROTH) != 0) {
    warnings_.push_back(files_.key + ": everybody on this machine can read the key (chmod o= " + files_.key + ")");
  }
}

TlsContext::TlsContext(TlsContext&& other) noexcept = default;
TlsContext& TlsContext::operator=(TlsContext&& other) noexcept = default;
TlsContext::~TlsContext() = default;

Result<TlsContext> TlsContext::load(Files files) {
  auto context = std::make_unique<Context>();
  if (auto done = context->configure(); !done) return fail(std::move(done).error());
  if (auto done = context->use_chain(files.certificate); !done) return fail(std::move(done).error());
  if (auto done = context->use_key(files); !done) return fail(std::move(done).error());
  return TlsContext(std::move(files), std::move(context));
}

Result<Done> TlsContext::reload() {
  auto fresh = load(files_);
  if (!fresh) return fail(std::move(fresh).error());
  *this = std::move(*fresh);
  return Done{};
}

std::unique_ptr<TlsSession> TlsContext::accept(int socket) const {
  SSL* const ssl = ::SSL_new(context_->ssl);
  if (ssl == nullptr) return nullptr;
  auto session = std::make_unique<TlsSession>(ssl);
  if (::SSL_set_fd(ssl, socket) != 1) return nullptr;
  ::SSL_set_accept_state(ssl);
  return session;
}

}  // namespace fp::http
