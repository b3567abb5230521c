// PNG pictures read, and turned into JPEG.
#pragma once

#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "jpeg/encoder.h"

namespace fp::jpeg {

/// Red, green, blue and opacity (0: not to be seen at all), a byte each; rows close together.
struct Rgba {
  Size size;
  std::vector<std::uint8_t> pixels;
};

/// Any PNG: palettes, gray and 16 bits are brought to bytes of RGBA, four a pixel. Errors: as png_to_jpeg().
[[nodiscard]] Result<Rgba> read_png(ByteView png);
/// Decodes a PNG (transparency on black) and encodes it. Errors: Malformed ("cut off ..." when the file merely stops
/// too early), TooLarge (more than 64 million pixels; nothing was decoded).
[[nodiscard]] Result<Blob> png_to_jpeg(ByteView png, Encoder& encoder, int quality_percent);
[[nodiscard]] bool is_png(ByteView bytes);
/// Whether the chunks of a PNG reach to IEND: a file still being written does not.
[[nodiscard]] bool is_whole_png(ByteView bytes);

}  // namespace fp::jpeg
