// Whether the cameras of a server have something to show.
#pragma once

#include "http/message.h"
#include "serve/camera_list.h"

namespace fp {

/// What /healthz answers: 200, or 503 with the names of the cameras that should have a fresh frame and have none, and
/// why; without `details` it does not say which.
[[nodiscard]] http::Response health_response(const CameraList& cameras, bool details);

}  // namespace fp
