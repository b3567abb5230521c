#include "serve/auto_quality.h"

#include <utility>

namespace fp {

void AutoQuality::begin() {
  if (!began_) began_ = clock_.steady();
}

void AutoQuality::taken() {
  if (const auto began = std::exchange(began_, std::nullopt)) adaptive_.taken(clock_.steady() - *began);
}

std::optional<std::string> AutoQuality::judge(std::uint64_t frames) {
  adaptive_.arrived(frames);
  adaptive_.waiting(began_ ? clock_.steady() - *began_ : Adaptive::Duration{0});
  return adaptive_.decide();
}

VariantKey AutoQuality::key() const {
  VariantKey key = asked_;
  key.quality_percent = adaptive_.level().quality_percent;
  key.half = adaptive_.level().half;
  return key;
}

}  // namespace fp
