// A frame whose JPEG was made here.
#pragma once

#include <memory>
#include <utility>

#include "frame/frame.h"
#include "jpeg/walker.h"

namespace fp {

/// `frame` with this JPEG, and what its segments say, which an encoder of ours has just written.
[[nodiscard]] inline FramePtr with_jpeg(Frame frame, Blob jpeg) {
  jpeg::Walker walker;
  walker.walk(jpeg.view());
  frame.picture = walker.info();
  frame.jpeg = std::move(jpeg);
  return std::make_shared<const Frame>(std::move(frame));
}

}  // namespace fp
