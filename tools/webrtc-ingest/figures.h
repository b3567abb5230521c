// What webrtc-ingest says of itself: /state, /metrics, and its line for the terminal.
#pragma once

#include <string>

#include "base/clock.h"
#include "http/server.h"
#include "webrtc-ingest/sessions.h"

namespace fp::ingest {

/// What is told of; all of it lives on.
struct Told {
  const Clock& clock;
  const Sessions& sessions;
  const Latencies& latencies;
  const Pool* pool = nullptr;            ///< nullptr: no --exec
  const http::Server* server = nullptr;  ///< set when it is there
  std::string version;
  SteadyTime began;
};

[[nodiscard]] std::string state_json(const Told& told);
[[nodiscard]] std::string metrics_text(const Told& told);
[[nodiscard]] std::string status_line(const Told& told);
/// Why nobody can be served as asked, or "": no child runs.
[[nodiscard]] std::string trouble_of(const Told& told);

}  // namespace fp::ingest
