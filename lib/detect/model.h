// A network with what is to be known of it: what it takes, how its outputs are read, what its classes are called.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"
#include "detect/input.h"
#include "detect/labels.h"
#include "detect/layout.h"
#include "detect/ort.h"

namespace fp::detect {

struct ModelOptions {
  std::string path;
  std::string ort_library;            ///< OrtLibrary::load()'s
  int threads = 1;                    ///< of one run
  std::optional<Layout> layout;       ///< nothing: by its outputs
  std::string labels;                 ///< a file; "": the model's own names
  std::optional<int> keypoints;       ///< of each object, where the shapes leave it open
  std::optional<jpeg::Size> input;    ///< where the model leaves it free; nothing: as its metadata say, else 640x640
  std::optional<bool> bgr;            ///< nothing: as the layout's makers have it
  std::optional<double> input_range;  ///< what white is in the input: 1 or 255; nothing: as the layout's makers have it
};

/// Loaded, looked at, and warm: it has run once. One thread.
struct Model {
  std::string name;  ///< the file's, without directory and ending
  std::unique_ptr<OrtSession> session;
  Layout layout = Layout::YoloV8;
  InputFormat format;
  jpeg::Size input;   ///< of the picture that goes in; of Layout::Sequence that of one frame, or 0x0 for keypoints
  Shape input_shape;  ///< no free sides
  std::vector<Shape> output_shapes;  ///< those of the first run
  int classes = 1;
  int keypoints = 0;
  Labels labels;  ///< as many as classes, or none

  [[nodiscard]] std::size_t input_values() const;
  /// As OrtSession::run(). Malformed also when the outputs are not of the shapes that they were of at first: with them
  /// goes what has been found out about their layout.
  [[nodiscard]] Result<std::span<const Tensor>> run(std::span<const float> values) const;
  [[nodiscard]] std::string label(int class_index) const;  ///< "class 7" where there is no name
};

/// Errors, all with the mend in words: Unsupported (no library; more inputs than one, or one of a kind that no layout
/// has; outputs that fit no layout, with their shapes), Malformed (no model, one that cannot run, labels that are not
/// as many as its classes), Io.
[[nodiscard]] Result<Model> open_model(const ModelOptions& options);

}  // namespace fp::detect
