// http and https URLs (RFC 3986, as far as a client needs it).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace fp::http {

struct Credentials {
  std::string user;
  std::string password;
};

/// Where to ask, and for what. What is in it may be sent as it is: no control character, no space.
struct Url {
  bool secure = false;  ///< https
  std::string host;     ///< lower case; an IPv6 address without its brackets
  std::string port;     ///< always a number, 1 to 65535
  std::string target;   ///< path and query; begins with '/'
  std::optional<Credentials> credentials;

  /// As the Host header has it: no port where it is the scheme's own.
  [[nodiscard]] std::string authority() const;
  /// For messages: without user and password, and with *** for the query's parameters that hold secrets.
  [[nodiscard]] std::string text() const;
  /// Scheme, host and port are the same (RFC 6454).
  [[nodiscard]] bool same_origin(const Url& other) const;
};

[[nodiscard]] bool is_http_url(std::string_view text);  ///< begins with http:// or https://, any case

/// Reads a whole URL. User and password are percent-decoded; a fragment is left out; spaces and bytes over 0x7E in the
/// path are percent-encoded. Errors: Unsupported, in one line that shows no secret.
[[nodiscard]] Result<Url> parse_url(const std::string& text);

/// Where a Location header leads to from `base` (RFC 3986, section 5.2). User and password are nobody's: neither the
/// base's nor any that the reference brings. Errors: Malformed, Unsupported (another scheme).
[[nodiscard]] Result<Url> resolve(const Url& base, std::string_view reference);

}  // namespace fp::http
