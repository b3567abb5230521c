#include "serve/health.h"

namespace fp {

http::Response health_response(const CameraList& cameras, bool details) {
  std::string failing;
  for (const auto& camera : cameras.all()) {
    // Nobody watches it, or somebody stopped it: that it has nothing to show is how it should be.
    const CameraStatus status = camera->status();
    if (camera->fresh() || status == CameraStatus::Idle || status == CameraStatus::Stopped) continue;
    const std::string reason = camera->reason();
    failing += (failing.empty() ? "" : "; ") + camera->name() + ": " + (reason.empty() ? "no fresh frame" : reason);
  }
  if (failing.empty()) return http::json_response(200, "{\"status\":\"ok\"}");
  return http::error_response(503, details ? failing : "no fresh frame");
}

}  // namespace fp
