// How the outputs of a network are to be read.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "detect/detection.h"
#include "detect/tensor.h"
#include "jpeg/picture.h"

namespace fp::detect {

/// What people export. N is the number of places that a network looks at: those of three grids of 8, 16 and 32 pixels
/// (and 64, in the large ones).
enum class Layout {
  YoloV5,      ///< 1 x N x (5+C), three anchors a place: cx, cy, w, h in input pixels, objectness, classes
  YoloV8,      ///< 1 x (4+C) x N, also YOLO11: cx, cy, w, h, classes
  YoloV8Pose,  ///< 1 x (5+3K) x N: box, score, K keypoints of x, y, visibility
  YoloX,       ///< 1 x N x (5+C): xy = (p + grid) x stride, wh = exp(p) x stride, objectness, classes
  BlazeFace,   ///< of MediaPipe: 512 and 384 anchors, logits and 16 numbers each
  RtmPose,     ///< simcc_x 1 x K x 2W, simcc_y 1 x K x 2H: one person that fills the picture
  Sequence,    ///< 1 x C: a window of frames, and what it shows
};
[[nodiscard]] const char* name_of(Layout layout);
[[nodiscard]] std::optional<Layout> parse_layout(std::string_view name);  ///< "yolov8"; nothing for "auto" too

/// What a network says about itself, and what its user does.
struct ModelFacts {
  std::vector<TensorInfo> inputs;
  std::vector<Tensor> outputs;   ///< of a run: no free sides
  jpeg::Size input;              ///< of the picture that went in
  bool window = false;           ///< what goes in is a window of frames or keypoints, and no picture
  bool pose = false;             ///< its metadata says so
  std::optional<int> keypoints;  ///< --keypoints, or its metadata
};

/// The layout that fits the shapes: Layout::Sequence for a window, one of the others for a picture. Error: Unsupported,
/// with the shapes and the layouts that there are.
[[nodiscard]] Result<Layout> recognise(const ModelFacts& facts);
/// Whether `layout`, asked for by name, fits; the Error says what it should be like.
[[nodiscard]] Result<Done> check_layout(Layout layout, const ModelFacts& facts);
/// How many classes and keypoints the outputs have room for.
[[nodiscard]] int classes_of(Layout layout, const ModelFacts& facts);
[[nodiscard]] int keypoints_of(Layout layout, const ModelFacts& facts);

/// One place that a network is sure enough of, in pixels of its input.
struct Candidate {
  int class_index = 0;
  double confidence = 0;
  Box box;
  std::vector<Keypoint> keypoints;
};

/// All candidates of at least this confidence, in no order, at most `kMostCandidates` of the best. `outputs` have been
/// checked; `classes` of what classes_of() says are looked at: behind them a network may have numbers of other kinds.
/// Numbers that are not finite make no candidate.
inline constexpr std::size_t kMostCandidates = 3000;
[[nodiscard]] std::vector<Candidate> decode(Layout layout, std::span<const Tensor> outputs, jpeg::Size input,
                                            double least_confidence, int classes);

/// Non-maximum suppression within each class: of those whose intersection over union is above `iou` the surest stays.
/// The surest come first, at most `most`.
[[nodiscard]] std::vector<Candidate> suppress(std::vector<Candidate> candidates, double iou, std::size_t most = 300);

/// Intersection over union; 0 when both are empty.
[[nodiscard]] double overlap(const Box& a, const Box& b);

}  // namespace fp::detect
