// Pictures that pages post to be worked on: /api/fit/stream and /api/fit/stop-streaming.
#pragma once

#include "serve/fit_clients.h"
#include "serve/fit_question.h"

namespace fp {

/// Each client has a gate: closed, its pictures come back as they came and the filter is not asked. Clients take turns,
/// each with at most one question that waits. One thread; outlives the connections.
class Fit {
 public:
  using Respond = FitQuestion::Respond;
  explicit Fit(const Clock& clock) : clock_(clock) {}
  Fit(const Fit&) = delete;
  Fit& operator=(const Fit&) = delete;

  /// `respond` adds what all answers have.
  void stream(http::Connection& connection, const http::Request& request, Filter& filter, const Respond& respond);
  void stop(http::Connection& connection, const http::Request& request, const Respond& respond);

 private:
  const Clock& clock_;
  FitClients clients_;
};

}  // namespace fp
