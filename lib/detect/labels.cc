#include "detect/labels.h"

#include <cctype>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/text.h"

namespace fp::detect {
namespace {

constexpr std::size_t kMostLabels = 65536;
constexpr std::size_t kLongest = 256;

bool is_utf8(const std::string& text) {
  try {
    return !nlohmann::json(text).dump().empty();
  } catch (const nlohmann::json::type_error&) {
    return false;
  }
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
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      value += text_[at_++];
    }
    if (at_ >= text_.size() || value.size() > kLongest) return std::nullopt;
    ++at_;
    return value;
  }

 private:
  void skip_blanks() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_])) != 0) ++at_;
  }
  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

Result<Labels> read_labels(const std::string& path) {
  const std::string where = "--labels " + path;
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(io_error(where));
  Labels labels;
  std::string line;
  std::size_t number = 0;
  std::size_t blank = 0;  // the first blank line that has none but blank ones behind it so far
  while (std::getline(file, line)) {
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
  if (file.bad()) return fail(io_error(where, EIO));
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
