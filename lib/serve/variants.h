// The variants of one camera that somebody watches.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "serve/variant.h"

namespace fp {

/// Finds those that are there and makes those that are not; their viewers alone keep them. One thread.
class CameraVariants {
 public:
  /// At once, for one camera: each costs a conversion of every frame, and anybody may ask for them.
  static constexpr std::size_t kMost = 8;

  CameraVariants(const Clock& clock, std::string camera, Report report)
      : clock_(clock), ledger_(std::make_shared<VariantLedger>(clock, std::move(camera), std::move(report))) {}

  /// The variant of `source`, which is the camera's hub, for this key, which asks for something. Errors: Unsupported
  /// (there are kMost others, or no thread is to be had).
  [[nodiscard]] Result<std::shared_ptr<Variant>> get(VariantPool& pool, const std::shared_ptr<Hub>& source,
                                                     const VariantKey& key);
  [[nodiscard]] std::vector<std::shared_ptr<Variant>> all() const;
  [[nodiscard]] const VariantFigures& totals() const { return ledger_->totals; }

 private:
  const Clock& clock_;
  const std::shared_ptr<VariantLedger> ledger_;
  std::map<VariantKey, std::weak_ptr<Variant>> variants_;
};

}  // namespace fp
