// The webrtc-serve programs that send the same cameras, for the viewer page.
#pragma once

#include <string>
#include <vector>

#include "serve/camera.h"
#include "serve/webrtc_links.h"

namespace fp {

/// `texts`: "CAMERA=URL", or "URL" for the first camera; URLs of http:// or https:// without user, password and query.
/// `may_come`: cameras can be added, so one of a name that is not among `cameras` may come. Throws Failure.
[[nodiscard]] WebrtcLinks parse_webrtc_links(const std::vector<std::string>& texts,
                                             const std::vector<CameraOptions>& cameras, bool may_come);

}  // namespace fp
