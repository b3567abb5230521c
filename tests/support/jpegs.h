// Real little JPEGs for tests.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/text.h"
#include "jpeg/encoder.h"
#include "jpeg/walker.h"

namespace fp::test {

/// A picture that differs with `number`.
inline std::string make_jpeg(int number, int width_px = 48, int height_px = 32) {
  jpeg::Picture picture({width_px, height_px});
  picture.fill(0, 0, width_px, height_px, jpeg::Colour::rgb(40 * number % 256, 90, 200));
  picture.text(2, 2, 1, jpeg::Colour::rgb(255, 255, 255), std::to_string(number));
  jpeg::Encoder encoder;
  return std::string(as_text(encoder.encode(picture, 80).value().view()));
}

/// The same with an APP1 segment behind SOI that holds a whole other JPEG, as EXIF thumbnails do.
inline std::string with_thumbnail(const std::string& jpeg, const std::string& thumbnail) {
  const std::string payload = "Exif" + std::string(2, '\0') + thumbnail;
  const std::size_t length = payload.size() + 2;
  std::string segment = "\xFF\xE1";
  segment += static_cast<char>(length >> 8);
  segment += static_cast<char>(length & 0xFF);
  return jpeg.substr(0, 2) + segment + payload + jpeg.substr(2);
}

/// The same without its DHT segments, as UVC cameras send them.
inline std::string without_huffman_tables(const std::string& jpeg) {
  std::string result = jpeg.substr(0, 2);
  std::size_t at = 2;
  while (at + 4 <= jpeg.size()) {
    const auto code = static_cast<unsigned char>(jpeg[at + 1]);
    const std::size_t length = (static_cast<std::size_t>(static_cast<unsigned char>(jpeg[at + 2])) << 8) +
                               static_cast<unsigned char>(jpeg[at + 3]);
    if (code == 0xDA) break;
    if (code != 0xC4) result += jpeg.substr(at, 2 + length);
    at += 2 + length;
  }
  return result + jpeg.substr(at);
}

}  // namespace fp::test
