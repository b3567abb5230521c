#include "http/site.h"

#include <algorithm>

#include "base/text.h"

namespace fp::http {

std::optional<Response> Site::refuse_host(const Request& request) const {
  const auto host = request.header("Host");
  if (!host || is_safe_host(*host, options_.allowed_hosts)) return std::nullopt;
  return error_response(421, "this server does not answer to the name '" + printable(*host, 80) +
                                 "' (start it with --allow-host NAME to allow it)");
}

// A browser names the page's origin in whatever can change something; programs name none. `*` allows reading only: it
// says that pictures are no secret, not that any page in the world may stop a camera.
std::optional<Response> Site::refuse_page(const Request& request) const {
  if (may_come_from(request, options_.allowed_origins)) return std::nullopt;
  return error_response(403, "pages of " + printable(request.header("Origin").value_or(""), 80) +
                                 " may change nothing here (--allow-origin with that very name allows it)");
}

Response Site::options(const Request& request, const std::string& methods) const {
  const std::string names = methods + ", OPTIONS";
  Response response;
  response.status = 204;
  if (request.method != "OPTIONS") {
    response = error_response(405, printable(request.method, 20) + " is not possible here: use " + names);
  } else if (!options_.allowed_origins.empty()) {
    response.headers.emplace_back("Access-Control-Allow-Methods", names);
    response.headers.emplace_back("Access-Control-Allow-Headers", options_.request_headers);
    response.headers.emplace_back("Access-Control-Max-Age", "600");
  }
  response.headers.emplace_back("Allow", names);
  return response;
}

std::optional<Response> Site::asset(const Request& request) const {
  const auto found = options_.assets.find(request.path);
  if (found == options_.assets.end()) return std::nullopt;
  if (request.method != "GET" && request.method != "HEAD") return options(request, "GET, HEAD");
  Response response;
  response.content_type = found->second.content_type;
  response.text = std::string(found->second.bytes);
  if (found->second.content_type.starts_with("text/html")) {
    response.headers.emplace_back("Content-Security-Policy", options_.page_policy);
  }
  return response;
}

std::string Site::cors_origin(const Request& request) const {
  const auto& allowed = options_.allowed_origins;
  if (allowed.empty()) return "";
  if (std::find(allowed.begin(), allowed.end(), "*") != allowed.end()) return "*";
  const auto origin = request.header("Origin");
  const bool known = origin && std::find(allowed.begin(), allowed.end(), *origin) != allowed.end();
  return known ? std::string(*origin) : allowed.front();
}

Response Site::finished(Response response, const std::string& cors_origin) const {
  response.headers.emplace_back("Cache-Control", "no-store");
  response.headers.emplace_back("X-Accel-Buffering", "no");
  if (!cors_origin.empty()) {
    response.headers.emplace_back("Access-Control-Allow-Origin", cors_origin);
    if (cors_origin != "*") response.headers.emplace_back("Vary", "Origin");
    if (!options_.exposed_headers.empty()) {
      response.headers.emplace_back("Access-Control-Expose-Headers", options_.exposed_headers);
    }
  }
  return response;
}

}  // namespace fp::http
