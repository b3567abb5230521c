// A frame whose picture becomes another one: everything else stays with it.
#pragma once

#include "base/result.h"
#include "frame/frame.h"
#include "jpeg/converter.h"

namespace fp {

struct Converted {
  FramePtr frame;
  jpeg::Converter::How how = jpeg::Converter::How::Untouched;
  std::string why;                  ///< Converter::Outcome::why
  bool detections_dropped = false;  ///< X-Detections was there and could not be read, so it has gone
};

/// Converts the picture of `frame`; keeps its times, sequence and headers, and moves X-Detections along. Untouched, it
/// is the very frame. Errors: those of Converter::convert().
[[nodiscard]] Result<Converted> convert_frame(jpeg::Converter& converter, const FramePtr& frame,
                                              const jpeg::Wishes& wishes);

}  // namespace fp
