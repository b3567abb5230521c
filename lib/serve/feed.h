// What a viewer watches: a camera as it comes, or as a filter makes it, or a variant of these.
#pragma once

#include <memory>
#include <string>

#include "frame/pacer.h"
#include "serve/camera.h"
#include "serve/filter_list.h"
#include "serve/variant.h"

namespace fp {

/// Keeps its camera watched and its variant alive. One thread.
class Feed {
 public:
  /// The camera as it comes, or as the filter makes it.
  Feed(Camera& camera, VariantPool& pool, const FilterWish& wish = {});
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;
  ~Feed();

  /// Goes over to the variant of this key, or back to the pictures as they come; the subscriber goes along. Not from
  /// within a call of hub_closed(). Errors: those of CameraVariants::get(); then all stays as it was.
  [[nodiscard]] Result<Done> choose(const VariantKey& key);
  /// Tells `subscriber` from now on; `pacer` says which frames it will take. Once; both live as long as this.
  void attach(Subscriber& subscriber, const Pacer& pacer);

  [[nodiscard]] Camera& camera() const { return watch_.camera(); }
  [[nodiscard]] Hub& hub() const { return variant_ ? variant_->hub() : unchanged(); }
  /// The hub without a variant.
  [[nodiscard]] Hub& unchanged() const { return filtered_ ? filtered_->hub() : camera().hub(); }
  [[nodiscard]] const std::shared_ptr<FilteredCamera>& filtered() const { return filtered_; }  ///< or nullptr
  [[nodiscard]] const std::shared_ptr<Variant>& variant() const { return variant_; }           ///< or nullptr
  [[nodiscard]] VariantKey key() const { return variant_ ? variant_->key() : VariantKey{}; }
  /// The newest packet when its origin is above `origin`, else nullptr. What was older than the camera's newest when
  /// the subscriber came is not shown: a variant for slow viewers may have been asleep.
  [[nodiscard]] PacketPtr newer_than(std::uint64_t origin) const;

 private:
  void join();
  void leave();

  Camera::Watch watch_;
  VariantPool& pool_;
  const std::shared_ptr<FilteredCamera> filtered_;
  std::shared_ptr<Variant> variant_;
  Subscriber* subscriber_ = nullptr;
  const Pacer* pacer_ = nullptr;
  std::uint64_t outdated_ = 0;  // up to this origin
};

}  // namespace fp
