#include "webrtc-ingest/routes.h"

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "http/metrics.h"

namespace fp::ingest {
namespace {

using http::Request;
using http::Response;

// The page shows its own camera, and talks to nobody but us. 'self' means wss:// of the same host in browsers since
// 2021 (CSP Level 3).
http::SiteOptions with_policy(http::SiteOptions site) {
  site.page_policy =
      "default-src 'self'; img-src 'self' blob: data:; media-src 'self' blob: mediastream:; "
      "frame-ancestors 'self'";
  return site;
}

}  // namespace

Routes::Routes(Sessions& sessions, const Told& told, tool::Gate& gate, RouteOptions options)
    : sessions_(sessions), told_(told), gate_(gate), options_(std::move(options)), site_(with_policy(options_.site)) {
  socket_options_.origins = &site_.origins();
}

void Routes::handle(http::Connection& connection, const Request& request) {
  if (auto refused = site_.refuse_host(request))
    return connection.respond(site_.finished(std::move(*refused), request));
  if (request.path == "/ws" && request.method != "OPTIONS") {
    if (auto refused = refuse(connection, request)) {
      return connection.respond(site_.finished(std::move(*refused), request));
    }
    if (auto refused = http::WebSocket::refusal(request, socket_options_)) {
      return connection.respond(site_.finished(std::move(*refused), request));
    }
    return sessions_.accept(connection, request, socket_options_);
  }
  connection.respond(site_.finished(answer(connection, request), request));
}

// Cameras have the names that their pages give them, so a grant of one means nothing here: who may send is who may
// change things, and figures are of all who do.
std::optional<Response> Routes::refuse(const http::Connection& connection, const Request& request) const {
  if (http::may_change(request.rights)) return std::nullopt;
  return gate_.forbid(connection, request, request.path == "/ws" ? "sending pictures" : "figures");
}

Response Routes::answer(const http::Connection& connection, const Request& request) const {
  if (auto page = site_.asset(request)) return std::move(*page);
  const std::string& path = request.path;
  const bool known =
      path == "/api/config" || path == "/state" || path == "/metrics" || path == "/healthz" || path == "/ws";
  if (!known) return http::error_response(404, "there is nothing at " + printable(path, 80));
  if (request.method != "GET" && request.method != "HEAD") return site_.options(request, "GET, HEAD");
  if (path == "/api/config") return http::json_response(200, config_json());
  if (path == "/state" || path == "/metrics") {
    if (auto refused = refuse(connection, request)) return std::move(*refused);
    if (path == "/state") return http::json_response(200, state_json(told_));
    std::string text = metrics_text(told_);
    gate_.add_metrics(text);
    return http::metrics_response(std::move(text));
  }
  const std::string trouble = trouble_of(told_);
  if (trouble.empty()) return http::json_response(200, R"({"status":"ok"})");
  if (!http::may_see_all(request.rights)) return http::json_response(503, R"({"status":"failing"})");
  return http::json_response(503, R"({"status":"failing","reason":")" + json_escape(trouble) + "\"}");
}

std::string Routes::config_json() const {
  nlohmann::ordered_json json;
  json["mode"] = options_.mode;
  json["exec"] = told_.pool != nullptr;
  json["max_frame_bytes"] = options_.max_frame_bytes;
  json["ice_servers"] = nlohmann::ordered_json::array();
  for (const std::string& url : options_.ice_urls) json["ice_servers"].push_back({{"urls", url}});
  json["version"] = told_.version;
  return json.dump();
}

}  // namespace fp::ingest
