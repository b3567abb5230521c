// What goes into a network and comes out of it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace fp::detect {

/// Its sides, the outermost first; -1 where the model leaves one free.
using Shape = std::vector<std::int64_t>;

/// "1x84x8400"; free sides are "?".
[[nodiscard]] std::string to_text(const Shape& shape);

struct TensorInfo {
  std::string name;
  Shape shape;
  bool is_float = true;  ///< of 32 bits
};
/// "output0 1x84x8400, output1 1x32x160x160".
[[nodiscard]] std::string to_text(const std::vector<TensorInfo>& tensors);

/// Borrows its values, in row-major order.
struct Tensor {
  std::string name;
  Shape shape;
  std::span<const float> values;

  [[nodiscard]] std::int64_t side(std::size_t index) const { return index < shape.size() ? shape[index] : 1; }
};

}  // namespace fp::detect
