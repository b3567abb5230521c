#include "detect/garment.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <optional>

#include "detect/picture_file.h"
#include "detect/plane_mat.h"
#include "jpeg/geometry.h"

namespace fp::detect {
namespace {

constexpr int kMostSide = 2048;
constexpr int kLeastSide = 64;  // an edge is soft over half a sample, which must not be much of the whole

// Top left, top right, bottom right, bottom left, as the garment's picture has them; in pixels of the frame.
using Corners = std::array<cv::Point2d, 4>;

std::optional<cv::Point2d> place_of(const Object& pose, std::size_t index, double least, jpeg::Size size) {
  if (index >= pose.keypoints.size()) return std::nullopt;
  const Keypoint& keypoint = pose.keypoints[index];
  const double most = 4.0 * std::max(size.width_px, size.height_px);
  // Not for NaN either.
  if (!(keypoint.confidence >= least && std::abs(keypoint.x) <= most && std::abs(keypoint.y) <= most)) {
    return std::nullopt;
  }
  return cv::Point2d(keypoint.x, keypoint.y);
}

std::optional<Corners> corners_of(const Object& pose, double least, jpeg::Size size) {
  const auto left_shoulder = place_of(pose, 5, least, size);
  const auto right_shoulder = place_of(pose, 6, least, size);
  const auto left_hip = place_of(pose, 11, least, size);
  const auto right_hip = place_of(pose, 12, least, size);
  if (!left_shoulder || !right_shoulder || !left_hip || !right_hip) return std::nullopt;
  const cv::Point2d shoulders = (*left_shoulder + *right_shoulder) / 2;
  const cv::Point2d hips = (*left_hip + *right_hip) / 2;
  const cv::Point2d down = hips - shoulders;
  const cv::Point2d top = shoulders - Garment::kAbove * down;
  const cv::Point2d bottom = hips + Garment::kBelow * down;
  const cv::Point2d across_top = (*left_shoulder - shoulders) * Garment::kShoulders;
  const cv::Point2d across_bottom = (*left_hip - hips) * Garment::kHips;
  return Corners{top - across_top, top + across_top, bottom + across_bottom, bottom - across_bottom};
}

// Twice the area is of one sign at each corner of a convex quadrilateral; a bow tie or a line has no such.
bool convex(const Corners& corners) {
  int positive = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const cv::Point2d along = corners[(i + 1) % 4] - corners[i];
    const cv::Point2d next = corners[(i + 2) % 4] - corners[(i + 1) % 4];
    const double area = along.cross(next);
    if (std::abs(area) < 1) return false;
    positive += area > 0 ? 1 : 0;
  }
  return positive == 0 || positive == 4;
}

double longer(const cv::Point2d& a, const cv::Point2d& b) { return std::max(cv::norm(a), cv::norm(b)); }

// The least that has as many samples as its place in the plane; the first where even that has not.
const cv::Mat& level_for(const std::vector<cv::Mat>& levels, const Corners& corners) {
  const double width = longer(corners[1] - corners[0], corners[2] - corners[3]);
  const double height = longer(corners[3] - corners[0], corners[2] - corners[1]);
  const cv::Mat* best = &levels.front();
  for (const cv::Mat& level : levels) {
    if (1.0 * level.cols * level.rows >= width * height) best = &level;
  }
  return *best;
}

cv::Rect around(const Corners& corners, cv::Size size) {
  double left = corners[0].x;
  double top = corners[0].y;
  double right = left;
  double bottom = top;
  for (const cv::Point2d& corner : corners) {
    left = std::min(left, corner.x);
    top = std::min(top, corner.y);
    right = std::max(right, corner.x);
    bottom = std::max(bottom, corner.y);
  }
  const int x = static_cast<int>(std::floor(std::clamp(left, 0.0, 1.0 * size.width)));
  const int y = static_cast<int>(std::floor(std::clamp(top, 0.0, 1.0 * size.height)));
  return {x, y, static_cast<int>(std::ceil(std::clamp(right, 0.0, 1.0 * size.width))) - x,
          static_cast<int>(std::ceil(std::clamp(bottom, 0.0, 1.0 * size.height))) - y};
}

// The part of `level` that `part` of a plane shows, of all four channels. A whole number is the middle of a sample to
// OpenCV.
cv::Mat warp(const cv::Mat& level, const Corners& corners, const cv::Rect& part) {
  const auto width = static_cast<float>(level.cols) - 0.5F;
  const auto height = static_cast<float>(level.rows) - 0.5F;
  const std::array<cv::Point2f, 4> from = {{{-0.5F, -0.5F}, {width, -0.5F}, {width, height}, {-0.5F, height}}};
  std::array<cv::Point2f, 4> to;
  for (std::size_t i = 0; i < 4; ++i) {
    to[i] = {static_cast<float>(corners[i].x - 0.5 - part.x), static_cast<float>(corners[i].y - 0.5 - part.y)};
  }
  const cv::Mat back = cv::getPerspectiveTransform(to.data(), from.data());
  cv::Mat warped;
  cv::warpPerspective(level, warped, back, part.size(), cv::INTER_LINEAR | cv::WARP_INVERSE_MAP, cv::BORDER_CONSTANT);
  return warped;
}

// Over the samples of a plane: what shines through, and the garment, which is multiplied by its opacity already.
void blend(const cv::Mat& warped, int channel, cv::Mat plane) {
  for (int y = 0; y < warped.rows; ++y) {
    const auto* from = warped.ptr<cv::Vec4b>(y);
    auto* to = plane.ptr<std::uint8_t>(y);
    for (int x = 0; x < warped.cols; ++x) {
      const int through = 255 - from[x][3];
      const int value = (to[x] * through + 127) / 255 + from[x][channel];
      to[x] = static_cast<std::uint8_t>(std::min(value, 255));
    }
  }
}

Corners divided(Corners corners, int across, int down) {
  for (cv::Point2d& corner : corners) corner = {corner.x / across, corner.y / down};
  return corners;
}

cv::Mat premultiplied(const PictureFile& picture) {
  cv::Mat all(picture.ycrcb.size(), CV_8UC4);
  for (int y = 0; y < all.rows; ++y) {
    const auto* colour = picture.ycrcb.ptr<cv::Vec3b>(y);
    const auto* opacity = picture.opacity.empty() ? nullptr : picture.opacity.ptr<std::uint8_t>(y);
    auto* to = all.ptr<cv::Vec4b>(y);
    for (int x = 0; x < all.cols; ++x) {
      const int share = opacity == nullptr ? 255 : opacity[x];
      const auto part = [&](int value) { return static_cast<std::uint8_t>((value * share + 127) / 255); };
      to[x] = {part(colour[x][0]), part(colour[x][2]), part(colour[x][1]), static_cast<std::uint8_t>(share)};
    }
  }
  return all;
}

}  // namespace

Result<Garment> Garment::load(const std::string& path) {
  const auto picture = read_picture(path);
  if (!picture) return fail(picture.error());
  cv::Mat level = premultiplied(*picture);
  const double scale = std::min(1.0, static_cast<double>(kMostSide) / std::max(level.cols, level.rows));
  const auto scaled = [&](int length) { return std::max(kLeastSide, static_cast<int>(std::lround(length * scale))); };
  if (const cv::Size size(scaled(level.cols), scaled(level.rows)); size != level.size()) {
    cv::Mat other;
    cv::resize(level, other, size, 0, 0, scale < 1 ? cv::INTER_AREA : cv::INTER_LINEAR);
    level = other;
  }
  Garment garment;
  garment.levels_.push_back(level);
  while (std::min(level.cols, level.rows) >= 2 * kLeastSide) {
    cv::Mat half;
    cv::resize(level, half, cv::Size((level.cols + 1) / 2, (level.rows + 1) / 2), 0, 0, cv::INTER_AREA);
    level = half;
    garment.levels_.push_back(level);
  }
  return garment;
}

bool Garment::draw(jpeg::Planes& planes, const Object& pose, double least_keypoint) const {
  const auto corners = corners_of(pose, least_keypoint, planes.size());
  if (!corners || !convex(*corners)) return false;
  // Once for luma and once for both of chroma; once for all where they have the same size.
  cv::Mat warped;
  for (int index = 0; index < planes.count(); ++index) {
    const int across = index == 0 ? 1 : jpeg::chroma_divisor_x(planes.sampling());
    const int down = index == 0 ? 1 : jpeg::chroma_divisor_y(planes.sampling());
    const Corners place = divided(*corners, across, down);
    const cv::Mat plane = mat_of(planes, index);
    const cv::Rect part = around(place, plane.size());
    if (part.empty()) continue;
    if (index < 2 && !(index == 1 && planes.sampling() == jpeg::Sampling::Yuv444)) {
      warped = warp(level_for(levels_, place), place, part);
    }
    blend(warped, index, plane(part));
  }
  planes.pad_edges();
  return true;
}

}  // namespace fp::detect
