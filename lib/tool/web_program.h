// What the programs that serve pages share: an HTTP server with its loop, from its options to its end.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/notify.h"
#include "http/server.h"
#include "http/site.h"
#include "loop/loop.h"
#include "tool/access_options.h"
#include "tool/gate.h"
#include "tool/listen.h"

namespace fp::tool {

struct WebOptions {
  std::vector<std::string> listen;
  std::string default_listen = "127.0.0.1:8000";  ///< when there is none of these, nor a socket of systemd's
  http::TlsContext::Files tls;                    ///< "" and "": in the clear
  AccessOptions access;
  std::vector<std::string> allow_host;
  std::vector<std::string> allow_origin;
  std::uint64_t max_connections = 4096;
  std::uint64_t max_connections_per_address = 2048;
  std::chrono::milliseconds stall_timeout{15'000};
};

/// All of them, in this order: --listen (with its default), --tls-* and who is let in, --stall-timeout, --allow-* and
/// --max-*.
void add_web_options(CLI::App& app, WebOptions& options);
/// Or in groups, where a tool has options of its own in between.
void add_listen_options(CLI::App& app, WebOptions& options, bool show_default);
void add_stall_option(CLI::App& app, WebOptions& options);
void add_page_options(CLI::App& app, WebOptions& options);
/// An option that may be given any number of times, a value each.
CLI::Option* add_list(CLI::App& app, const std::string& name, std::vector<std::string>& values, const char* type,
                      const std::string& help);

/// A server with its loop: signals, TLS, listening sockets, connections, the words to systemd. One thread. Made first,
/// so that what uses the loop and the clock goes before it; its server goes at the end of run().
class WebProgram {
 public:
  /// What the tool makes of it.
  struct Service {
    http::Connection::Handler handle;  ///< of requests that were let in, with their rights
    http::BodyLimit body_limit;        ///< see ConnectionOptions
    std::string exposed;  ///< said of a port that other machines reach, and nobody is asked: "anybody can watch"
    /// Asked each 250 ms, and the line for systemd and the terminal when one is due.
    std::function<cli::Heartbeat::Figures()> figures;
    std::function<std::string()> status;
    std::string waiting_for = "the first frame";
    std::function<void()> stopping = {};  ///< the end has begun: connections finish what they have begun
  };

  /// Reads the certificate, passwords and tokens, and opens the listening sockets: before anything else is begun, since
  /// a port that is taken should not start a camera. Throws Failure.
  WebProgram(const WebOptions& options, const cli::Common& common);
  WebProgram(const WebProgram&) = delete;
  WebProgram& operator=(const WebProgram&) = delete;

  [[nodiscard]] Loop& loop() { return loop_; }
  [[nodiscard]] const Clock& clock() const { return clock_; }
  /// Where it listens; their sockets are the server's after serve().
  [[nodiscard]] const std::vector<Listener>& listeners() const { return listeners_; }
  /// With what the options say of hosts and origins; without assets.
  [[nodiscard]] http::SiteOptions site_options() const;

  /// Who is let in. It lives as long as this.
  [[nodiscard]] Gate& gate() { return gate_; }

  /// Connections are taken as soon as run() is called. Once.
  void serve(Service service);
  /// After serve(), until run() returns.
  [[nodiscard]] const http::Server& server() const { return *server_; }

  /// Until SIGTERM, SIGINT or stop(). No connection is left when it returns.
  void run();
  void stop();
  [[nodiscard]] bool stopping() const { return stopping_; }

 private:
  void beat();
  void reload();

  struct SocketFiles {
    SocketFiles() = default;
    SocketFiles(const SocketFiles&) = delete;
    SocketFiles& operator=(const SocketFiles&) = delete;
    ~SocketFiles();  // unlinks them, also when the server could not be made
    std::vector<std::string> paths;
  };

  const WebOptions options_;
  const cli::StopSignal signal_;
  std::optional<http::TlsContext> tls_;  // outlives the server that uses it
  std::optional<cli::HangupSignal> hangup_;
  const SystemClock clock_;
  Loop loop_;
  Gate gate_;
  SocketFiles socket_files_;
  std::vector<Listener> listeners_;
  Service service_;
  std::optional<http::Server> server_;
  IoWatch signal_watch_;
  IoWatch hangup_watch_;
  Timer beat_timer_;
  cli::Heartbeat heartbeat_;
  bool stopping_ = false;
};

}  // namespace fp::tool
