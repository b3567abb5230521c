#include "detect/labels.h"

#include <cctype>
#include <charconv>
#include <cstdint>
#include <map>
#include <optional>

#include "base/file.h"
#include "base/text.h"

namespace fp::detect {
namespace {

constexpr std::size_t kMostLabels = 65536;
constexpr std::size_t kLongest = 256;
constexpr std::size_t kMostBytes = kMostLabels * (kLongest + 2);

// False where there is no such character.
bool append_utf8(std::uint32_t code, std::string& text) {
  if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return false;
  const auto tail = [&](int shift) { text += static_cast<char>(0x80 | ((code >> shift) & 0x3F)); };
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xC0 | (code >> 6));
    tail(0);
  } else if (code < 0x10000) {
    text += static_cast<char>(0xE0 | (code >> 12));
    tail(6);
    tail(0);
  } else {
    text += static_cast<char>(0xF0 | (code >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
  return true;
}

// A cursor over Python's literals.
class Literals {
 public:
  explicit Literals(std::string_view text) : text_(text) {}

  bool take(char c) {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  std::optional<std::size_t> number() {
    skip_blanks();
    const std::size_t begin = at_;
    while (at_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
    return parse_integer<std::size_t>(text_.substr(begin, at_ - begin));
  }
  std::optional<std::string> string() {
    skip_blanks();
    if (at_ >= text_.size() || (text_[at_] != '\'' && text_[at_] != '"')) return std::nullopt;
    const char quote = text_[at_++];
    std::string value;
    while (at_ < text_.size() && text_[at_] != quote) {
      if (text_[at_] != '\\') {
        value += text_[at_++];
      } else if (!escape(value)) {
        return std::nullopt;
      }
    }
    if (at_ >= text_.size() || value.size() > kLongest) return std::nullopt;
    ++at_;
    return value;
  }

 private:
  void skip_blanks() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }
  // As repr() writes what cannot be printed, and quotes.
  bool escape(std::string& value) {
    if (at_ + 1 >= text_.size()) return false;
    const char kind = text_[at_ + 1];
    at_ += 2;
    const std::size_t digits = kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 0;
    if (digits == 0) {
      value += kind == 'n' ? '\n' : kind == 'r' ? '\r' : kind == 't' ? '\t' : kind;
      return true;
    }
    if (text_.size() - at_ < digits) return false;
    std::uint32_t code = 0;
    const std::string_view number = text_.substr(at_, digits);
    const auto [end, error] = std::from_chars(number.data(), number.data() + digits, code, 16);
    if (error != std::errc() || end != number.data() + digits) return false;
    at_ += digits;
    return append_utf8(code, value);
  }
  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Result<Labels> read_labels(const std::string& path) {
  const std::string where = "--labels " + path;
  const auto file = read_file(path, kMostBytes);
  if (!file && file.error().sys != 0) return fail(io_error(where, file.error().sys));
  if (!file) return fail(Error(file.error()).in("--labels"));
  std::string_view text = as_text(file->view());
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  Labels labels;
  std::size_t number = 0;
  std::size_t blank = 0;  // the first blank line that has none but blank ones behind it so far
  for (const std::string_view line : split(text, '\n')) {
    ++number;
    const std::string at = where + ", line " + std::to_string(number);
    const std::string name(trim(line));
    if (name.empty()) {
      if (blank == 0) blank = number;
      continue;
    }
    if (blank != 0) return malformed(where + ", line " + std::to_string(blank) + ": is empty (one name a line)");
    if (name.size() > kLongest) return malformed(at + ": is over 256 bytes long: is this a list of names?");
    if (!is_utf8(name)) return malformed(at + ": is not UTF-8: is this a list of names?");
    if (labels.size() >= kMostLabels) return malformed(at + ": more than 65536 names");
    labels.push_back(name);
  }
  if (labels.empty()) return malformed(where + ": has no names in it (one a line, the first for class 0)");
  return labels;
}

Labels parse_names(std::string_view text) {
  Literals literals(text);
  std::map<std::size_t, std::string> names;
  if (!literals.take('{')) return {};
  while (!literals.take('}')) {
    const auto index = literals.number();
    if (!index || *index >= kMostLabels || !literals.take(':')) return {};
    auto name = literals.string();
    if (!name) return {};
    names[*index] = std::move(*name);
    if (literals.take(',')) continue;
    if (!literals.take('}')) return {};
    break;
  }
  Labels labels;
  for (auto& [index, name] : names) {
    if (index != labels.size()) return {};
    labels.push_back(std::move(name));
  }
  return labels;
}

}  // namespace fp::detect
