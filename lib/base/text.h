// Small things done with text, the same way everywhere.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace fp {

[[nodiscard]] std::string_view trim(std::string_view text);  ///< without spaces, tabs, CR and LF at both ends
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b);  ///< ASCII only
[[nodiscard]] bool starts_with_ignoring_case(std::string_view text, std::string_view prefix);
[[nodiscard]] std::string lower(std::string_view text);  ///< ASCII only
/// Views into `text`, which must live on: a temporary string is refused.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);
template <typename Temporary>
  requires std::same_as<Temporary, std::string>
std::vector<std::string_view> split(Temporary&& text, char separator) = delete;

/// The whole of `text` as a number in base 10, with no sign for unsigned types, no space and nothing behind it.
template <std::integral T>
[[nodiscard]] std::optional<T> parse_integer(std::string_view text) {
  T value{};
  auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || rest != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}
/// The whole of `text` as a finite decimal number.
[[nodiscard]] std::optional<double> parse_double(std::string_view text);

[[nodiscard]] bool is_utf8(std::string_view text);  ///< RFC 3629: no surrogates, nothing overlong
/// `text` as the inside of a JSON string: quotes, backslashes and control characters escaped, bytes that are not UTF-8
/// replaced by U+FFFD.
[[nodiscard]] std::string json_escape(std::string_view text);
/// `text` fit for one line on a terminal: control characters shown as \xNN, cut to `limit` bytes with "..." behind.
[[nodiscard]] std::string printable(std::string_view text, std::size_t limit = 200);
/// %XX undone (RFC 3986, section 2.1); nothing when an escape is broken or stands for a zero byte.
[[nodiscard]] std::optional<std::string> percent_decode(std::string_view text);

/// 1 to 64 letters, digits, `-` and `_`: the name of a camera, a filter, a token's holder. It stands in a route, a
/// header, a file's name, a topic and a subject of NATS as it is.
[[nodiscard]] bool is_plain_name(std::string_view text);
/// Two digits a byte, in small letters.
[[nodiscard]] std::string hex(ByteView bytes);

/// The lines of a file that lists something: those that are neither empty nor begin with `#`, trimmed.
struct NumberedLine {
  int number = 0;  ///< from 1, of all lines
  std::string_view text;
};
[[nodiscard]] std::vector<NumberedLine> entries_of(std::string_view text);

/// "1.2 MB", "34.5 KB", "17 B": powers of 1000, as disks and networks are counted.
[[nodiscard]] std::string human_bytes(std::uint64_t bytes);

}  // namespace fp
