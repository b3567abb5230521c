#include "source/pass_through.h"

namespace fp {

PassThrough::Passed PassThrough::pass(ByteView bytes) {
  auto clean = jpeg::clean(Blob::copy_of(bytes));
  if (!clean) {
    const bool jpeg = bytes.size() >= 2 && bytes[0] == 0xFF && bytes[1] == 0xD8;
    const bool cut = clean.error().text.starts_with("cut off");
    return {{}, {}, cut ? Skip::Truncated : jpeg ? Skip::Corrupt : Skip::NotJpeg};
  }
  if (scan_check_.check(clean->jpeg.view()) == jpeg::ScanCheck::Verdict::Damaged) return {{}, {}, Skip::Corrupt};
  return {std::move(clean->jpeg), clean->info, std::nullopt};
}

}  // namespace fp
