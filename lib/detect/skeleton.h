// Which keypoints of a pose are joined by a line.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace fp::detect {

/// Pairs of indices of keypoints, from 0.
struct Skeleton {
  std::vector<std::pair<std::size_t, std::size_t>> bones;

  /// What is known of models with so many keypoints: 17 are a body in COCO's order, 21 a hand in MediaPipe's. Others
  /// have no bones, among them the 6 of BlazeFace.
  [[nodiscard]] static Skeleton for_keypoints(std::size_t keypoints);
};

/// Reads --skeleton: a line "A B" for each bone, # begins a comment, empty lines are left out; at most 4096 bones.
/// Errors: Malformed ("FILE:LINE: ..."), also for an index that `keypoints` keypoints do not have; Io; TooLarge (1 MB).
[[nodiscard]] Result<Skeleton> read_skeleton(const std::string& path, std::size_t keypoints);

}  // namespace fp::detect
