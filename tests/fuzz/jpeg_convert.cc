// jpeg::Converter with arbitrary bytes and arbitrary wishes: it fails in words, or gives a whole JPEG of the planned
// size.
//
// The first eight bytes are the wishes, the rest is the would-be JPEG.
#include <cstdint>

#include "jpeg/converter.h"
#include "jpeg/walker.h"

namespace {

using fp::ByteView;
using fp::jpeg::Walker;
using fp::jpeg::Wishes;

void require(bool holds) {
  if (!holds) __builtin_trap();
}

constexpr std::size_t kWishBytes = 8;

Wishes wishes_of(const std::uint8_t* bytes) {
  Wishes wishes;
  wishes.turn = {(bytes[0] & 1) != 0, (bytes[0] & 2) != 0, (bytes[0] & 4) != 0};
  wishes.gray = (bytes[0] & 8) != 0;
  wishes.half = (bytes[0] & 16) != 0;
  if ((bytes[0] & 32) != 0) wishes.text = "12:34";
  if ((bytes[0] & 64) != 0) wishes.quality_percent = 1 + bytes[1] % 100;
  if ((bytes[0] & 128) != 0) wishes.crop = fp::jpeg::Rect{bytes[2], bytes[3], 1 + bytes[4], 1 + bytes[5]};
  wishes.width_px = bytes[6];
  wishes.height_px = bytes[7];
  return wishes;
}

// Large pictures of nothing take their time, and teach nothing.
bool small(ByteView jpeg) {
  Walker walker;
  walker.walk(jpeg);
  return walker.info().width_px <= 512 && walker.info().height_px <= 512;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < kWishBytes) return 0;
  const ByteView bytes(data + kWishBytes, size - kWishBytes);
  if (!small(bytes)) return 0;
  static fp::jpeg::Converter converter;  // as in a program, where what one picture leaves behind meets the next
  const auto outcome = converter.convert(fp::Blob::copy_of(bytes), wishes_of(data));
  if (!outcome) {
    require(!outcome.error().text.empty());
    return 0;
  }
  if (outcome->how == fp::jpeg::Converter::How::Untouched) return 0;
  Walker walker;
  const Walker::Status status = walker.walk(outcome->jpeg.view());
  // A quantisation table of 255, 216, 255 is legal, and the walker takes it for the beginning of another picture.
  if (walker.cut_off()) return 0;
  require(status == Walker::Status::Done);
  require(walker.info().width_px == outcome->geometry.to.width_px);
  require(walker.info().height_px == outcome->geometry.to.height_px);
  return 0;
}
