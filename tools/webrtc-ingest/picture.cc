#include "webrtc-ingest/picture.h"

#include <memory>

#include "jpeg/hygiene.h"
#include "jpeg/png.h"

namespace fp::ingest {
namespace {

std::uint64_t u32(ByteView bytes, std::size_t at) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 4; ++i) value = value << 8 | bytes[at + i];
  return value;
}

}  // namespace

Result<Picture> PictureReader::jpeg(std::vector<std::uint8_t> bytes) {
  if (bytes.size() < 2 || bytes[0] != 0xFF || bytes[1] != 0xD8) return malformed("no JPEG and no PNG");
  const auto owner = std::make_shared<const std::vector<std::uint8_t>>(std::move(bytes));
  auto clean = jpeg::clean(Blob(owner, *owner));
  if (!clean) return fail(std::move(clean).error());
  if (scan_check_.check(clean->jpeg.view()) == jpeg::ScanCheck::Verdict::Damaged) return malformed("damaged");
  return Picture{std::move(clean->jpeg), clean->info};
}

Result<Picture> PictureReader::png(ByteView bytes) {
  // The first chunk says the size (PNG specification, 11.2.2): 8 bytes of signature, 4 of length, 4 of name.
  if (bytes.size() < 24) return malformed("cut off after " + std::to_string(bytes.size()) + " bytes");
  const std::uint64_t pixels = u32(bytes, 16) * u32(bytes, 20);
  if (pixels > kMostPngPixels) {
    return fail(
        {Error::Kind::TooLarge, 0,
         "a PNG of " + std::to_string(pixels) + " pixels, and " + std::to_string(kMostPngPixels) + " is the most"});
  }
  auto jpeg = jpeg::png_to_jpeg(bytes, encoder_, kPngQuality);
  if (!jpeg) return fail(std::move(jpeg).error());
  jpeg::Walker walker;
  walker.walk(jpeg->view());
  return Picture{std::move(*jpeg), walker.info()};
}

}  // namespace fp::ingest
