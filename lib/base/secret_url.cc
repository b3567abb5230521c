#include "base/secret_url.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/text.h"

namespace fp {
namespace {

// Whether a parameter of this name holds a secret: "pwd", "loginpas", "access_token".
bool is_secret_name(std::string_view name) {
  constexpr std::array<std::string_view, 7> kParts = {"pwd", "pass", "token", "secret", "auth", "key", "loginpas"};
  const std::string low = lower(name);
  return std::ranges::any_of(kParts, [&](std::string_view part) { return low.find(part) != std::string::npos; });
}

// The values of secret parameters: views into `target`.
std::vector<std::string_view> secret_values(std::string_view target) {
  std::vector<std::string_view> values;
  const auto query = target.find('?');
  if (query == std::string_view::npos) return values;
  for (const std::string_view parameter : split(target.substr(query + 1), '&')) {
    const auto equals = parameter.find('=');
    if (equals == std::string_view::npos || equals + 1 == parameter.size()) continue;
    if (is_secret_name(parameter.substr(0, equals))) values.push_back(parameter.substr(equals + 1));
  }
  return values;
}

}  // namespace

SafeUrl without_secret(const std::string& url) {
  const auto scheme = url.find("://");
  if (scheme == std::string::npos) return {url, {}};
  const std::size_t begin = scheme + 3;
  const std::size_t end = std::min(url.find_first_of("/?#", begin), url.size());
  // The last @ counts: a password may hold one that nobody has encoded.
  const auto at = url.substr(0, end).rfind('@');
  if (at == std::string::npos || at < begin) return {url, {}};
  return {url.substr(0, begin) + url.substr(at + 1), url.substr(begin, at - begin)};
}

std::string with_secret(const std::string& url, const std::string& secret) {
  const auto scheme = url.find("://");
  if (secret.empty() || scheme == std::string::npos) return url;
  std::string encoded;
  bool in_password = false;
  for (const char c : secret) {
    const auto byte = static_cast<unsigned char>(c);
    const bool divides = c == ':' && !in_password;
    if (divides) in_password = true;
    if (std::isalnum(byte) != 0 || divides || std::string_view("-._~!$&'()*+,;=").find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      constexpr std::string_view kHex = "0123456789ABCDEF";
      encoded += '%';
      encoded += kHex[byte >> 4];
      encoded += kHex[byte & 15];
    }
  }
  return url.substr(0, scheme + 3) + encoded + "@" + without_secret(url).text.substr(scheme + 3);
}

std::string without_secret_parameters(std::string_view target) {
  std::string shown;
  std::size_t from = 0;
  for (const std::string_view value : secret_values(target)) {
    const auto at = static_cast<std::size_t>(value.data() - target.data());
    shown += target.substr(from, at - from);
    shown += "***";
    from = at + value.size();
  }
  return shown.append(target.substr(from));
}

std::vector<std::string_view> secrets_in(std::string_view text) {
  std::vector<std::string_view> secrets;
  for (auto scheme = text.find("://"); scheme != std::string_view::npos; scheme = text.find("://", scheme + 3)) {
    const std::size_t begin = scheme + 3;
    // In a command line (exec:) an URL ends with its word.
    const std::string_view rest = text.substr(begin, text.find_first_of(" \t\n'\"", begin) - begin);
    const auto at = rest.substr(0, rest.find_first_of("/?#")).rfind('@');
    if (at != std::string_view::npos && at > 0) secrets.push_back(rest.substr(0, at));
    const auto values = secret_values(rest);
    secrets.insert(secrets.end(), values.begin(), values.end());
  }
  return secrets;
}

std::string blotted(std::string_view text) {
  std::string shown;
  std::size_t from = 0;
  for (const std::string_view secret : secrets_in(text)) {
    const auto at = static_cast<std::size_t>(secret.data() - text.data());
    shown += text.substr(from, at - from);
    shown += "***";
    from = at + secret.size();
  }
  return shown.append(text.substr(from));
}

}  // namespace fp
