// PNG pictures turned into JPEG.
#pragma once

#include "base/bytes.h"
#include "base/result.h"
#include "jpeg/encoder.h"

namespace fp::jpeg {

/// Decodes a PNG (transparency on black) and encodes it. Errors: Malformed ("cut off ..." when the file merely stops
/// too early), TooLarge (more than 64 million pixels; nothing was decoded).
[[nodiscard]] Result<Blob> png_to_jpeg(ByteView png, Encoder& encoder, int quality_percent);
[[nodiscard]] bool is_png(ByteView bytes);
/// Whether the chunks of a PNG reach to IEND: a file still being written does not.
[[nodiscard]] bool is_whole_png(ByteView bytes);

}  // namespace fp::jpeg
