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

// Written out, and not by std::clamp(), whose references the compiler makes branches of.
float clamped(float value) {
  const float positive = value > 0.0F ? value : 0.0F;
  return positive < 255.0F ? positive : 255.0F;
}

// One channel of a row of the input.
struct Channel {
  float* values = nullptr;
  float scale = 1;
  float offset = 0;
};

// Full-range BT.601, as JFIF has it: what one channel takes of the luma and of both chromas. Each by itself, and in
// steps without a choice in them: the compiler makes vectors of that.
struct Share {
  float blue = 0;
  float red = 0;
};
constexpr Share kRed{0.0F, 1.402F};
constexpr Share kGreen{-0.344136F, -0.714136F};
constexpr Share kBlue{1.772F, 0.0F};

void row_to_channel(const std::uint8_t* y, const std::uint8_t* cb, const std::uint8_t* cr, int width, Share share,
                    Channel to) {
  float* __restrict const out = to.values;
  for (int x = 0; x < width; ++x) {
    const float blue = static_cast<float>(cb[x]) - 128.0F;
    const float red = static_cast<float>(cr[x]) - 128.0F;
    out[x] = clamped(static_cast<float>(y[x]) + share.blue * blue + share.red * red) * to.scale + to.offset;
  }
}

void row_to_gray(const std::uint8_t* y, int width, Channel to) {
  for (int x = 0; x < width; ++x) to.values[x] = static_cast<float>(y[x]) * to.scale + to.offset;
}

// What lies around `inside` in one plane of the input; what is inside will be written anyway.
void surround(float* plane, jpeg::Size network, const cv::Rect& inside, float value) {
  const std::ptrdiff_t width = network.width_px;
  for (int y = 0; y < network.height_px; ++y) {
    float* const row = plane + y * width;
    if (y < inside.y || y >= inside.br().y) {
      std::fill_n(row, width, value);
    } else {
      std::fill_n(row, inside.x, value);
      std::fill(row + inside.br().x, row + width, value);
    }
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
    const float value = kSurround * format.scale[c] + format.offset[c];
    if (format.channels_last) {
      for (std::size_t i = 0; i < area; ++i) values[i * channels + c] = value;
    } else {
      surround(values.data() + c * area, network, {left, top, to.width, to.height}, value);
    }
  }
  for (auto& row : scratch_->row) row.resize(static_cast<std::size_t>(to.width));
  const std::size_t red = format.colours == InputFormat::Colours::Bgr ? 2 : 0;
  for (int y = 0; y < to.height; ++y) {
    const auto& planes = scratch_->planes;
    const std::size_t first =
        static_cast<std::size_t>(y + top) * static_cast<std::size_t>(network.width_px) + static_cast<std::size_t>(left);
    std::array<Channel, 3> row;
    for (std::size_t c = 0; c < channels; ++c) {
      float* const begin = format.channels_last ? scratch_->row[c].data() : values.data() + c * area + first;
      row[c] = {begin, format.scale[c], format.offset[c]};
    }
    if (gray) {
      for (std::size_t c = 0; c < channels; ++c) row_to_gray(planes[0].ptr(y), to.width, row[c]);
    } else {
      const auto fill = [&](Share share, Channel channel) {
        row_to_channel(planes[0].ptr(y), planes[1].ptr(y), planes[2].ptr(y), to.width, share, channel);
      };
      fill(kRed, row[red]);
      fill(kGreen, row[1]);
      fill(kBlue, row[2 - red]);
    }
    if (!format.channels_last) continue;
    for (std::size_t c = 0; c < channels; ++c) {
      float* const out = values.data() + first * channels + c;
      for (int x = 0; x < to.width; ++x) out[static_cast<std::size_t>(x) * channels] = row[c].values[x];
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
