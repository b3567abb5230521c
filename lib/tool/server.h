// What mjpeg-serve and mjpeg-relay share: an HTTP server around cameras, from its options to its end.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/cli.h"
#include "serve/routes.h"
#include "tool/web_program.h"

namespace fp::tool {

struct ServerOptions {
  std::string tool;  ///< its name, for X-Trace
  WebOptions web;
  std::vector<std::string> allow_source;
  std::vector<std::string> filters;  ///< NAME=COMMAND
  std::chrono::milliseconds filter_timeout{5000};
  WebrtcLinks webrtc;
  bool read_only = false;
  bool on_demand = false;  ///< of cameras that are added
  ServeOptions serve;
};

/// The options about listening, viewers and what pages may do. `with_sources`: also those for adding cameras.
void add_server_options(CLI::App& app, ServerOptions& options, bool with_sources);

/// A server with its loop. One thread.
class Server {
 public:
  /// Listens and opens the cameras' sources. Throws Failure.
  Server(const ServerOptions& options, const cli::Common& common, const std::vector<CameraOptions>& cameras);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Until SIGTERM or SIGINT, or until every source has ended and none can be added.
  [[nodiscard]] Exit run();

 private:
  void source_ended();
  [[nodiscard]] cli::Heartbeat::Figures figures() const;
  [[nodiscard]] std::string status() const;

  WebProgram program_;
  ServeOptions serve_options_;
  const bool can_add_;
  const std::string advance_boundary_;
  FilterList filters_;  // what cameras and viewers ask
  CameraList cameras_;
  std::optional<Routes> routes_;
  bool all_ended_ = false;
};

}  // namespace fp::tool
