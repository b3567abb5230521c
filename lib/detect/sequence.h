// What a window of frames shows: a sign, a gesture.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/report.h"
#include "detect/engine.h"
#include "detect/model.h"

namespace fp::detect {

struct SequenceOptions {
  enum class Features {
    Pixels,     ///< 1 x T x H x W: brightness, 0 to 1, the whole frame stretched to H x W, the oldest first
    Keypoints,  ///< 1 x T x 3K: x, y and confidence of each keypoint, places as shares of the person's box
  };
  Features features = Features::Pixels;
  std::chrono::milliseconds window{9000};
  std::chrono::milliseconds stride{1000};  ///< from one look to the next
  double confidence = 0.5;
  /// Classes with these names are no events.
  std::vector<std::string> nothing = {"none", "background", "nothing"};
  /// Takes frames to be so many a second, whatever their times say: for files without times. 0: as they say.
  double clock_fps = 0;
  Report report = {};  ///< is told, once, when no frame of a window has keypoints
};

/// Keeps a window for each X-Camera, at most 16 of them (the one that was not seen for the longest time is forgotten),
/// of at most twice as many frames as the model takes; frames between those are passed over. One-off frames are no part
/// of any window, and pass.
///
/// Work is due with the frame that completes a window, and with each that comes a stride later. The class is that with
/// the highest score, which counts as it is where all scores are 0 to 1 and add up to one, and through softmax
/// otherwise. One event is told once: a class that stays recognised from one look to the next is the same event,
/// unless frames were missing for longer than a window.
///
/// The frame of an event gets an X-Detections with label, confidence and the window's span; other frames pass as they
/// are. Keypoints are those of the surest object that has as many as the model takes, out of all X-Detections of a
/// frame; without one, or where a box is missing or empty, they are zeros. A window of nothing else is not looked at.
///
/// Error: Unsupported (the model's input does not go with the features).
[[nodiscard]] Result<std::unique_ptr<Engine>> make_sequence_engine(Model model, SequenceOptions options);

}  // namespace fp::detect
