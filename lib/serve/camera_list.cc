#include "serve/camera_list.h"

#include <algorithm>

namespace fp {

std::shared_ptr<Camera> CameraList::open(CameraOptions options) const {
  return std::make_shared<Camera>(loop_, clock_, std::move(options), options_, next_headers_, report_, ended_);
}

void CameraList::put(const std::shared_ptr<Camera>& camera) {
  ++changes_;
  if (Camera* const same = find(camera->name())) return same->take_source(*camera);
  cameras_.push_back(camera);
}

void CameraList::bury(const std::shared_ptr<Camera>& camera) {
  std::erase_if(buried_, [](const auto& dead) { return dead->closed(); });
  camera->retire();
  buried_.push_back(camera);
}

bool CameraList::remove(std::string_view name) {
  const auto found =
      std::find_if(cameras_.begin(), cameras_.end(), [&](const auto& camera) { return camera->name() == name; });
  if (found == cameras_.end()) return false;
  ++changes_;
  const std::shared_ptr<Camera> camera = *found;
  cameras_.erase(found);
  bury(camera);
  return true;
}

Camera* CameraList::find(std::string_view name) const {
  const auto found =
      std::find_if(cameras_.begin(), cameras_.end(), [&](const auto& camera) { return camera->name() == name; });
  return found == cameras_.end() ? nullptr : found->get();
}

}  // namespace fp
