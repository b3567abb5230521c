// A JPEG made smaller, turned, cut, gray, written on: without loss where that can be, else decoded and encoded again.
#pragma once

#include <optional>
#include <string>

#include "base/bytes.h"
#include "base/result.h"
#include "jpeg/caption.h"
#include "jpeg/decoder.h"
#include "jpeg/encoder.h"
#include "jpeg/geometry.h"
#include "jpeg/transform.h"

namespace fp::jpeg {

/// What is to become of a picture; all that is left out stays as it is. The order is fixed: cut, turn, size, gray,
/// text.
struct Wishes {
  /// In pixels of the picture as it comes; cut to the picture where it reaches over it.
  std::optional<Rect> crop = std::nullopt;
  Turn turn = {};
  int width_px = 0;   ///< of the outcome; alone it keeps the proportions and never enlarges. 0: not asked for
  int height_px = 0;  ///< likewise; both together are obeyed whatever comes of it
  bool half = false;  ///< half as wide and half as high as all that makes it
  bool gray = false;
  std::optional<int> quality_percent = std::nullopt;  ///< 1 to 100; encodes again in any case
  std::string text = {};                              ///< one line, or empty
  Corner corner = Corner::BottomLeft;
};

/// What moves when a picture of the size `from` gets its wishes. Errors: Unsupported (nothing is left of it behind
/// `crop`); TooLarge (the outcome would not be within_limits()).
[[nodiscard]] Result<Geometry> plan(Size from, const Wishes& wishes);

/// One thread at a time. Memory: the planes of a picture two or three times, that is 4.5 bytes a pixel for the usual
/// 4:2:0; without loss, or decoding a progressive picture, what libjpeg-turbo needs for the coefficients: 3 to 12.
class Converter {
 public:
  static constexpr int kDefaultQuality = 80;

  enum class How {
    Untouched,  ///< there was nothing to do: the very bytes
    Lossless,   ///< the coefficients are those that came
    Encoded,    ///< decoded and encoded again
  };
  struct Outcome {
    Blob jpeg;
    Geometry geometry;
    How how = How::Untouched;
    std::string why;  ///< of How::Encoded, for people: "a height of 1080 is no multiple of 16"
  };

  /// Converts a whole JPEG. Lossless keeps all APPn and COM segments; encoding again drops them.
  /// Errors: Malformed (damaged; never shown half), TooLarge (not within_limits(), said before anything is allocated),
  /// Unsupported (four colours, or nothing left behind a crop).
  [[nodiscard]] Result<Outcome> convert(const Blob& jpeg, const Wishes& wishes);

 private:
  [[nodiscard]] Result<Blob> encode_again(const Blob& jpeg, const Wishes& wishes, const Geometry& geometry);

  Decoder decoder_;
  Transformer transformer_;
  Encoder encoder_;
};

}  // namespace fp::jpeg
