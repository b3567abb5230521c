#include "detect/canvas.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <opencv2/imgproc.hpp>

#include "detect/plane_mat.h"

namespace fp::detect {
namespace {

constexpr int kShift = 4;  // bits behind the point in coordinates

struct Range {
  int begin = 0;
  int end = 0;
};

// Those of `shown` samples, each of `divisor` pixels, that [begin, end) of `length` pixels covers for the greater part;
// one at least.
Range samples(int begin, int end, int length, int divisor, int shown) {
  if (divisor == 1) return {begin, end};
  Range range{(begin + divisor / 2) / divisor, end == length ? shown : (end + divisor / 2) / divisor};
  range.begin = std::min(range.begin, shown - 1);
  if (range.end <= range.begin) range = {begin / divisor, begin / divisor + 1};
  return range;
}

std::uint8_t value_of(jpeg::Colour colour, int plane) {
  if (plane == 0) return colour.y;
  return plane == 1 ? colour.cb : colour.cr;
}

int fixed(double value) { return static_cast<int>(std::lround(value * (1 << kShift))); }

}  // namespace

bool Canvas::reach(jpeg::Point place) const {
  const double most = 4.0 * std::max(size().width_px, size().height_px);
  const auto near = [&](double value) { return value >= -most && value <= 2 * most; };  // and not for NaN
  return near(place.x) && near(place.y);
}

void Canvas::fill(const jpeg::Rect& rect, jpeg::Colour colour) {
  const int left = std::max(rect.x, 0);
  const int top = std::max(rect.y, 0);
  const int right = std::min(rect.x + rect.width_px, size().width_px);
  const int bottom = std::min(rect.y + rect.height_px, size().height_px);
  if (right <= left || bottom <= top) return;
  for (int index = 0; index < planes_.count(); ++index) {
    const jpeg::Size shown = planes_.layout().shown(index);
    const int across = index == 0 ? 1 : jpeg::chroma_divisor_x(planes_.sampling());
    const int down = index == 0 ? 1 : jpeg::chroma_divisor_y(planes_.sampling());
    const Range columns = samples(left, right, size().width_px, across, shown.width_px);
    const Range rows = samples(top, bottom, size().height_px, down, shown.height_px);
    for (int y = rows.begin; y < rows.end; ++y) {
      std::fill(planes_.row(index, y) + columns.begin, planes_.row(index, y) + columns.end, value_of(colour, index));
    }
  }
}

void Canvas::polygon(std::span<const jpeg::Point> corners, jpeg::Colour colour) {
  std::array<cv::Point, 32> points;
  const std::size_t count = std::min(corners.size(), points.size());
  for (int index = 0; index < planes_.count(); ++index) {
    const double across = index == 0 ? 1 : jpeg::chroma_divisor_x(planes_.sampling());
    const double down = index == 0 ? 1 : jpeg::chroma_divisor_y(planes_.sampling());
    for (std::size_t i = 0; i < count; ++i) {
      // To OpenCV a whole number is the middle of a sample.
      points[i] = {fixed(corners[i].x / across - 0.5), fixed(corners[i].y / down - 0.5)};
    }
    cv::Mat plane = mat_of(planes_, index);
    cv::fillConvexPoly(plane, points.data(), static_cast<int>(count), cv::Scalar(value_of(colour, index)), cv::LINE_AA,
                       kShift);
  }
}

void Canvas::line(jpeg::Point from, jpeg::Point to, double width_px, jpeg::Colour colour) {
  const double length = std::hypot(to.x - from.x, to.y - from.y);
  if (!(length > 0)) return;
  const double x = -(to.y - from.y) / length * width_px / 2;
  const double y = (to.x - from.x) / length * width_px / 2;
  const std::array<jpeg::Point, 4> corners = {
      {{from.x + x, from.y + y}, {to.x + x, to.y + y}, {to.x - x, to.y - y}, {from.x - x, from.y - y}}};
  polygon(corners, colour);
}

void Canvas::dot(jpeg::Point centre, double radius_px, jpeg::Colour colour) {
  std::array<jpeg::Point, 12> corners;
  for (std::size_t i = 0; i < corners.size(); ++i) {
    const double angle = 2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(corners.size());
    corners[i] = {centre.x + radius_px * std::cos(angle), centre.y + radius_px * std::sin(angle)};
  }
  polygon(corners, colour);
}

void Canvas::text(const std::string& line, jpeg::Point base, double scale, int width_px, const jpeg::Rect& clip,
                  std::uint8_t gray) {
  cv::Mat luma = mat_of(planes_, 0)(cv::Rect(clip.x, clip.y, clip.width_px, clip.height_px));
  const cv::Point origin(static_cast<int>(base.x) - clip.x, static_cast<int>(base.y) - clip.y);
  cv::putText(luma, line, origin, cv::FONT_HERSHEY_SIMPLEX, scale, cv::Scalar(gray), width_px, cv::LINE_AA);
}

}  // namespace fp::detect
