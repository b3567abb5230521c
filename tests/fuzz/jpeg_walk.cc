// jpeg::Walker, jpeg::clean() and jpeg::ScanCheck with arbitrary bytes: the portions in which they come do not matter,
// what clean() lets through is a whole JPEG, and the scan of that is judged the same way each time.
//
// The first byte seeds the portions, the rest is the would-be JPEG.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>

#include "jpeg/hygiene.h"
#include "jpeg/scan_check.h"
#include "jpeg/walker.h"

namespace {

using fp::ByteView;
using fp::jpeg::Info;
using fp::jpeg::Walker;

void require(bool holds) {
  if (!holds) __builtin_trap();
}

bool same(const Info& a, const Info& b) {
  return a.width_px == b.width_px && a.height_px == b.height_px && a.components == b.components && a.sof == b.sof &&
         a.sof_offset == b.sof_offset && a.huffman_tables == b.huffman_tables &&
         a.quantisation_tables == b.quantisation_tables && a.adobe_app14 == b.adobe_app14 &&
         a.restart_interval_mcus == b.restart_interval_mcus && a.first_scan_offset == b.first_scan_offset;
}

void check_portions(ByteView bytes, std::uint8_t seed) {
  Walker whole;
  const Walker::Status expected = whole.walk(bytes);
  require(whole.position() <= bytes.size());

  std::minstd_rand random(seed + 1u);
  Walker pieces;
  Walker::Status status = Walker::Status::More;
  for (std::size_t fed = 0; fed < bytes.size() && status == Walker::Status::More;) {
    fed = std::min(bytes.size(), fed + 1 + random() % (seed % 8 == 0 ? 2 : 200));
    status = pieces.walk(bytes.first(fed));
  }
  require(status == expected);
  require(pieces.position() == whole.position());
  require(std::strcmp(pieces.reason(), whole.reason()) == 0);
  require(same(pieces.info(), whole.info()));
}

void check_clean(ByteView bytes) {
  const auto clean = fp::jpeg::clean(fp::Blob::copy_of(bytes));
  if (!clean) {
    require(!clean.error().text.empty());
    return;
  }
  Walker walker;
  require(walker.walk(clean->jpeg.view()) == Walker::Status::Done);
  require(walker.end() == clean->jpeg.size());
  require(same(walker.info(), clean->info));
  require(!fp::jpeg::lacks_huffman_tables(clean->info));
  require(clean->tables_inserted || clean->jpeg.size() + clean->padding_bytes == bytes.size());
  fp::jpeg::ScanCheck check;
  const auto verdict = check.check(clean->jpeg.view());
  require(check.check(clean->jpeg.view()) == verdict);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView bytes(data + 1, size - 1);
  check_portions(bytes, data[0]);
  check_clean(bytes);
  return 0;
}
