#include "detect/input.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

namespace fp::detect {
namespace {

constexpr int kSurround = 114;

// Whole samples of the picture.
struct Part {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
};

Part part_of(const jpeg::Planes& picture, jpeg::Size frame, const Box& region) {
  const double across = static_cast<double>(picture.size().width_px) / frame.width_px;
  const double down = static_cast<double>(picture.size().height_px) / frame.height_px;
  const auto edge = [](double value, int most) {
    return static_cast<int>(std::lround(std::clamp(value, 0.0, static_cast<double>(most))));
  };
  Part part;
  part.x = std::min(edge(region.x * across, picture.size().width_px), picture.size().width_px - 1);
  part.y = std::min(edge(region.y * down, picture.size().height_px), picture.size().height_px - 1);
  part.width = std::max(1, edge((region.x + region.width_px) * across, picture.size().width_px) - part.x);
  part.height = std::max(1, edge((region.y + region.height_px) * down, picture.size().height_px) - part.y);
  return part;
}

double fitting_scale(double width, double height, jpeg::Size network) {
  return std::min(network.width_px / width, network.height_px / height);
}

// A plane of the part, in another size.
void bring(const cv::Mat& plane, cv::Size to, cv::Mat& out) {
  if (plane.size() == to) {
    plane.copyTo(out);
    return;
  }
  const bool shrinks = plane.cols > to.width || plane.rows > to.height;
  cv::resize(plane, out, to, 0, 0, shrinks ? cv::INTER_AREA : cv::INTER_LINEAR);
}

float clamped(float value) { return std::min(std::max(value, 0.0F), 255.0F); }

// Full-range BT.601, as JFIF has it. Rows are short and their numbers lie together: the compiler makes vectors of it.
void row_to_rgb(const std::uint8_t* y, const std::uint8_t* cb, const std::uint8_t* cr, int width, float* red,
                float* green, float* blue) {
  for (int x = 0; x < width; ++x) {
    const float luma = y[x];
    const float b = static_cast<float>(cb[x]) - 128.0F;
    const float r = static_cast<float>(cr[x]) - 128.0F;
    red[x] = clamped(luma + 1.402F * r);
    green[x] = clamped(luma - 0.344136F * b - 0.714136F * r);
    blue[x] = clamped(luma + 1.772F * b);
  }
}

}  // namespace

Box Placement::to_frame(const Box& box) const {
  return {(box.x - left) / scale_x, (box.y - top) / scale_y, box.width_px / scale_x, box.height_px / scale_y};
}

Keypoint Placement::to_frame(const Keypoint& keypoint) const {
  return {(keypoint.x - left) / scale_x, (keypoint.y - top) / scale_y, keypoint.confidence};
}

struct InputMaker::Scratch {
  std::array<cv::Mat, 3> planes;
  std::array<std::vector<float>, 3> row;
};

InputMaker::InputMaker() : scratch_(std::make_unique<Scratch>()) {}
InputMaker::~InputMaker() = default;

Placement InputMaker::fill(const jpeg::Planes& picture, jpeg::Size frame, const Box& region, jpeg::Size network,
                           const InputFormat& format, std::span<float> values) {
  const Part part = part_of(picture, frame, region);
  cv::Size to(network.width_px, network.height_px);
  if (!format.stretch) {
    const double scale = fitting_scale(part.width, part.height, network);
    to.width = std::clamp(static_cast<int>(std::lround(part.width * scale)), 1, to.width);
    to.height = std::clamp(static_cast<int>(std::lround(part.height * scale)), 1, to.height);
  }
  const int left = (network.width_px - to.width) / 2;
  const int top = (network.height_px - to.height) / 2;

  const bool gray = format.colours == InputFormat::Colours::Gray || picture.count() == 1;
  for (int index = 0; index < (gray ? 1 : picture.count()); ++index) {
    const int across = index == 0 ? 1 : jpeg::chroma_divisor_x(picture.sampling());
    const int down = index == 0 ? 1 : jpeg::chroma_divisor_y(picture.sampling());
    // The padding holds the last samples again: parts of odd sizes may reach into it.
    const jpeg::Size padded = picture.layout().padded(index);
    const cv::Mat plane(padded.height_px, padded.width_px, CV_8UC1, const_cast<std::uint8_t*>(picture.plane(index)),
                        static_cast<std::size_t>(picture.stride(index)));
    const cv::Rect cut(part.x / across, part.y / down,
                       std::min((part.width + across - 1) / across, padded.width_px - part.x / across),
                       std::min((part.height + down - 1) / down, padded.height_px - part.y / down));
    bring(plane(cut), to, scratch_->planes[static_cast<std::size_t>(index)]);
  }

  const auto channels = static_cast<std::size_t>(format.channels());
  const auto area = static_cast<std::size_t>(network.width_px) * static_cast<std::size_t>(network.height_px);
  for (std::size_t c = 0; c < channels; ++c) {
    const float surround = kSurround * format.scale[c] + format.offset[c];
    if (format.channels_last) {
      for (std::size_t i = 0; i < area; ++i) values[i * channels + c] = surround;
    } else {
      std::fill_n(values.begin() + static_cast<std::ptrdiff_t>(c * area), area, surround);
    }
  }
  for (auto& row : scratch_->row) row.resize(static_cast<std::size_t>(to.width));
  std::array<float*, 3> rgb = {scratch_->row[0].data(), scratch_->row[1].data(), scratch_->row[2].data()};
  std::array<const float*, 3> order = {rgb[0], rgb[1], rgb[2]};
  if (format.colours == InputFormat::Colours::Bgr) std::swap(order[0], order[2]);
  for (int y = 0; y < to.height; ++y) {
    const auto& planes = scratch_->planes;
    const std::uint8_t* const luma = planes[0].ptr(y);
    if (gray) {
      std::copy_n(luma, to.width, rgb[0]);
      order = {rgb[0], rgb[0], rgb[0]};
    } else {
      row_to_rgb(luma, planes[1].ptr(y), planes[2].ptr(y), to.width, rgb[0], rgb[1], rgb[2]);
    }
    const std::size_t first =
        static_cast<std::size_t>(y + top) * static_cast<std::size_t>(network.width_px) + static_cast<std::size_t>(left);
    for (std::size_t c = 0; c < channels; ++c) {
      const float* const from = order[c];
      const float factor = format.scale[c];
      const float shift = format.offset[c];
      if (format.channels_last) {
        float* const out = values.data() + first * channels + c;
        for (int x = 0; x < to.width; ++x) out[static_cast<std::size_t>(x) * channels] = from[x] * factor + shift;
      } else {
        float* const out = values.data() + c * area + first;
        for (int x = 0; x < to.width; ++x) out[x] = from[x] * factor + shift;
      }
    }
  }

  Placement placement;
  placement.network = network;
  const double picture_x = static_cast<double>(picture.size().width_px) / frame.width_px;
  const double picture_y = static_cast<double>(picture.size().height_px) / frame.height_px;
  const double shrunk_x = static_cast<double>(to.width) / part.width;
  const double shrunk_y = static_cast<double>(to.height) / part.height;
  placement.scale_x = picture_x * shrunk_x;
  placement.scale_y = picture_y * shrunk_y;
  placement.left = left - part.x * shrunk_x;
  placement.top = top - part.y * shrunk_y;
  return placement;
}

jpeg::Size size_needed(jpeg::Size frame, const Box& region, jpeg::Size network) {
  const double scale =
      std::min(1.0, fitting_scale(std::max(1.0, region.width_px), std::max(1.0, region.height_px), network));
  // Rounded as fill() does, not up: 361 rows are not needed where 360.4 are shown.
  return {std::max(1, static_cast<int>(std::lround(frame.width_px * scale))),
          std::max(1, static_cast<int>(std::lround(frame.height_px * scale)))};
}

}  // namespace fp::detect
