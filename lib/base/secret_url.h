// URLs with passwords in them, and how they are shown.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace fp {

/// A URL without its user and password, which `secret` then holds: "user:password".
struct SafeUrl {
  std::string text;    ///< fit to be shown
  std::string secret;  ///< "" when there is none
};
[[nodiscard]] SafeUrl without_secret(const std::string& url);
/// `url` with "user:password" put in (characters that may not stand there are percent-encoded).
[[nodiscard]] std::string with_secret(const std::string& url, const std::string& secret);

/// A request target with the values of the parameters that hold secrets shown as "***": cameras take
/// "/video.cgi?user=me&pwd=secret".
[[nodiscard]] std::string without_secret_parameters(std::string_view target);

/// All secrets of the URLs in `text` (an argument of a program): "user:password", and the values of such parameters.
/// The views are into `text`.
[[nodiscard]] std::vector<std::string_view> secrets_in(std::string_view text);

/// `text` with *** for each of them.
[[nodiscard]] std::string blotted(std::string_view text);

}  // namespace fp
