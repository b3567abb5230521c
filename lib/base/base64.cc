#include "base/base64.h"

#include <array>

namespace fp {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint32_t kBad = 1U << 31U;  // above the 24 bits of a group

// For each byte of text its six bits, already where they belong in a group of four: a group is four look-ups, and one
// look at whether any was bad.
using Table = std::array<std::uint32_t, 256>;

constexpr Table make_table(unsigned shift) {
  Table table{};
  table.fill(kBad);
  for (std::uint32_t value = 0; value < kAlphabet.size(); ++value) {
    table.at(static_cast<unsigned char>(kAlphabet[value])) = value << shift;
  }
  return table;
}
constexpr std::array<Table, 4> kTables = {make_table(18), make_table(12), make_table(6), make_table(0)};

char letter(std::uint32_t bits) { return kAlphabet[bits & 63U]; }

std::uint32_t group_of(const std::uint8_t* text) {
  return kTables[0][text[0]] | kTables[1][text[1]] | kTables[2][text[2]] | kTables[3][text[3]];
}

}  // namespace

std::string base64(ByteView bytes) {
  std::string text((bytes.size() + 2) / 3 * 4, '=');
  char* out = text.data();
  const std::size_t whole = bytes.size() / 3 * 3;
  for (std::size_t at = 0; at < whole; at += 3) {
    const std::uint32_t group = std::uint32_t{bytes[at]} << 16U | std::uint32_t{bytes[at + 1]} << 8U | bytes[at + 2];
    *out++ = letter(group >> 18U);
    *out++ = letter(group >> 12U);
    *out++ = letter(group >> 6U);
    *out++ = letter(group);
  }
  const std::size_t left = bytes.size() - whole;
  if (left != 0) {
    const std::uint32_t second = left == 2 ? bytes[whole + 1] : 0U;
    const std::uint32_t group = std::uint32_t{bytes[whole]} << 16U | second << 8U;
    *out++ = letter(group >> 18U);
    *out++ = letter(group >> 12U);
    if (left == 2) *out++ = letter(group >> 6U);
  }
  return text;
}

std::optional<Blob> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  if (text.empty()) return Blob();
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  const std::size_t size = text.size() / 4 * 3 - padding;

  Buffer buffer(size);
  std::uint8_t* out = buffer.data();
  const ByteView bytes = as_bytes(text);
  const std::size_t last = text.size() - 4;
  std::uint32_t seen = 0;
  for (std::size_t at = 0; at < last; at += 4) {
    const std::uint32_t group = group_of(bytes.data() + at);
    seen |= group;
    *out++ = static_cast<std::uint8_t>(group >> 16U);
    *out++ = static_cast<std::uint8_t>(group >> 8U);
    *out++ = static_cast<std::uint8_t>(group);
  }

  std::array<std::uint8_t, 4> end = {bytes[last], bytes[last + 1], bytes[last + 2], bytes[last + 3]};
  for (std::size_t i = 4 - padding; i < 4; ++i) end.at(i) = 'A';  // zero bits
  const std::uint32_t group = group_of(end.data());
  const std::uint32_t unused = padding == 2 ? 0xFFFFU : padding == 1 ? 0xFFU : 0U;
  if (((seen | group) & kBad) != 0 || (group & unused) != 0) return std::nullopt;
  *out++ = static_cast<std::uint8_t>(group >> 16U);
  if (padding < 2) *out++ = static_cast<std::uint8_t>(group >> 8U);
  if (padding < 1) *out = static_cast<std::uint8_t>(group);
  return std::move(buffer).into_blob(0, size);
}

}  // namespace fp
