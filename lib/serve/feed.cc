#include "serve/feed.h"

#include <algorithm>

namespace fp {

Feed::Feed(Camera& camera, VariantPool& pool, const FilterWish& wish)
    : watch_(camera),
      pool_(pool),
      filtered_(wish.filter != nullptr ? camera.filtered(*wish.filter, wish.overlay) : nullptr) {}

Feed::~Feed() { leave(); }

Result<Done> Feed::choose(const VariantKey& key) {
  if (key == this->key()) return Done{};
  std::shared_ptr<Variant> next;
  if (!key.nothing()) {
    auto variant = filtered_ ? filtered_->variant(pool_, key) : camera().variant(pool_, key);
    if (!variant) return fail(std::move(variant).error());
    next = std::move(*variant);
  }
  leave();
  // The one that is left may be calling: it goes when it has returned.
  pool_.loop().defer([left = std::exchange(variant_, std::move(next))] {});
  join();
  return Done{};
}

void Feed::attach(Subscriber& subscriber, const Pacer& pacer) {
  subscriber_ = &subscriber;
  pacer_ = &pacer;
  join();
}

void Feed::join() {
  if (subscriber_ == nullptr) return;
  const PacketPtr& at_source = camera().hub().newest();
  const PacketPtr& here = hub().newest();
  if (here && (!at_source || here->origin() < at_source->origin())) outdated_ = std::max(outdated_, here->origin());
  // In this order: what the variant has to repeat must not reach a subscriber that is being made.
  if (filtered_) filtered_->join(*pacer_);
  if (variant_) variant_->join(*pacer_);
  hub().attach(*subscriber_);
}

void Feed::leave() {
  if (subscriber_ == nullptr) return;
  hub().detach(*subscriber_);
  if (variant_) variant_->leave(*pacer_);
  if (filtered_) filtered_->leave(*pacer_);
}

PacketPtr Feed::newer_than(std::uint64_t origin) const {
  const PacketPtr& newest = hub().newest();
  return newest && newest->origin() > std::max(origin, outdated_) ? newest : nullptr;
}

}  // namespace fp
