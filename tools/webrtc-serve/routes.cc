#include "webrtc-serve/routes.h"

#include <algorithm>

#include "base/text.h"
#include "http/metrics.h"
#include "serve/health.h"
#include "webrtc-serve/socket.h"

namespace fp::webrtc_serve {

using http::Connection;
using http::Request;
using http::Response;

namespace {

bool is_below(std::string_view path, std::string_view folder) {
  return path == folder || (path.starts_with(folder) && path[folder.size()] == '/');
}

}  // namespace

// To watch is to read: where any page may read, any page may watch, and only then.
std::vector<std::string> Routes::watching_origins(const Request& request) const {
  std::vector<std::string> origins = site_.origins();
  const auto origin = request.header("Origin");
  // A password that the browser adds by itself is not that page's: with it any page could watch what only its reader
  // may.
  if (request.rights != nullptr && request.rights->ambient) return origins;
  if (origin && std::find(origins.begin(), origins.end(), "*") != origins.end()) origins.emplace_back(*origin);
  return origins;
}

void Routes::handle(Connection& connection, const Request& request) {
  if (auto refusal = site_.refuse_host(request)) {
    return connection.respond(site_.finished(std::move(*refusal), request));
  }
  if (is_below(request.path, Whep::kPath)) return watch(connection, request);
  if (request.path == "/api/webrtc/ws" && request.method != "OPTIONS") return open_socket(connection, request);
  connection.respond(site_.finished(answer(connection, request), request));
}

// There is one camera here, and figures are of it.
std::optional<Response> Routes::refuse(const Connection& connection, const Request& request) {
  const std::string& name = parts_.cameras.first()->name();
  if (request.method == "OPTIONS" || http::may_see(request.rights, name)) return std::nullopt;
  return parts_.gate.forbid(connection, request, "camera '" + name + "'");
}

void Routes::watch(Connection& connection, const Request& request) {
  if (auto refusal = refuse(connection, request)) {
    return connection.respond(site_.finished(std::move(*refusal), request));
  }
  if (request.method != "OPTIONS" && !http::may_come_from(request, watching_origins(request))) {
    return connection.respond(site_.finished(
        http::error_response(403, "pages of " + printable(request.header("Origin").value_or(""), 80) +
                                      " may not watch here (--allow-origin with that very name allows it)"),
        request));
  }
  whep_.handle(connection, request);
}

void Routes::open_socket(Connection& connection, const Request& request) {
  if (auto refusal = refuse(connection, request)) {
    return connection.respond(site_.finished(std::move(*refusal), request));
  }
  const std::vector<std::string> origins = watching_origins(request);
  http::WebSocketOptions options;
  options.origins = &origins;
  if (auto refusal = http::WebSocket::refusal(request, options)) {
    return connection.respond(site_.finished(std::move(*refusal), request));
  }
  options.origins = nullptr;
  auto peer =
      std::make_unique<SocketPeer>(parts_.loop, parts_.clock, parts_.sessions, parts_.encoder, connection.peer());
  SocketPeer& kept = *peer;
  kept.set_socket(http::WebSocket::accept(parts_.loop, parts_.clock, connection, request, options, std::move(peer)));
}

Response Routes::settings(const Connection& connection, const Request& request) {
  if (request.method == "GET" || request.method == "HEAD") return http::json_response(200, parts_.settings.json());
  if (request.method != "POST") return site_.options(request, "GET, HEAD, POST");
  if (auto refusal = site_.refuse_page(request)) return std::move(*refusal);
  if (!http::may_change(request.rights)) return parts_.gate.forbid(connection, request, "changing settings");
  return parts_.settings.change(request);
}

Response Routes::answer(const Connection& connection, const Request& request) {
  const std::string& path = request.path;
  if (path == "/api/webrtc/settings") return settings(connection, request);
  const bool known = path == "/state" || path == "/metrics" || path == "/healthz" || path == "/api/webrtc/ws";
  if (!known) {
    auto file = site_.asset(request);
    return file ? std::move(*file) : http::error_response(404, "nothing here: see / for the page");
  }
  if (request.method != "GET" && request.method != "HEAD") return site_.options(request, "GET, HEAD");
  if (path == "/healthz") return health_response(parts_.cameras, http::may_see_all(request.rights));
  if (auto refusal = refuse(connection, request)) return std::move(*refusal);
  if (path == "/state") return http::json_response(200, parts_.figures.state_json(request.rights));
  std::string text = parts_.figures.metrics(request.rights);
  parts_.gate.add_metrics(text);
  return http::metrics_response(std::move(text));
}

}  // namespace fp::webrtc_serve
