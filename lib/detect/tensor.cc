#include "detect/tensor.h"

namespace fp::detect {

std::string to_text(const Shape& shape) {
  if (shape.empty()) return "a single number";
  std::string text;
  for (const std::int64_t side : shape) {
    text += (text.empty() ? "" : "x") + (side < 0 ? "?" : std::to_string(side));
  }
  return text;
}

std::string to_text(const std::vector<TensorInfo>& tensors) {
  std::string text;
  for (const TensorInfo& tensor : tensors) {
    text += (text.empty() ? "" : ", ") + tensor.name + " " + to_text(tensor.shape);
    if (!tensor.is_float) text += " (not of float)";
  }
  return text;
}

}  // namespace fp::detect
