#include "loadgen/figures.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace fp::bench {

std::int64_t percentile(std::vector<std::int64_t>& values, double percent) {
  if (values.empty()) return 0;
  const double rank = std::ceil(percent / 100.0 * static_cast<double>(values.size()));
  const auto index = static_cast<std::ptrdiff_t>(std::max(rank, 1.0)) - 1;
  std::nth_element(values.begin(), values.begin() + index, values.end());
  return values[static_cast<std::size_t>(index)];
}

}  // namespace fp::bench
