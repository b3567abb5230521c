// What webrtc-ingest answers over HTTP.
#pragma once

#include <string>
#include <vector>

#include "http/connection.h"
#include "http/site.h"
#include "tool/gate.h"
#include "webrtc-ingest/figures.h"

namespace fp::ingest {

struct RouteOptions {
  http::SiteOptions site;  ///< with the page
  std::string mode;        ///< of our own page: "data" or "track"
  std::size_t max_frame_bytes = 0;
  std::vector<std::string> ice_urls;  ///< for the page: "stun:HOST:PORT"
};

/// The page, /api/config, /ws, /state, /metrics and /healthz. One thread.
class Routes {
 public:
  Routes(Sessions& sessions, const Told& told, tool::Gate& gate, RouteOptions options);
  void handle(http::Connection& connection, const http::Request& request);

 private:
  [[nodiscard]] http::Response answer(const http::Connection& connection, const http::Request& request) const;
  [[nodiscard]] std::optional<http::Response> refuse(const http::Connection& connection,
                                                     const http::Request& request) const;
  [[nodiscard]] std::string config_json() const;

  Sessions& sessions_;
  const Told& told_;
  tool::Gate& gate_;
  const RouteOptions options_;
  const http::Site site_;
  http::WebSocketOptions socket_options_;
};

}  // namespace fp::ingest
