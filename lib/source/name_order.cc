#include "source/name_order.h"

#include <array>
#include <ctime>

#include "base/text.h"

namespace fp {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view digits_at(std::string_view text) {
  std::size_t length = 0;
  while (length < text.size() && is_digit(text[length])) ++length;
  return text.substr(0, length);
}

// ".250" or "_250" behind a time of day, as microseconds; `text` moves behind it.
long long take_fraction(std::string_view& text) {
  if (text.size() < 2 || (text[0] != '.' && text[0] != '_' && text[0] != ',') || !is_digit(text[1])) return 0;
  const std::string_view digits = digits_at(text.substr(1));
  if (digits.size() > 9) return 0;
  long long micros = 0;
  long long unit = 100'000;
  for (const char c : digits) {
    micros += unit * (c - '0');
    unit /= 10;
  }
  text.remove_prefix(1 + digits.size());
  return micros;
}

// Reads a date and time of day at the start of `text`.
std::optional<WallTime> date_at(std::string_view text) {
  std::array<int, 6> fields{};
  constexpr std::array<std::size_t, 6> kWidths = {4, 2, 2, 2, 2, 2};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0 && !text.empty() && std::string_view("-_:.T ").find(text.front()) != std::string_view::npos) {
      text.remove_prefix(1);
    }
    const auto value = parse_integer<int>(text.substr(0, kWidths[i]));
    if (!value || text.size() < kWidths[i] || !is_digit(text.front())) return std::nullopt;
    fields[i] = *value;
    text.remove_prefix(kWidths[i]);
  }
  const auto [year, month, day, hour, minute, second] = fields;
  if (year < 1970 || year > 2199 || month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 ||
      second > 60) {
    return std::nullopt;
  }
  // More digits at once: a number that only looked like a date, unless they are a fraction of the second.
  long long micros = 0;
  if (const std::string_view more = digits_at(text); !more.empty()) {
    if (more.size() != 3 && more.size() != 6) return std::nullopt;
    micros = *parse_integer<long long>(more) * (more.size() == 3 ? 1000 : 1);
    text.remove_prefix(more.size());
  } else {
    micros = take_fraction(text);
  }
  std::tm date{};
  date.tm_year = year - 1900;
  date.tm_mon = month - 1;
  date.tm_mday = day;
  date.tm_hour = hour;
  date.tm_min = minute;
  date.tm_sec = second;
  date.tm_isdst = -1;
  const bool utc = !text.empty() && text.front() == 'Z';
  const std::time_t seconds = utc ? ::timegm(&date) : ::mktime(&date);
  if (seconds < 0 || date.tm_mday != day) return std::nullopt;  // the 30th of February
  return WallTime(std::chrono::seconds(seconds) + std::chrono::microseconds(micros));
}

std::optional<WallTime> epoch_at(std::string_view text) {
  const std::string_view digits = digits_at(text);
  const auto value = parse_integer<long long>(digits);
  if (!value || digits.front() == '0') return std::nullopt;
  switch (digits.size()) {
    case 10: {
      std::string_view rest = text.substr(10);
      const long long micros = rest.starts_with('.') ? take_fraction(rest) : 0;
      return WallTime(std::chrono::seconds(*value) + std::chrono::microseconds(micros));
    }
    case 13:
      return WallTime(std::chrono::milliseconds(*value));
    case 16:
      return WallTime(std::chrono::microseconds(*value));
    case 19:
      return WallTime(std::chrono::microseconds(*value / 1000));
    default:
      return std::nullopt;
  }
}

}  // namespace

int compare_natural(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    std::string_view x = digits_at(a);
    std::string_view y = digits_at(b);
    if (!x.empty() && !y.empty()) {
      a.remove_prefix(x.size());
      b.remove_prefix(y.size());
      while (x.size() > 1 && x.front() == '0') x.remove_prefix(1);
      while (y.size() > 1 && y.front() == '0') y.remove_prefix(1);
      if (x.size() != y.size()) return x.size() < y.size() ? -1 : 1;
      if (const int order = x.compare(y); order != 0) return order;
      continue;
    }
    if (a.front() != b.front())
      return static_cast<unsigned char>(a.front()) < static_cast<unsigned char>(b.front()) ? -1 : 1;
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
  return static_cast<int>(!a.empty()) - static_cast<int>(!b.empty());
}

std::optional<WallTime> time_in_name(std::string_view name) {
  for (std::size_t at = 0; at < name.size(); ++at) {
    if (!is_digit(name[at]) || (at > 0 && is_digit(name[at - 1]))) continue;
    if (const auto date = date_at(name.substr(at))) return date;
    if (const auto epoch = epoch_at(name.substr(at))) return epoch;
  }
  return std::nullopt;
}

}  // namespace fp
