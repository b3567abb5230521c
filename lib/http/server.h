// Listens, accepts, and keeps the connections.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/report.h"
#include "base/result.h"
#include "http/connection.h"
#include "http/tls_context.h"

namespace fp::http {

/// All connections of a program's HTTP side, on one loop. Limits, time-outs and running out of descriptors are its own
/// business; what to answer is the handler's.
class Server {
 public:
  struct Options {
    std::size_t max_connections = 4096;
    std::size_t max_connections_per_address = 2048;
    ConnectionOptions connection;
    std::size_t body_budget_bytes = 128u << 20;  ///< of all bodies over 64 KiB that are in memory; over it: 503
  };
  struct Figures {
    std::uint64_t accepted = 0;
    std::uint64_t refused = 0;  ///< over a limit, or out of descriptors
    std::uint64_t stalled = 0;  ///< closed because the peer took nothing for the stall time
    std::uint64_t timed_out = 0;
    std::uint64_t no_tls = 0;  ///< on a TLS port: something else came, or TLS did not come about
  };

  Server(Loop& loop, const Clock& clock, Options options, Connection::Handler handler, Report report);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  /// Takes over a listening socket. `tls`: whose connections speak TLS by it; it must live on.
  void listen(Fd listener, const TlsContext* tls = nullptr);
  /// Stops listening, lets every connection finish what it has begun, and calls `done` when none is left or `limit` has
  /// passed.
  void shut_down(std::chrono::milliseconds limit, std::function<void()> done);

  [[nodiscard]] std::size_t connections() const { return connections_.size(); }
  [[nodiscard]] const Figures& figures() const { return figures_; }
  [[nodiscard]] const BodyBudget& bodies() const { return bodies_; }

 private:
  struct Listener {
    Fd socket;  // before the watch on it
    const TlsContext* tls = nullptr;
    std::unique_ptr<IoWatch> watch;
  };
  void accept(Listener& listener);
  void out_of_descriptors(int listener);
  void admit(Fd socket, const std::string& peer, const TlsContext* tls);
  void closed(Connection& connection, Connection::CloseReason reason);
  void sweep();

  Loop& loop_;
  const Clock& clock_;
  const Options options_;
  const Connection::Handler handler_;
  Report report_;
  BodyBudget bodies_;
  Fd spare_;  // given up for a moment when there are no more descriptors
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::unordered_map<Connection*, std::unique_ptr<Connection>> connections_;
  std::unordered_map<std::string, std::size_t> per_address_;
  Figures figures_;
  std::function<void()> done_;
  SteadyTime said_full_{};
  Timer sweep_timer_;
  Timer shutdown_timer_;
};

}  // namespace fp::http
