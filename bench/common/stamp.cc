#include "common/stamp.h"

#include <algorithm>
#include <charconv>

namespace fp::bench {
namespace {

constexpr std::string_view kMagic = "FPSTAMP1 ";
constexpr std::size_t kSegmentLength = 2 + kStampTextBytes;  // a JPEG segment's length counts its own two bytes
constexpr std::array<char, 6> kOpening = {
    '\xFF', '\xD8', '\xFF', '\xFE', char{kSegmentLength >> 8}, char{kSegmentLength & 0xFF}};

char* write_hex(char* to, std::uint64_t value, int digits) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) *to++ = "0123456789abcdef"[value >> shift & 0xFu];
  return to;
}

template <typename Unsigned>
bool read_hex(std::string_view text, Unsigned& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

StampedHead stamped_head(const Stamp& stamp) {
  StampedHead head{};
  char* to = std::copy(kOpening.begin(), kOpening.end(), head.data());
  to = std::copy(kMagic.begin(), kMagic.end(), to);
  to = write_hex(to, static_cast<std::uint64_t>(stamp.emitted_us), 16);
  *to++ = ' ';
  to = write_hex(to, stamp.number, 8);
  *to++ = ' ';
  write_hex(to, stamp.crc, 8);
  return head;
}

std::optional<Stamp> read_stamp(std::string_view jpeg) {
  if (jpeg.size() < kStampedHeadBytes || !std::equal(kOpening.begin(), kOpening.end(), jpeg.begin())) return {};
  const std::string_view text = jpeg.substr(kOpening.size(), kStampTextBytes);
  if (!text.starts_with(kMagic)) return {};
  std::uint64_t emitted_us = 0;
  Stamp stamp;
  if (!read_hex(text.substr(9, 16), emitted_us) || !read_hex(text.substr(26, 8), stamp.number) ||
      !read_hex(text.substr(35, 8), stamp.crc)) {
    return {};
  }
  stamp.emitted_us = static_cast<std::int64_t>(emitted_us);
  return stamp;
}

}  // namespace fp::bench
