#include "detect/skeleton.h"

#include <algorithm>

#include "base/file.h"
#include "base/text.h"

namespace fp::detect {
namespace {

constexpr std::size_t kMostBytes = 1'000'000;
constexpr std::size_t kMostBones = 4096;

// COCO: nose 0, eyes 1 2, ears 3 4, shoulders 5 6, elbows 7 8, wrists 9 10, hips 11 12, knees 13 14, ankles 15 16; left
// first
Skeleton body() {
  return {{{15, 13},
           {13, 11},
           {16, 14},
           {14, 12},
           {11, 12},
           {5, 11},
           {6, 12},
           {5, 6},
           {5, 7},
           {6, 8},
           {7, 9},
           {8, 10},
           {1, 2},
           {0, 1},
           {0, 2},
           {1, 3},
           {2, 4},
           {3, 5},
           {4, 6}}};
}
// MediaPipe: wrist 0, then four of each finger, thumb to little finger, from the palm to the tip
Skeleton hand() {
  return {{{0, 1},   {1, 2},  {2, 3},   {3, 4},   {0, 5},   {5, 6},   {6, 7},  {7, 8},   {5, 9},   {9, 10}, {10, 11},
           {11, 12}, {9, 13}, {13, 14}, {14, 15}, {15, 16}, {13, 17}, {0, 17}, {17, 18}, {18, 19}, {19, 20}}};
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (!(line = trim(line)).empty()) {
    const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
    words.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return words;
}

Result<std::size_t> index_of(std::string_view word, std::size_t keypoints) {
  const auto index = parse_integer<std::size_t>(word);
  if (!index) return malformed("'" + printable(word) + "' is no number of a keypoint");
  if (*index >= keypoints) {
    return malformed("there is no keypoint " + std::to_string(*index) + ": the model has " + std::to_string(keypoints) +
                     ", counted from 0");
  }
  return *index;
}

// Nothing on a line without words.
Result<Done> add_bone(std::string_view line, std::size_t keypoints, Skeleton& skeleton) {
  const auto words = words_of(line.substr(0, line.find('#')));
  if (words.empty()) return Done{};
  if (words.size() != 2) return malformed("a line is two numbers of keypoints, as in \"5 7\"");
  const auto from = index_of(words[0], keypoints);
  if (!from) return fail(from.error());
  const auto to = index_of(words[1], keypoints);
  if (!to) return fail(to.error());
  if (skeleton.bones.size() >= kMostBones) return malformed("more than " + std::to_string(kMostBones) + " bones");
  skeleton.bones.emplace_back(*from, *to);
  return Done{};
}

}  // namespace

Skeleton Skeleton::for_keypoints(std::size_t keypoints) {
  if (keypoints == 17) return body();
  if (keypoints == 21) return hand();
  return {};
}

Result<Skeleton> read_skeleton(const std::string& path, std::size_t keypoints) {
  const auto file = read_file(path, kMostBytes);
  if (!file) return fail(file.error());
  Skeleton skeleton;
  std::size_t number = 0;
  for (const std::string_view line : split(as_text(file->view()), '\n')) {
    ++number;
    const auto added = add_bone(line, keypoints, skeleton);
    if (!added) return fail(Error(added.error()).in(path + ":" + std::to_string(number)));
  }
  return skeleton;
}

}  // namespace fp::detect
