#include "detect/motion.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "base/text.h"
#include "detect/picture_file.h"
#include "detect/plane_mat.h"

namespace fp::detect {
namespace {

constexpr std::size_t kMostCameras = 64;
constexpr std::size_t kMostObjects = 32;
constexpr std::size_t kMostPoints = 256;
constexpr int kMostSide = 1024;  // of what is compared, whatever was decoded
constexpr double kLight = 0.8;   // a change of more than this share is the light's
constexpr int kJoin = 2;         // times that an area grows by a pixel, so that its parts meet

// About needs(), and without the noise of single pixels.
cv::Mat simplify(const jpeg::Planes& planes) {
  const cv::Mat luma = mat_of(planes, 0);
  const jpeg::Size needs = MotionDetector::needs();
  const int spare = std::min(luma.cols / needs.width_px, luma.rows / needs.height_px);
  const int factor = std::max({1, spare, (std::max(luma.cols, luma.rows) + kMostSide - 1) / kMostSide});
  cv::Mat small = luma;
  if (factor > 1) {
    const cv::Size size((luma.cols + factor - 1) / factor, (luma.rows + factor - 1) / factor);
    cv::resize(luma, small, size, 0, 0, cv::INTER_AREA);
  }
  cv::Mat smooth;
  cv::blur(small, smooth, cv::Size(3, 3));
  return smooth;
}

// Of one connected area.
struct Area {
  int changed_px = 0;
  double difference = 0;  // summed
  int left = 0;
  int top = 0;
  int right = -1;
  int bottom = -1;
};

// The areas were joined by growing them; what counts is what changed before that.
std::vector<Area> measure(const cv::Mat& changed, const cv::Mat& difference) {
  cv::Mat joined;
  cv::dilate(changed, joined, cv::Mat(), cv::Point(-1, -1), kJoin);
  cv::Mat numbers;
  const int count = cv::connectedComponents(joined, numbers, 8, CV_32S);
  std::vector<Area> areas(static_cast<std::size_t>(count));
  for (int y = 0; y < changed.rows; ++y) {
    const auto* is_changed = changed.ptr<std::uint8_t>(y);
    const auto* by = difference.ptr<std::uint8_t>(y);
    const auto* number = numbers.ptr<int>(y);
    for (int x = 0; x < changed.cols; ++x) {
      if (is_changed[x] == 0) continue;
      Area& area = areas[static_cast<std::size_t>(number[x])];
      if (area.changed_px == 0) area = {0, 0, x, y, x, y};
      ++area.changed_px;
      area.difference += by[x];
      area.left = std::min(area.left, x);
      area.right = std::max(area.right, x);
      area.bottom = y;
    }
  }
  return areas;
}

// How much of the new frame goes into the mean.
double weight(WallTime last, WallTime now, std::chrono::milliseconds learn) {
  if (now <= last) return 0;  // a clock that was set back teaches nothing, once
  if (learn.count() <= 0) return 1;
  return 1 - std::exp(-seconds_of(now - last) / seconds_of(learn));
}

}  // namespace

Result<Polygon> parse_zone(std::string_view text) {
  const std::string shown = "zone '" + printable(text) + "': ";
  const std::vector<std::string_view> words = split(text, ',');
  if (words.size() % 2 != 0 || words.size() < 6) {
    return malformed(shown + "three points or more are needed, as x,y,x,y,x,y");
  }
  if (words.size() > 2 * kMostPoints) return malformed(shown + "more than " + std::to_string(kMostPoints) + " points");
  Polygon zone;
  for (std::size_t i = 0; i < words.size(); i += 2) {
    double place[2] = {0, 0};
    for (std::size_t axis : {0u, 1u}) {
      const auto number = parse_double(trim(words[i + axis]));
      if (!number || *number < 0 || *number > 1) {
        return malformed(shown + "'" + printable(words[i + axis]) +
                         "' is no share of the picture's width or height (0 to 1)");
      }
      place[axis] = *number;
    }
    zone.push_back({place[0], place[1]});
  }
  return zone;
}

Result<Mask> read_mask(const std::string& path) {
  const auto picture = read_picture(path);
  if (!picture) return fail(picture.error());
  cv::Mat gray;
  cv::extractChannel(picture->ycrcb, gray, 0);
  if (!picture->opacity.empty()) cv::multiply(gray, picture->opacity, gray, 1 / 255.0);
  return Mask{{gray.cols, gray.rows}, std::vector<std::uint8_t>(gray.datastart, gray.dataend)};
}

MotionDetector::MotionDetector(Options options) : options_(std::move(options)) {}

MotionDetector::Camera& MotionDetector::camera_of(const std::string& name) {
  auto found = cameras_.find(name);
  if (found == cameras_.end()) {
    if (cameras_.size() >= kMostCameras) {
      cameras_.erase(std::min_element(cameras_.begin(), cameras_.end(),
                                      [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
    }
    found = cameras_.emplace(name, Camera{}).first;
  }
  found->second.used = ++uses_;
  return found->second;
}

cv::Mat MotionDetector::looked_at(cv::Size size) const {
  cv::Mat where;
  if (!options_.zones.empty()) {
    where = cv::Mat::zeros(size, CV_8UC1);
    constexpr int kShift = 8;
    for (const Polygon& zone : options_.zones) {
      std::vector<cv::Point> points;
      points.reserve(zone.size());
      for (const jpeg::Point& point : zone) {
        // From an outer corner to the middle of a pixel.
        points.emplace_back(static_cast<int>(std::lround((point.x * size.width - 0.5) * (1 << kShift))),
                            static_cast<int>(std::lround((point.y * size.height - 0.5) * (1 << kShift))));
      }
      cv::fillPoly(where, std::vector<std::vector<cv::Point>>{points}, cv::Scalar(255), cv::LINE_8, kShift);
    }
  }
  if (const auto& mask = options_.mask) {
    // OpenCV has no Mat of constant samples; it only reads these.
    const cv::Mat gray(mask->size.height_px, mask->size.width_px, CV_8UC1,
                       const_cast<std::uint8_t*>(mask->gray.data()));
    cv::Mat bright;
    cv::resize(gray, bright, size, 0, 0, cv::INTER_AREA);
    cv::threshold(bright, bright, 127, 255, cv::THRESH_BINARY);
    if (where.empty()) {
      where = bright;
    } else {
      cv::bitwise_and(where, bright, where);
    }
  }
  return where;
}

void MotionDetector::begin(Camera& camera, const cv::Mat& picture) const {
  if (camera.mean.size() != picture.size()) camera.looked_at = looked_at(picture.size());
  picture.convertTo(camera.mean, CV_32F);
}

std::vector<Object> MotionDetector::find(const jpeg::Planes& small, jpeg::Size frame, const std::string& name,
                                         WallTime captured, bool one_off) {
  if (one_off) return {};
  const cv::Mat picture = simplify(small);
  Camera& camera = camera_of(name);
  const WallTime last = std::exchange(camera.last, captured);
  if (camera.mean.size() != picture.size()) {
    begin(camera, picture);
    return {};
  }
  cv::Mat mean;
  camera.mean.convertTo(mean, CV_8U);
  cv::Mat difference;
  cv::absdiff(picture, mean, difference);
  cv::Mat changed;
  cv::threshold(difference, changed, options_.threshold, 255, cv::THRESH_BINARY);
  if (cv::countNonZero(changed) > kLight * picture.rows * picture.cols) {
    begin(camera, picture);
    return {};
  }
  cv::accumulateWeighted(picture, camera.mean, weight(last, captured, options_.learn));
  if (!camera.looked_at.empty()) cv::bitwise_and(changed, camera.looked_at, changed);
  const int changed_px = cv::countNonZero(changed);
  if (changed_px == 0 || 100.0 * changed_px < options_.min_area_percent * picture.rows * picture.cols) return {};
  return areas(changed, difference, frame);
}

std::vector<Object> MotionDetector::areas(const cv::Mat& changed, const cv::Mat& difference, jpeg::Size frame) const {
  std::vector<Area> areas = measure(changed, difference);
  const double least_px = std::max(1.0, options_.min_area_percent / 100 * changed.rows * changed.cols);
  std::erase_if(areas, [&](const Area& area) { return area.changed_px < least_px; });
  std::stable_sort(areas.begin(), areas.end(),
                   [](const Area& a, const Area& b) { return a.changed_px > b.changed_px; });
  if (areas.size() > kMostObjects) areas.resize(kMostObjects);
  const double across = static_cast<double>(frame.width_px) / changed.cols;
  const double down = static_cast<double>(frame.height_px) / changed.rows;
  std::vector<Object> objects;
  for (const Area& area : areas) {
    Object object;
    object.label = "motion";
    const double mean = area.difference / area.changed_px;
    object.confidence = mean / (mean + options_.threshold);
    object.box = Box{area.left * across, area.top * down, (area.right + 1 - area.left) * across,
                     (area.bottom + 1 - area.top) * down};
    objects.push_back(std::move(object));
  }
  return objects;
}

}  // namespace fp::detect
