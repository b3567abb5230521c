#include "detect/gate.h"

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace fp::detect {
namespace {

constexpr std::size_t kMostCameras = 256;

std::optional<bool> ordered(const Frame& frame) {
  const std::string* const order = header_of(frame, "X-Gate");
  if (order == nullptr) return std::nullopt;
  if (equal_ignoring_case(*order, "open")) return true;
  if (equal_ignoring_case(*order, "closed")) return false;
  return std::nullopt;
}

}  // namespace

const std::string* header_of(const Frame& frame, std::string_view name) {
  const auto found = std::find_if(frame.extra.begin(), frame.extra.end(),
                                  [&](const Header& header) { return equal_ignoring_case(header.name, name); });
  return found == frame.extra.end() ? nullptr : &found->value;
}

bool Gate::lets(const Frame& frame) {
  if (!obeys_) return open_;
  const auto order = ordered(frame);
  if (is_one_off(frame)) return order.value_or(open_);
  const auto known = by_camera_.find(frame.camera);
  if (!order) return known == by_camera_.end() ? open_ : known->second;
  if (known != by_camera_.end()) {
    known->second = *order;
  } else if (by_camera_.size() < kMostCameras) {
    by_camera_.emplace(frame.camera, *order);
  }
  return *order;
}

Overlay Gate::overlay_for(const Frame& frame) const {
  const std::string* const orders = obeys_ ? header_of(frame, "X-Overlay") : nullptr;
  return orders == nullptr ? usual_ : with_orders(usual_, *orders);
}

bool Gate::is_one_off(const Frame& frame) const {
  return obeys_ && frame.camera.empty() && header_of(frame, "X-Request") != nullptr;
}

}  // namespace fp::detect
