#include "jpeg/png.h"

#include <png.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

namespace fp::jpeg {
namespace {

constexpr std::array<std::uint8_t, 8> kSignature = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
constexpr std::uint64_t kMostPixels = 64'000'000;

struct Image {
  png_image raw{};
  Image() { raw.version = PNG_IMAGE_VERSION; }
  ~Image() { png_image_free(&raw); }
  Image(const Image&) = delete;
  Image& operator=(const Image&) = delete;
  [[nodiscard]] Size size() const { return {static_cast<int>(raw.width), static_cast<int>(raw.height)}; }
};

std::size_t big_endian_32(const std::uint8_t* at) {
  return (static_cast<std::size_t>(at[0]) << 24) | (static_cast<std::size_t>(at[1]) << 16) |
         (static_cast<std::size_t>(at[2]) << 8) | at[3];
}

// Where `format` has no opacity, transparency is on black.
Result<std::vector<std::uint8_t>> read(ByteView png, Image& image, png_uint_32 format) {
  if (is_png(png) && !is_whole_png(png)) return malformed("cut off after " + std::to_string(png.size()) + " bytes");
  if (png_image_begin_read_from_memory(&image.raw, png.data(), png.size()) == 0) {
    return malformed(std::string("png: ") + image.raw.message);
  }
  const std::uint64_t pixels = static_cast<std::uint64_t>(image.raw.width) * image.raw.height;
  if (pixels > kMostPixels || image.raw.width > 16384 || image.raw.height > 16384) {
    return fail({Error::Kind::TooLarge, 0,
                 "png: " + std::to_string(image.raw.width) + "x" + std::to_string(image.raw.height) + " is too large"});
  }
  image.raw.format = format;
  std::vector<std::uint8_t> bytes(PNG_IMAGE_SIZE(image.raw));
  const png_color background{0, 0, 0};
  if (png_image_finish_read(&image.raw, &background, bytes.data(), 0, nullptr) == 0) {
    return malformed(std::string("png: ") + image.raw.message);
  }
  return bytes;
}

}  // namespace

bool is_png(ByteView bytes) {
  return bytes.size() >= kSignature.size() && std::equal(kSignature.begin(), kSignature.end(), bytes.begin());
}

bool is_whole_png(ByteView bytes) {
  if (!is_png(bytes)) return false;
  std::size_t at = kSignature.size();
  while (at + 12 <= bytes.size()) {  // a chunk: length, type, data, CRC (PNG specification, section 5.3)
    const bool end = std::memcmp(&bytes[at + 4], "IEND", 4) == 0;
    if (end) return true;
    at += 12 + big_endian_32(&bytes[at]);
  }
  return false;
}

Result<Rgba> read_png(ByteView png) {
  Image image;
  auto pixels = read(png, image, PNG_FORMAT_RGBA);
  if (!pixels) return fail(std::move(pixels.error()));
  return Rgba{image.size(), std::move(*pixels)};
}

Result<Blob> png_to_jpeg(ByteView png, Encoder& encoder, int quality_percent) {
  Image image;
  const auto pixels = read(png, image, PNG_FORMAT_RGB);
  if (!pixels) return fail(pixels.error());
  return encoder.encode_rgb(*pixels, image.size(), quality_percent);
}

}  // namespace fp::jpeg
