// The card that viewers see in place of a camera's pictures.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "frame/frame.h"
#include "jpeg/encoder.h"

namespace fp {

/// As large as `like`, up to 1920x1080, or 640x480 for nullptr, with its sequence number; captured `now`. nullptr when
/// it cannot be made.
[[nodiscard]] FramePtr card_frame(jpeg::Encoder& encoder, const Frame* like, const std::string& title,
                                  const std::vector<std::string>& lines, WallTime now);

}  // namespace fp
