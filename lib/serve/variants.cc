#include "serve/variants.h"

namespace fp {

Result<std::shared_ptr<Variant>> CameraVariants::get(VariantPool& pool, const std::shared_ptr<Hub>& source,
                                                     const VariantKey& key) {
  std::erase_if(variants_, [](const auto& entry) { return entry.second.expired(); });
  if (const auto found = variants_.find(key); found != variants_.end()) {
    if (auto variant = found->second.lock()) return variant;
  }
  if (variants_.size() >= kMost) {
    std::string names;
    for (const auto& [other, variant] : variants_) names += (names.empty() ? "" : ", ") + other.name();
    return fail({Error::Kind::Unsupported, 0,
                 "camera " + source->camera() + " is watched in " + std::to_string(kMost) +
                     " qualities and sizes already (" + names + "): use one of these, or try again"});
  }
  try {
    auto variant = std::make_shared<Variant>(clock_, pool, source, ledger_, key);
    variants_[key] = variant;
    return variant;
  } catch (const Failure& failure) {
    return fail({Error::Kind::Unsupported, 0, failure.text});
  }
}

std::vector<std::shared_ptr<Variant>> CameraVariants::all() const {
  std::vector<std::shared_ptr<Variant>> all;
  all.reserve(variants_.size());
  for (const auto& [key, variant] : variants_) {
    if (auto one = variant.lock()) all.push_back(std::move(one));
  }
  return all;
}

}  // namespace fp
