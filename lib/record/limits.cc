#include "record/limits.h"

#include <array>
#include <cmath>

#include "base/text.h"

namespace fp::record {
namespace {

using std::chrono::milliseconds;

struct Unit {
  std::string_view name;
  double factor;
};
constexpr std::array<Unit, 5> kTimes = {{{"ms", 1}, {"s", 1e3}, {"m", 60e3}, {"h", 3600e3}, {"d", 86400e3}}};
constexpr std::array<Unit, 4> kSizes = {{{"K", 0x1p10}, {"M", 0x1p20}, {"G", 0x1p30}, {"T", 0x1p40}}};

// The number in front of the unit, in what the unit counts; nothing outside (0, most].
template <std::size_t N>
std::optional<double> parse_quantity(std::string_view text, const std::array<Unit, N>& units, double most) {
  const auto digits = text.find_first_not_of("0123456789.");
  if (digits == std::string_view::npos) return std::nullopt;
  const auto number = parse_double(text.substr(0, digits));
  for (const Unit& unit : units) {
    if (!number || text.substr(digits) != unit.name) continue;
    const double value = *number * unit.factor;
    if (value >= 1 && value <= most) return value;
  }
  return std::nullopt;
}

}  // namespace

std::optional<milliseconds> parse_time(std::string_view text) {
  const auto ms = parse_quantity(text, kTimes, 1e4 * 86400e3);
  return ms ? std::optional(milliseconds(std::llround(*ms))) : std::nullopt;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  for (const std::string_view behind : {"iB", "B"}) {
    if (text.ends_with(behind)) {
      text.remove_suffix(behind.size());
      break;
    }
  }
  const auto bytes = parse_quantity(text, kSizes, 0x1p60);
  return bytes ? std::optional(static_cast<std::uint64_t>(*bytes)) : std::nullopt;
}

Result<Limits> parse_limits(std::string_view text) {
  Limits limits;
  for (const std::string_view part : split(text, ',')) {
    const auto time = parse_time(part);
    const auto bytes = parse_size(part);
    if ((!time && !bytes) || (time && limits.time) || (bytes && limits.bytes)) {
      return fail(
          {Error::Kind::Unsupported, 0,
           "'" + printable(text) + "' is no time or size: write 10m (minutes), 500M (bytes), or both: 10m,500M"});
    }
    if (time) limits.time = time;
    if (bytes) limits.bytes = bytes;
  }
  return limits;
}

}  // namespace fp::record
