#include "http/url.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>

#include "base/secret_url.h"
#include "base/text.h"

namespace fp::http {
namespace {

tl::unexpected<Error> unsupported(std::string text) { return fail({Error::Kind::Unsupported, 0, std::move(text)}); }

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char low = c | 0x20;
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

// What is no escape stays as it is: a % in a password that nobody has encoded.
std::string percent_decoded(std::string_view text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape =
        text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0;
    if (escape) {
      result += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      result += text[i];
    }
  }
  return result;
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

std::string sendable(std::string_view target) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string result;
  for (const char c : target) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7F) {
      result += c;
    } else {
      result += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return result;
}

bool is_host_name(std::string_view host) {
  return !host.empty() && host.size() <= 255 && std::ranges::all_of(host, [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_';
  });
}

// An IPv6 address, and the zone behind '%' where there is one.
bool is_bracketed(const std::string& host) {
  const auto zone = host.find('%');
  in6_addr address{};
  if (::inet_pton(AF_INET6, host.substr(0, zone).c_str(), &address) != 1) return false;
  return zone == std::string::npos || is_host_name(std::string_view(host).substr(zone + 1));
}

// RFC 3986, 5.2.4.
std::string without_dots(std::string_view path) {
  std::string result;
  while (!path.empty()) {
    const auto slash = path.find('/', 1);
    const std::string_view segment = path.substr(0, slash);
    const bool last = slash == std::string_view::npos;
    if (segment == "/..") {
      result.erase(std::min(result.rfind('/'), result.size()));
      if (last) result += '/';
    } else if (segment == "/.") {
      if (last) result += '/';
    } else {
      result += segment;
    }
    if (last) break;
    path.remove_prefix(slash);
  }
  return result.empty() ? "/" : result;
}

// "user:password@host:port" into `url`.
Result<Done> read_authority(std::string_view authority, Url& url) {
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    const std::string_view user = authority.substr(0, at);
    const auto colon = user.find(':');
    Credentials given{percent_decoded(user.substr(0, colon)), ""};
    if (colon != std::string_view::npos) given.password = percent_decoded(user.substr(colon + 1));
    if (has_control(given.user) || has_control(given.password)) {
      return unsupported("a control character in the user or the password");
    }
    if (given.user.find(':') != std::string::npos) return unsupported("a ':' in the user");  // RFC 7617, 2
    if (!user.empty()) url.credentials = std::move(given);
    authority.remove_prefix(at + 1);
  }
  const bool brackets = authority.starts_with('[');
  std::string_view host = authority;
  std::string_view rest;
  if (brackets) {
    const auto close = authority.find(']');
    if (close == std::string_view::npos) return unsupported("a '[' without its ']'");
    host = authority.substr(1, close - 1);
    rest = authority.substr(close + 1);
  } else {
    host = authority.substr(0, authority.find(':'));
    rest = authority.substr(host.size());
  }
  if (host.empty()) return unsupported("no host");
  if (brackets && host.find("%25") != std::string_view::npos) {
    // RFC 6874: how a zone (fe80::1%eth0) is written in a URL.
    const auto zone = host.find("%25");
    url.host = lower(host.substr(0, zone)) + "%" + std::string(host.substr(zone + 3));
  } else {
    url.host = lower(host);
  }
  if (!(brackets ? is_bracketed(url.host) : is_host_name(url.host)))
    return unsupported("'" + printable(host, 80) + "' is no host name");
  url.port = url.secure ? "443" : "80";
  if (rest.empty() || rest == ":") return Done{};
  const auto port = rest.front() == ':' ? parse_integer<std::uint16_t>(rest.substr(1)) : std::nullopt;
  // Not shown: behind the colon may stand a password with a '/' in it that ended the authority too early.
  if (!port || *port == 0) {
    return unsupported(
        "what follows the host is no port, 1 to 65535 (in a password, '/' is written %2F, '?' %3F, '#' %23)");
  }
  url.port = std::to_string(*port);
  return Done{};
}

bool is_v6(const std::string& host) { return host.find(':') != std::string::npos; }

}  // namespace

std::string Url::authority() const {
  // RFC 6874, 1: a zone means nothing to anybody else.
  const std::string name = is_v6(host) ? "[" + host.substr(0, host.find('%')) + "]" : host;
  return port == (secure ? "443" : "80") ? name : name + ":" + port;
}

std::string Url::text() const {
  return (secure ? "https://" : "http://") + authority() + without_secret_parameters(target);
}

bool Url::same_origin(const Url& other) const {
  return secure == other.secure && host == other.host && port == other.port;
}

bool is_http_url(std::string_view text) {
  return starts_with_ignoring_case(text, "http://") || starts_with_ignoring_case(text, "https://");
}

Result<Url> parse_url(const std::string& text) {
  if (!is_http_url(text)) return unsupported("not an http:// or https:// URL");
  if (has_control(text)) return unsupported("a control character in the URL");
  Url url;
  url.secure = text[4] == 's' || text[4] == 'S';
  std::string_view rest = std::string_view(text).substr(text.find("://") + 3);
  rest = rest.substr(0, rest.find('#'));
  const auto path = rest.find_first_of("/?");
  const std::string_view authority = rest.substr(0, path);
  auto read = read_authority(authority, url);
  if (!read) {
    // A user means that all of it may be a secret that is written in a wrong way.
    const bool secret = text.find('@') != std::string::npos;
    return fail(
        std::move(read).error().in(secret ? "the URL" : "'" + printable(without_secret_parameters(text)) + "'"));
  }
  url.target = path == std::string_view::npos ? "/" : sendable(rest.substr(path));
  if (url.target.front() == '?') url.target.insert(0, "/");
  return url;
}

Result<Url> resolve(const Url& base, std::string_view reference) {
  reference = trim(reference);
  if (reference.empty()) return malformed("a redirect to nowhere");
  if (has_control(reference)) return malformed("a redirect with a control character in it");
  reference = reference.substr(0, reference.find('#'));
  const auto colon = reference.find(':');
  const bool has_scheme = colon != std::string_view::npos && colon < reference.find_first_of("/?");
  Url url;
  if (has_scheme || reference.starts_with("//")) {
    const std::string whole =
        has_scheme ? std::string(reference) : (base.secure ? "https:" : "http:") + std::string(reference);
    if (!is_http_url(whole)) return unsupported("a redirect to '" + printable(reference.substr(0, colon), 40) + ":'");
    auto read = parse_url(whole);
    if (!read) return fail(std::move(read).error().in("a redirect"));
    url = std::move(*read);
    url.credentials.reset();
    const auto query = url.target.find('?');
    url.target = without_dots(std::string_view(url.target).substr(0, query)) +
                 (query == std::string::npos ? "" : url.target.substr(query));
    return url;
  }
  url = base;
  url.credentials.reset();
  const std::string_view base_path = std::string_view(base.target).substr(0, base.target.find('?'));
  const auto query = reference.find('?');
  const std::string_view path = reference.substr(0, query);
  const std::string tail = query == std::string_view::npos ? "" : sendable(reference.substr(query));
  if (path.empty()) {
    url.target = tail.empty() ? base.target : std::string(base_path) + tail;
  } else if (path.front() == '/') {
    url.target = without_dots(sendable(path)) + tail;
  } else {
    url.target = without_dots(std::string(base_path.substr(0, base_path.rfind('/') + 1)) + sendable(path)) + tail;
  }
  return url;
}

}  // namespace fp::http
