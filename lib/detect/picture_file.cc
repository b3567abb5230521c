#include "detect/picture_file.h"

#include <opencv2/imgproc.hpp>

#include "base/file.h"
#include "detect/plane_mat.h"
#include "jpeg/decoder.h"
#include "jpeg/png.h"

namespace fp::detect {
namespace {

constexpr std::size_t kMostBytes = 256'000'000;

Result<PictureFile> from_png(ByteView bytes) {
  auto rgba = jpeg::read_png(bytes);
  if (!rgba) return fail(std::move(rgba.error()));
  const cv::Mat pixels(rgba->size.height_px, rgba->size.width_px, CV_8UC4, rgba->pixels.data());
  PictureFile picture;
  cv::cvtColor(pixels, picture.ycrcb, cv::COLOR_RGB2YCrCb);
  cv::extractChannel(pixels, picture.opacity, 3);
  return picture;
}

Result<PictureFile> from_jpeg(ByteView bytes) {
  auto planes = jpeg::Decoder().decode(bytes, {jpeg::kMaxSide, jpeg::kMaxSide});
  if (!planes) return fail(std::move(planes.error()));
  const cv::Mat luma = mat_of(*planes, 0);
  cv::Mat channels[3] = {luma, cv::Mat(), cv::Mat()};
  for (int i : {1, 2}) {
    if (planes->count() == 1) {
      channels[i] = cv::Mat(luma.size(), CV_8UC1, cv::Scalar(128));
    } else {
      cv::resize(mat_of(*planes, 3 - i), channels[i], luma.size());
    }
  }
  PictureFile picture;
  cv::merge(channels, 3, picture.ycrcb);
  return picture;
}

}  // namespace

Result<PictureFile> read_picture(const std::string& path) {
  const auto file = read_file(path, kMostBytes);
  if (!file) return fail(file.error());
  const ByteView bytes = file->view();
  const bool jpeg = bytes.size() > 2 && bytes[0] == 0xFF && bytes[1] == 0xD8;
  if (!jpeg && !jpeg::is_png(bytes)) return malformed(path + ": neither a PNG nor a JPEG");
  auto picture = jpeg ? from_jpeg(bytes) : from_png(bytes);
  if (!picture) return fail(std::move(picture.error()).in(path));
  return picture;
}

}  // namespace fp::detect
