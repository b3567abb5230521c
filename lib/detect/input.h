// From a decoded picture to the numbers that a network takes.
#pragma once

#include <array>
#include <memory>
#include <span>

#include "detect/detection.h"
#include "jpeg/planes.h"

namespace fp::detect {

/// What a network was trained on. A sample from 0 to 255 goes in as sample * scale + offset.
struct InputFormat {
  enum class Colours { Rgb, Bgr, Gray };
  Colours colours = Colours::Rgb;
  bool channels_last = false;  ///< NHWC instead of NCHW
  bool stretch = false;        ///< over all of the input, instead of keeping the aspect
  std::array<float, 3> scale = {1 / 255.0F, 1 / 255.0F, 1 / 255.0F};
  std::array<float, 3> offset = {0, 0, 0};

  [[nodiscard]] int channels() const { return colours == Colours::Gray ? 1 : 3; }
};

/// Where a part of the frame lies in the network's input.
struct Placement {
  jpeg::Size network;
  double scale_x = 1;  ///< from pixels of the frame to those of the input
  double scale_y = 1;
  double left = 0;  ///< where in the input the frame's (0, 0) is
  double top = 0;

  [[nodiscard]] Box to_frame(const Box& box) const;
  [[nodiscard]] Keypoint to_frame(const Keypoint& keypoint) const;
};

/// Fills inputs, keeping what it needs for that warm. One thread.
class InputMaker {
 public:
  InputMaker();
  InputMaker(const InputMaker&) = delete;
  InputMaker& operator=(const InputMaker&) = delete;
  ~InputMaker();

  /// Puts the part `region` of a frame of the size `frame`, which `picture` shows in this size or a smaller one, into
  /// the middle of the input with its aspect kept; gray (114) surrounds it, as it did when the YOLO family was trained.
  /// `region` is cut to the frame; what is left of it must not be empty. `values` has room for all of the input.
  Placement fill(const jpeg::Planes& picture, jpeg::Size frame, const Box& region, jpeg::Size network,
                 const InputFormat& format, std::span<float> values);

 private:
  struct Scratch;
  std::unique_ptr<Scratch> scratch_;
};

/// The size in which `region` of a frame must at least be decoded to fill the input: of the whole frame.
[[nodiscard]] jpeg::Size size_needed(jpeg::Size frame, const Box& region, jpeg::Size network);

}  // namespace fp::detect
