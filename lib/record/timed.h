// A frame and when it was.
#pragma once

#include "base/clock.h"
#include "frame/frame.h"

namespace fp::record {

/// `at` is the time by which files and events are cut: of a live source its arrival, of a recording its capture.
struct Timed {
  FramePtr frame;
  SteadyTime at;
};

}  // namespace fp::record
