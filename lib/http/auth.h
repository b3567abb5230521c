// How a client answers "401 Unauthorized": Basic (RFC 7617) and Digest (RFC 7616, RFC 2069).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/url.h"

namespace fp::http {

struct Challenge {
  enum class Scheme { Basic, Digest };
  enum class Hash { Md5, Sha256 };
  Scheme scheme = Scheme::Basic;
  // Of Digest:
  std::string realm;
  std::string nonce;
  std::optional<std::string> opaque;
  Hash hash = Hash::Md5;
  std::string algorithm;  ///< as it came, to be sent back; "" when none came
  bool session = false;   ///< MD5-sess, SHA-256-sess
  bool qop_auth = false;  ///< else as in RFC 2069, without a count
  bool stale = false;     ///< the nonce was too old, and the password may be right
};

/// The challenges in the values of all WWW-Authenticate headers that we can answer, the strongest first. Others, and
/// what is malformed, are left out.
[[nodiscard]] std::vector<Challenge> parse_challenges(const std::vector<std::string_view>& headers);

/// What stands behind "Authorization: " for a Digest; `client_nonce` and `count` (of requests with this nonce, from 1)
/// are the client's. Error: Unsupported, when OpenSSL has no such hash (MD5 under FIPS).
[[nodiscard]] Result<std::string> digest_answer(const Challenge& challenge, const Credentials& credentials,
                                                std::string_view method, std::string_view target,
                                                std::string_view client_nonce, std::uint32_t count);

/// A user at one origin. Nothing is sent before it is asked for: a camera that would have taken a Digest must not be
/// shown the password. What was asked for last is kept, so that a new connection needs no second try.
class Authenticator {
 public:
  explicit Authenticator(Credentials credentials) : credentials_(std::move(credentials)) {}

  /// A new series of tries begins: what was refused may be answered again.
  void begin() { answered_ = stale_answers_ = 0; }
  /// A 401 with these WWW-Authenticate headers has come. Errors, when there is no (further) answer: Unsupported, with
  /// what to tell the user.
  [[nodiscard]] Result<Done> challenged(const std::vector<std::string_view>& headers);
  /// The value of the next request's Authorization header; "": none, since nobody has asked for one.
  [[nodiscard]] Result<std::string> authorization(std::string_view method, std::string_view target);

 private:
  Credentials credentials_;
  std::optional<Challenge> challenge_;
  std::string client_nonce_;  // kept as long as the server's: -sess is made from the first one
  std::uint32_t count_ = 0;
  bool sent_ = false;  // the last request had the header
  int answered_ = 0;
  int stale_answers_ = 0;
};

}  // namespace fp::http
