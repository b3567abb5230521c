// A picture that the user gives in a file: a mask, a garment.
#pragma once

#include <opencv2/core/mat.hpp>
#include <string>

#include "base/result.h"

namespace fp::detect {

struct PictureFile {
  cv::Mat ycrcb;    ///< CV_8UC3: full-range BT.601 in the order Y, Cr, Cb, chroma for every pixel
  cv::Mat opacity;  ///< CV_8UC1, 0: not to be seen; empty for a JPEG, which is opaque all over
};

/// Reads a PNG or a JPEG, whatever its name. Memory: eight bytes a pixel, and the file.
/// Errors: Io (the file cannot be read); Malformed (neither of them, or damaged); TooLarge (a file of more than 256 MB,
/// or more than 64 million pixels, said before anything is decoded). `path` stands in each text.
[[nodiscard]] Result<PictureFile> read_picture(const std::string& path);

}  // namespace fp::detect
