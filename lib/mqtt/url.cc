#include "mqtt/url.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>
#include <cstdint>

#include "base/text.h"

namespace fp::mqtt {
namespace {

constexpr std::size_t kMostBrokers = 16;
constexpr std::size_t kLongestPrefix = 1024;  // a topic may have 65,535 bytes (MQTT 5, 1.5.4)

tl::unexpected<Error> unsupported(std::string text) { return fail({Error::Kind::Unsupported, 0, std::move(text)}); }

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

bool is_host(const std::string& host, bool brackets) {
  in6_addr address{};
  if (brackets) return ::inet_pton(AF_INET6, host.c_str(), &address) == 1;
  return !host.empty() && host.size() <= 255 && std::ranges::all_of(host, [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_';
  });
}

// What is no escape stays as it is: a % in a password that nobody has encoded.
std::string decoded(std::string_view text) { return percent_decode(text).value_or(std::string(text)); }

Result<Done> read_credentials(std::string_view text, Url& url) {
  const auto colon = text.find(':');
  Credentials given{decoded(text.substr(0, colon)), ""};
  if (colon != std::string_view::npos) given.password = decoded(text.substr(colon + 1));
  if (has_control(given.user) || has_control(given.password)) {
    return unsupported("a control character in the user or the password");
  }
  if (!given.user.empty()) url.credentials = std::move(given);
  return Done{};
}

// "HOST:PORT", without what stood in front of '@'.
Result<Done> read_broker(std::string_view text, Url& url) {
  Broker broker;
  const bool brackets = text.starts_with('[');
  const auto close = brackets ? text.find(']') : std::string_view::npos;
  if (brackets && close == std::string_view::npos) return unsupported("a '[' without its ']'");
  const std::string_view host = brackets ? text.substr(1, close - 1) : text.substr(0, text.find(':'));
  const std::string_view rest = text.substr(host.size() + (brackets ? 2 : 0));
  broker.host = lower(host);
  if (host.empty()) return unsupported("no host");
  if (!is_host(broker.host, brackets)) return unsupported("'" + printable(host, 80) + "' is no host name");
  broker.port = url.secure ? "8883" : "1883";
  const bool written = !rest.empty() && rest != ":";
  const auto port = written && rest.front() == ':' ? parse_integer<std::uint16_t>(rest.substr(1)) : std::nullopt;
  // Not shown: behind the colon may stand a password with a '/' in it that ended the authority too early.
  if (written && (!port || *port == 0)) {
    return unsupported("what follows the host is no port, 1 to 65535 (in a password, '/' is written %2F)");
  }
  if (port) broker.port = std::to_string(*port);
  url.brokers.push_back(std::move(broker));
  return Done{};
}

Result<Done> read_prefix(std::string_view text, Url& url) {
  auto prefix = percent_decode(text);
  if (!prefix || !is_utf8(*prefix)) return unsupported("the prefix is no UTF-8");
  if (has_control(*prefix)) return unsupported("a control character in the prefix");
  if (prefix->size() > kLongestPrefix) return unsupported("a prefix of more than 1024 bytes");
  if (prefix->find_first_of("+#") != std::string::npos) {
    return unsupported("'+' and '#' may not stand in the prefix (mqtt://HOST/PREFIX/+ are all its cameras)");
  }
  // MQTT 5, 4.7.2: topics that begin with $ are the broker's own.
  if (prefix->starts_with('$')) return unsupported("topics that begin with '$' are the broker's own");
  const bool empty_level =
      prefix->empty() || prefix->starts_with('/') || prefix->ends_with('/') || prefix->find("//") != std::string::npos;
  if (empty_level) return unsupported("an empty level in the prefix ('//')");
  url.prefix = std::move(*prefix);
  return Done{};
}

Result<Done> read_path(std::string_view path, Url& url) {
  if (path.starts_with('/')) path.remove_prefix(1);
  const auto slash = path.rfind('/');
  const std::string_view names = slash == std::string_view::npos ? path : path.substr(slash + 1);
  if (names.empty()) return unsupported("no camera is named: write mqtt://HOST/PREFIX/NAME");
  if (slash != std::string_view::npos) {
    if (auto read = read_prefix(path.substr(0, slash), url); !read) return read;
  }
  for (const std::string_view name : split(names, ',')) {
    const bool all = name == "+" && names == "+";
    if (!all && !is_plain_name(name)) {
      return unsupported("'" + printable(name, 80) +
                         "' is no camera's name: letters, digits, - and _, at most 64 of them");
    }
    if (std::ranges::find(url.names, name) == url.names.end()) url.names.emplace_back(name);
  }
  return Done{};
}

Result<Url> read_url(std::string_view rest, bool secure) {
  Url url;
  url.secure = secure;
  if (has_control(rest)) return unsupported("a control character in the URL");
  if (rest.find_first_of("?#") != std::string_view::npos) {
    return unsupported("'?' and '#' mean nothing here (in a password they are written %3F and %23)");
  }
  const auto slash = std::min(rest.find('/'), rest.size());
  std::string_view authority = rest.substr(0, slash);
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    if (auto read = read_credentials(authority.substr(0, at), url); !read) return fail(std::move(read).error());
    authority.remove_prefix(at + 1);
  }
  const auto brokers = split(authority, ',');
  if (brokers.size() > kMostBrokers) return unsupported("more than 16 brokers");
  for (const std::string_view broker : brokers) {
    if (auto read = read_broker(broker, url); !read) return fail(std::move(read).error());
  }
  if (auto read = read_path(rest.substr(slash), url); !read) return fail(std::move(read).error());
  return url;
}

}  // namespace

std::string Broker::text(bool secure) const {
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + (port == (secure ? "8883" : "1883") ? "" : ":" + port);
}

std::string Url::text() const {
  std::string shown = secure ? "mqtts://" : "mqtt://";
  for (const Broker& broker : brokers) {
    if (&broker != &brokers.front()) shown += ',';
    shown += broker.text(secure);
  }
  if (!prefix.empty()) shown += "/" + prefix;
  for (std::size_t i = 0; i < names.size(); ++i) shown += (i == 0 ? "/" : ",") + names[i];
  return shown;
}

std::string Url::topic(std::string_view name, std::string_view leaf) const {
  std::string topic = prefix;
  if (!topic.empty()) topic += '/';
  return topic.append(name).append("/").append(leaf);
}

Result<Url> parse_url(const std::string& text) {
  const bool secure = starts_with_ignoring_case(text, "mqtts://");
  if (!secure && !starts_with_ignoring_case(text, "mqtt://")) {
    return unsupported("no mqtt:// or mqtts:// URL (write mqtt://HOST/PREFIX/NAME)");
  }
  auto url = read_url(std::string_view(text).substr(text.find("://") + 3), secure);
  if (url) return url;
  // A user means that all of it may be a secret that is written in a wrong way.
  const bool secret = text.find('@') != std::string::npos;
  return fail(std::move(url).error().in(secret ? "the URL" : "'" + printable(text) + "'"));
}

std::optional<std::string_view> name_in(std::string_view topic, std::string_view prefix, std::string_view leaf) {
  if (!prefix.empty()) {
    if (!topic.starts_with(prefix) || topic.substr(prefix.size(), 1) != "/") return std::nullopt;
    topic.remove_prefix(prefix.size() + 1);
  }
  const auto slash = topic.find('/');
  if (slash == std::string_view::npos || topic.substr(slash + 1) != leaf) return std::nullopt;
  topic = topic.substr(0, slash);
  if (!is_plain_name(topic)) return std::nullopt;
  return topic;
}

}  // namespace fp::mqtt
