#include "record/moment.h"

#include <algorithm>
#include <ctime>

#include "base/text.h"
#include "record/limits.h"

namespace fp::record {
namespace {

// Takes from the front of a text what it is asked for.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}
  // A number of exactly `digits` digits within the bounds.
  std::optional<int> number(std::size_t digits, int least, int most) {
    if (text_.size() < digits) return std::nullopt;
    const auto value = parse_integer<unsigned>(text_.substr(0, digits));
    if (!value || static_cast<int>(*value) < least || static_cast<int>(*value) > most) return std::nullopt;
    text_.remove_prefix(digits);
    return static_cast<int>(*value);
  }
  bool skip(std::string_view any) {
    if (text_.empty() || any.find(text_.front()) == std::string_view::npos) return false;
    text_.remove_prefix(1);
    return true;
  }
  [[nodiscard]] std::string_view rest() const { return text_; }
  void drop(std::size_t size) { text_.remove_prefix(size); }

 private:
  std::string_view text_;
};

bool read_date(Cursor& cursor, std::tm& time) {
  const auto year = cursor.number(4, 1970, 9999);
  const bool dash = cursor.skip("-");
  const auto month = cursor.number(2, 1, 12);
  const bool second_dash = cursor.skip("-");
  const auto day = cursor.number(2, 1, 31);
  if (!year || !dash || !month || !second_dash || !day) return false;
  time.tm_year = *year - 1900;
  time.tm_mon = *month - 1;
  time.tm_mday = *day;
  return true;
}

// Also the fraction of the second.
bool read_clock(Cursor& cursor, std::tm& time, std::chrono::microseconds& fraction) {
  const auto hour = cursor.number(2, 0, 23);
  const bool colon = cursor.skip(":");
  const auto minute = cursor.number(2, 0, 59);
  if (!hour || !colon || !minute) return false;
  time.tm_hour = *hour;
  time.tm_min = *minute;
  if (!cursor.skip(":")) return true;
  const auto second = cursor.number(2, 0, 60);
  if (!second) return false;
  time.tm_sec = *second;
  if (!cursor.rest().starts_with('.')) return true;
  const auto digits = std::min(cursor.rest().find_first_not_of("0123456789", 1), cursor.rest().size());
  const auto value = parse_timestamp("0" + std::string(cursor.rest().substr(0, digits)));
  if (digits < 2 || !value) return false;
  fraction = value->time_since_epoch();
  cursor.drop(digits);
  return true;
}

// Seconds east of Greenwich; nothing where there is no zone.
bool read_zone(Cursor& cursor, std::optional<std::chrono::seconds>& east) {
  if (cursor.rest().empty()) return true;
  if (cursor.skip("Zz")) {
    east = std::chrono::seconds(0);
    return cursor.rest().empty();
  }
  const int sign = cursor.rest().front() == '-' ? -1 : 1;
  if (!cursor.skip("+-")) return false;
  const auto hours = cursor.number(2, 0, 23);
  cursor.skip(":");
  const auto minutes = cursor.number(2, 0, 59);
  if (!hours || !minutes) return false;
  east = std::chrono::seconds(sign * (*hours * 3600 + *minutes * 60));
  return cursor.rest().empty();
}

}  // namespace

std::optional<Moment> parse_moment(std::string_view text, bool local) {
  if (text.starts_with('+')) {
    const auto after = parse_time(text.substr(1));
    return after ? std::optional(Moment{std::nullopt, *after}) : std::nullopt;
  }
  if (const auto epoch = parse_timestamp(text)) {
    // Four digits alone are more likely a year.
    return text.size() > 4 ? std::optional(Moment{*epoch, {}}) : std::nullopt;
  }
  Cursor cursor(text);
  std::tm time{};
  std::chrono::microseconds fraction{0};
  std::optional<std::chrono::seconds> east;
  if (!read_date(cursor, time)) return std::nullopt;
  if (cursor.skip("Tt ") && !read_clock(cursor, time, fraction)) return std::nullopt;
  if (!read_zone(cursor, east)) return std::nullopt;
  time.tm_isdst = -1;
  const std::time_t seconds = local && !east ? std::mktime(&time) : ::timegm(&time);
  if (seconds < 0) return std::nullopt;
  const WallTime wall(std::chrono::seconds(seconds) + fraction);
  return Moment{wall - east.value_or(std::chrono::seconds(0)), {}};
}

}  // namespace fp::record
