#include "http/message.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace fp::http {
namespace {

std::optional<std::string> decode_query(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  return percent_decode(spaced);
}

bool is_address(const std::string& host) {
  std::array<unsigned char, 16> bytes{};
  return ::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

}  // namespace

std::optional<std::string_view> Request::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (equal_ignoring_case(key, name)) return value;
  }
  return std::nullopt;
}

bool parse_target(std::string_view target, Request& request) {
  request.target = std::string(target);
  // The absolute form, http://host/path, is what a proxy is asked (RFC 9112, 3.2.2): its path counts.
  if (starts_with_ignoring_case(target, "http://")) {
    const auto end = target.find_first_of("/?#", 7);
    target = end == std::string_view::npos ? std::string_view() : target.substr(end);
    if (!target.starts_with('/')) request.path = "/";
  }
  if (request.method == "OPTIONS" && target == "*") {
    request.path = "/";  // about the whole server
    return true;
  }
  target = target.substr(0, target.find('#'));
  const auto mark = target.find('?');
  auto path = percent_decode(target.substr(0, mark));
  if (path && path->empty() && request.path == "/") path = "/";
  if (!path || path->empty() || path->front() != '/') return false;
  request.path = std::move(*path);
  if (mark == std::string_view::npos) return true;
  for (const std::string_view pair : split(target.substr(mark + 1), '&')) {
    const auto equals = pair.find('=');
    const auto name = decode_query(pair.substr(0, equals));
    const auto value = equals == std::string_view::npos ? std::string() : decode_query(pair.substr(equals + 1));
    if (!name || !value) return false;
    if (!name->empty()) request.query.emplace(*name, *value);
  }
  return true;
}

const char* reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 204:
      return "No Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 411:
      return "Length Required";
    case 413:
      return "Content Too Large";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 426:
      return "Upgrade Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    default:
      return "Error";
  }
}

Response json_response(int status, std::string json) {
  Response response;
  response.status = status;
  response.content_type = "application/json";
  response.text = std::move(json);
  response.text += '\n';
  return response;
}

Response error_response(int status, std::string_view text) {
  return json_response(status, "{\"error\":\"" + json_escape(text) + "\"}");
}

bool prefers_image(std::optional<std::string_view> accept) {
  if (!accept) return false;
  const auto ranges = split(*accept, ',');
  return std::any_of(ranges.begin(), ranges.end(),
                     [](std::string_view range) { return starts_with_ignoring_case(trim(range), "image/"); });
}

bool is_safe_host(std::string_view host, const std::vector<std::string>& allowed) {
  std::string name = lower(trim(host));
  if (name.starts_with('[')) {
    const auto close = name.find(']');
    return close != std::string::npos && is_address(name.substr(1, close - 1));
  }
  name = name.substr(0, name.find(':'));
  if (name.ends_with('.')) name.pop_back();
  if (name == "localhost" || name.ends_with(".localhost") || is_address(name)) return true;
  return std::find(allowed.begin(), allowed.end(), name) != allowed.end();
}

bool may_come_from(const Request& request, const std::vector<std::string>& allowed) {
  const auto origin = request.header("Origin");
  if (!origin) return true;
  const auto host = request.header("Host").value_or("");
  const auto scheme_end = origin->find("://");
  if (scheme_end != std::string_view::npos && equal_ignoring_case(origin->substr(scheme_end + 3), host)) return true;
  return std::find(allowed.begin(), allowed.end(), *origin) != allowed.end();
}

std::vector<std::string> own_host_names() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name.front() == 0) return {};
  const std::string own = lower(name.data());
  return {own, own.substr(0, own.find('.')), own.substr(0, own.find('.')) + ".local"};
}

}  // namespace fp::http
