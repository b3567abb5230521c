// What mjpeg-serve and mjpeg-relay share: an HTTP server around cameras, from its options to its end.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/cli.h"
#include "cli/notify.h"
#include "http/server.h"
#include "serve/routes.h"
#include "tool/listen.h"

namespace fp::tool {

struct ServerOptions {
  std::string tool;  ///< its name, for X-Trace
  std::vector<std::string> listen;
  std::vector<std::string> allow_host;
  std::vector<std::string> allow_origin;
  std::vector<std::string> allow_source;
  std::vector<std::string> filters;  ///< NAME=COMMAND
  std::chrono::milliseconds filter_timeout{5000};
  bool read_only = false;
  bool on_demand = false;       ///< of cameras that are added
  http::TlsContext::Files tls;  ///< "" and "": in the clear
  std::uint64_t max_connections = 4096;
  std::uint64_t max_connections_per_address = 2048;
  std::chrono::milliseconds stall_timeout{15'000};
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
  void stop();
  void source_ended();
  void beat();
  void reload();

  struct SocketFiles {
    SocketFiles() = default;
    SocketFiles(const SocketFiles&) = delete;
    SocketFiles& operator=(const SocketFiles&) = delete;
    ~SocketFiles();  // unlinks them, also when the server could not be made
    std::vector<std::string> paths;
  };

  const cli::StopSignal signal_;
  std::optional<http::TlsContext> tls_;  // outlives the server that uses it
  std::optional<cli::HangupSignal> hangup_;
  const SystemClock clock_;
  Loop loop_;
  ServeOptions serve_options_;
  const bool can_add_;
  SocketFiles socket_files_;
  const std::string advance_boundary_;
  FilterList filters_;  // what cameras and viewers ask
  CameraList cameras_;
  std::optional<Routes> routes_;
  std::optional<http::Server> server_;
  IoWatch signal_watch_;
  IoWatch hangup_watch_;
  Timer beat_timer_;
  cli::Heartbeat heartbeat_;
  bool stopping_ = false;
  bool all_ended_ = false;
};

}  // namespace fp::tool
