// The server's figures: for people as JSON, for Prometheus as text.
#pragma once

#include <string>
#include <vector>

#include "http/server.h"
#include "serve/camera.h"
#include "serve/viewer.h"

namespace fp {

class Figures {
 public:
  Figures(const std::vector<std::unique_ptr<Camera>>& cameras, const ViewerList& viewers, const http::Server*& server,
          const Clock& clock, std::string version)
      : cameras_(cameras),
        viewers_(viewers),
        server_(server),
        clock_(clock),
        version_(std::move(version)),
        began_(clock.steady()) {}

  /// {"server":{...},"cameras":[...]}: what /wall and /events send each second; `only` one camera when not null.
  [[nodiscard]] std::string brief_json(const Camera* only, const std::string& viewer_json) const;
  /// The same and every viewer, skips by reason and the server's own counters: /state.
  [[nodiscard]] std::string state_json() const;
  /// Prometheus' text format 0.0.4.
  [[nodiscard]] std::string metrics() const;

 private:
  [[nodiscard]] std::string server_json() const;
  [[nodiscard]] std::string camera_json(Camera& camera, bool full) const;

  const std::vector<std::unique_ptr<Camera>>& cameras_;
  const ViewerList& viewers_;
  const http::Server*& server_;
  const Clock& clock_;
  const std::string version_;
  const SteadyTime began_;
};

}  // namespace fp
