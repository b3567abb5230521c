// All sessions, and the way in for pages.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "http/websocket.h"
#include "webrtc-ingest/session.h"

namespace fp::ingest {

/// One thread. Sessions belong to their WebSockets, whose connections must have gone before this goes.
class Sessions {
 public:
  struct Limits {
    std::size_t most = 16;
    std::size_t most_per_address = 16;
  };
  struct Figures {
    std::uint64_t begun = 0;
    std::uint64_t refused = 0;  ///< over a limit
  };

  Sessions(Site& site, Limits limits) : site_(site), limits_(limits) {}
  Sessions(const Sessions&) = delete;
  Sessions& operator=(const Sessions&) = delete;

  /// Answers a request for /ws that WebSocket::refusal() has nothing against. One over the limit is told so, and its
  /// WebSocket closed with 1013: a page cannot read the body of a 503.
  void accept(http::Connection& connection, const http::Request& request, const http::WebSocketOptions& options);

  [[nodiscard]] const std::vector<const Session*>& all() const { return all_; }  ///< in the order they came
  [[nodiscard]] Counts counts() const;                                           ///< of all, those that have gone too
  [[nodiscard]] const Figures& figures() const { return figures_; }

 private:
  class Page;
  [[nodiscard]] std::string refusal(const std::string& address) const;
  [[nodiscard]] std::string new_id() const;
  void remove(const Session& session);

  Site& site_;
  const Limits limits_;
  std::vector<const Session*> all_;
  Counts gone_;
  Figures figures_;
};

}  // namespace fp::ingest
