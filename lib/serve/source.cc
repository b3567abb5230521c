#include "serve/source.h"

#include <arpa/inet.h>
#include <fnmatch.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/secret_url.h"
#include "base/text.h"

namespace fp {
namespace {

// 'word' for /bin/sh, whatever is in it.
std::string quoted(std::string_view word) {
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

// N or /dev/videoN as a path; "" when it is neither.
std::string device_of(std::string_view text) {
  if (parse_integer<std::uint16_t>(text)) return "/dev/video" + std::string(text);
  return text.starts_with("/dev/video") || text.starts_with("/dev/v4l/") ? std::string(text) : "";
}

bool starts_with_one_of(std::string_view text, std::initializer_list<std::string_view> prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](std::string_view prefix) { return starts_with_ignoring_case(text, prefix); });
}

bool is_film_url(std::string_view text) {
  return starts_with_one_of(text, {"rtsp://", "rtsps://", "rtmp://", "rtmps://"});
}

// SCHEME://[USERINFO@]HOST[:PORT]...
struct UrlParts {
  std::string scheme;    // "rtsp://"
  std::string userinfo;  // as it is written
  std::string host;      // with its port, lower case
  std::string rest;      // from the path on
};
std::optional<UrlParts> split_url(std::string_view text) {
  const auto slashes = text.find("://");
  if (slashes == std::string_view::npos) return std::nullopt;
  UrlParts parts;
  parts.scheme = lower(text.substr(0, slashes + 3));
  text.remove_prefix(slashes + 3);
  const auto end = std::min(text.find_first_of("/?#"), text.size());
  std::string_view authority = text.substr(0, end);
  parts.rest = std::string(text.substr(end));
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    parts.userinfo = std::string(authority.substr(0, at));
    authority.remove_prefix(at + 1);
  }
  parts.host = lower(authority);
  return parts;
}

// 'http://192.168.1.*' means addresses, and no name such as 192.168.1.example.org.
bool wants_address(std::string_view glob) {
  const auto slashes = glob.find("://");
  if (slashes == std::string_view::npos || slashes + 3 == glob.size()) return false;
  const char first = glob[slashes + 3];
  return first == '[' || (first >= '0' && first <= '9');
}

// SCHEME://HOST[:PORT]: whether HOST is an address in figures.
bool has_address(std::string_view url) {
  std::string_view host = url.substr(url.find("://") + 3);
  if (host.starts_with('[')) return true;  // nothing but an address stands in brackets
  host = host.substr(0, host.find(':'));
  in_addr address{};
  return ::inet_pton(AF_INET, std::string(host).c_str(), &address) == 1;
}

// camgrab's child-like words: it takes the password from its environment, where no other user can read it; in its
// arguments all could.
Result<Source> run_camgrab(const std::string& text, const std::string& argument, const std::string& camgrab) {
  Source source;
  source.by_camgrab = true;
  source.endpoint.kind = Endpoint::Kind::Exec;
  source.endpoint.text = text;
  std::string shown = argument;
  std::string environment;
  if (const auto url = split_url(argument); url && !url->userinfo.empty()) {
    const auto secret = percent_decode(url->userinfo);
    if (!secret || secret->find_first_of("\r\n") != std::string::npos) {
      return fail({Error::Kind::Unsupported, 0, "the user and password in this URL cannot be read"});
    }
    shown = url->scheme + url->host + url->rest;
    source.endpoint.text = shown;
    source.secret = *secret + "\n";
    environment = "IFS= read -r CAMGRAB_CREDENTIALS; export CAMGRAB_CREDENTIALS; ";
  }
  source.endpoint.text = without_secret_parameters(source.endpoint.text);
  source.endpoint.address = environment + "exec " + quoted(camgrab) + " -q --no-signal none -- " + quoted(shown);
  return source;
}

}  // namespace

bool Source::own() const {
  switch (endpoint.kind) {
    case Endpoint::Kind::Exec:
    case Endpoint::Kind::Http:
    case Endpoint::Kind::Tcp:
    case Endpoint::Kind::Unix:
      return true;
    default:
      return false;
  }
}

Result<Source> parse_source(const std::string& text, const std::string& camgrab) {
  const std::string device = device_of(text);
  if (!device.empty() || text == "test") return run_camgrab(text, device.empty() ? text : device, camgrab);
  if (is_film_url(text)) return run_camgrab(text, text, camgrab);
  auto endpoint = parse_endpoint(text, Direction::In);
  if (!endpoint) return fail(std::move(endpoint).error());
  Source source;
  source.endpoint = std::move(*endpoint);
  return source;
}

std::string find_camgrab() {
  std::array<char, 4096> path{};
  const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size());
  if (length <= 0 || static_cast<std::size_t>(length) == path.size()) return "camgrab";
  const std::string_view own(path.data(), static_cast<std::size_t>(length));
  const std::string beside = std::string(own.substr(0, own.rfind('/') + 1)) + "camgrab";
  return ::access(beside.c_str(), X_OK) == 0 ? beside : "camgrab";
}

std::optional<std::string> refuse_source(const std::string& text, const std::vector<std::string>& globs) {
  if (globs.empty()) return "sources cannot be named here (mjpeg-serve --allow-source GLOB allows it)";
  const auto odd = [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == '\\' || c == 0x7f; };
  if (text.empty()) return "source= is empty";
  if (text.size() > 2048 || std::any_of(text.begin(), text.end(), odd)) {
    return "a source holds no spaces, backslashes or control characters, and at most 2048 characters";
  }
  if (text == "-" || starts_with_one_of(text, {"exec:", "fd:", "unix-listen:", "tcp-listen:"})) {
    return "'" + printable(text, 80) + "': commands, descriptors and listening ends are never opened for a page";
  }
  if (text.find("/../") != std::string::npos || text.starts_with("../") || text.ends_with("/..")) {
    return "a source has no .. in its path";
  }
  std::vector<std::string> names;
  if (const auto url = split_url(text)) {
    if (!starts_with_one_of(text, {"http://", "https://"}) && !is_film_url(text)) {
      return "'" + printable(url->scheme, 20) + "' is not read here (http, https, rtsp and rtmp are)";
    }
    names.push_back(url->scheme + url->host);
    const bool bracketed = url->host.ends_with(']');
    const auto colon = url->host.rfind(':');
    if (!bracketed && colon != std::string::npos) names.push_back(url->scheme + url->host.substr(0, colon));
  } else {
    const std::string device = device_of(text);
    names.push_back(device.empty() ? text : device);
  }
  for (const std::string& glob : globs) {
    for (const std::string& name : names) {
      if (wants_address(glob) && !has_address(name)) continue;
      if (::fnmatch(glob.c_str(), name.c_str(), FNM_NOESCAPE) == 0) return std::nullopt;
    }
  }
  return "'" + printable(names.front(), 80) + "' matches no --allow-source";
}

}  // namespace fp
