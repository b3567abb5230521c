// The way to a broker, or to a cluster of them.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "mqtt/client.h"

namespace fp::mqtt {

/// One client; where the URL names several brokers, two of them at different ones: one works, and the other one stands
/// by, connected and announced, until the first has lost its connection. nats-server lets nobody in while its nodes
/// choose a leader, which took them 3.5 to 7 s when one was killed: whoever is in by then goes on at once.
///
/// Calls from any thread. What Client says holds for both together.
class Link {
 public:
  /// Not connected yet. `options` for the one that works at first. Errors: those of Client::make().
  [[nodiscard]] static Result<std::unique_ptr<Link>> make(const Client::Options& options, const Report& report);
  ~Link();  ///< as finish() with nothing to say and little time
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  void start();
  void put(Bundle bundle);
  void announce(const Message& message);  ///< at each broker
  [[nodiscard]] std::uint64_t in_hand() const;
  [[nodiscard]] bool connected() const;
  [[nodiscard]] std::string trouble() const;  ///< "" while one of them is connected
  [[nodiscard]] Client::Figures figures() const;
  void finish(const Bundle& last, std::chrono::milliseconds grace);

 private:
  Link() = default;
  void choose();

  mutable std::mutex mutex_;  // never waited for with one of a client's in hand
  std::size_t working_ = 0;
  bool both_ = false;                             // have been started
  std::vector<std::unique_ptr<Client>> clients_;  // last: their threads use the rest
};

}  // namespace fp::mqtt
