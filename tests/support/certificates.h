// Keys and certificates for tests, made on the spot.
#pragma once

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "support/io.h"

namespace fp::test {

struct Times {
  long from_s = -3600;  ///< from now
  long until_s = 86400;
};

/// A self-signed certificate for localhost and 127.0.0.1 and its key (P-256), as PEM files `cert` and `key` of a
/// folder.
class Certificate {
 public:
  explicit Certificate(long serial = 1, Times times = {}) { write(serial, times); }

  /// Another key and certificate in their places.
  void write(long serial, Times times = {}, const char* passphrase = nullptr) const {
    const std::unique_ptr<EVP_PKEY, decltype(&::EVP_PKEY_free)> pair(::EVP_EC_gen("P-256"), &::EVP_PKEY_free);
    const std::unique_ptr<X509, decltype(&::X509_free)> made(::X509_new(), &::X509_free);
    if (!pair || !made) throw std::runtime_error("no key");
    ::X509_set_version(made.get(), 2);
    ::ASN1_INTEGER_set(::X509_get_serialNumber(made.get()), serial);
    ::X509_gmtime_adj(::X509_getm_notBefore(made.get()), times.from_s);
    ::X509_gmtime_adj(::X509_getm_notAfter(made.get()), times.until_s);
    ::X509_set_pubkey(made.get(), pair.get());
    X509_NAME* const name = ::X509_get_subject_name(made.get());
    ::X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1, -1, 0);
    ::X509_set_issuer_name(made.get(), name);
    X509_EXTENSION* const names =
        ::X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
    ::X509_add_ext(made.get(), names, -1);
    ::X509_EXTENSION_free(names);
    ::X509_sign(made.get(), pair.get(), ::EVP_sha256());
    save(cert(), [&](BIO* out) { return ::PEM_write_bio_X509(out, made.get()); });
    save(key(), [&](BIO* out) {
      return ::PEM_write_bio_PrivateKey(out, pair.get(), passphrase != nullptr ? ::EVP_aes_128_cbc() : nullptr, nullptr,
                                        0, nullptr, const_cast<char*>(passphrase));
    });
    ::chmod(key().c_str(), 0600);
  }
  [[nodiscard]] std::string cert() const { return folder_ / "cert"; }
  [[nodiscard]] std::string key() const { return folder_ / "key"; }
  [[nodiscard]] std::string file(const std::string& name) const { return folder_ / name; }

 private:
  template <typename Put>
  static void save(const std::string& path, const Put& put) {
    BIO* const out = ::BIO_new_file(path.c_str(), "w");
    if (out == nullptr || put(out) != 1) throw std::runtime_error("cannot write " + path);
    ::BIO_free(out);
  }
  TempDir folder_;
};

}  // namespace fp::test
