// Real little PNGs for tests.
#pragma once

#include <png.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace fp::test {

/// A picture of one colour.
inline std::string make_png(int width, int height, int red = 200, int green = 60, int blue = 30, int alpha = 255) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width);
  image.height = static_cast<png_uint_32>(height);
  image.format = PNG_FORMAT_RGBA;
  std::vector<png_byte> pixels;
  pixels.reserve(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * 4);
  for (int i = 0; i < width * height; ++i) {
    for (const int value : {red, green, blue, alpha}) pixels.push_back(static_cast<png_byte>(value));
  }
  png_alloc_size_t size = 0;
  std::string bytes;
  bool made = ::png_image_write_to_memory(&image, nullptr, &size, 0, pixels.data(), 0, nullptr) != 0;
  bytes.resize(size);
  made = made && ::png_image_write_to_memory(&image, bytes.data(), &size, 0, pixels.data(), 0, nullptr) != 0;
  if (!made) throw std::runtime_error("png_image_write_to_memory");
  return bytes;
}

}  // namespace fp::test
