#include "jpeg/scan_check.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace fp::jpeg {
namespace {

constexpr int kCoefficients = 64;
constexpr int kMostMean = 1024;  // 8 * 128: the DC coefficient of a white or black block, dequantised
constexpr int kMostDcBits = 11;  // in pictures of 8 bits
constexpr int kMostAcBits = 10;
constexpr std::size_t kPadding = 64;  // bytes that may be looked at behind the end before anybody notices

// The parts of a Step.
constexpr std::int64_t kUsedMask = 63;
constexpr int kAdvanceShift = 6;
constexpr std::int64_t kAdvanceMask = 127;
constexpr std::uint32_t kLookCloser = 64;
constexpr int kDifferenceShift = 13;
constexpr std::uint32_t kDifferenceMask = 0xFFF;  // a signed number
constexpr std::uint32_t kEnd = 1u << 31;

int difference_of(int value, int category) {
  if (category == 0) return 0;
  return value < (1 << (category - 1)) ? value - (1 << category) + 1 : value;
}

// The means of all components in one word, a lane of 16 bits for each, so that nothing depends on where a block belongs
// to. A lane holds a mean and kMeanZero; a step changes it by less than 2048.
constexpr std::uint64_t kLanes = 0x0001'0001'0001'0001u;
constexpr std::uint64_t kMeanZero = 0x2000;
constexpr std::uint64_t kLaneTop = 0x8000;

int big_endian(ByteView bytes, std::size_t at) { return (bytes[at] << 8) | bytes[at + 1]; }

}  // namespace

// Where an interval is being read.
struct ScanCheck::Position {
  const std::uint8_t* byte = nullptr;  // the next to be read
  std::uint64_t bits = 0;              // from the top
  int count = 0;                       // of them
  std::uint64_t coefficient = 0;
  bool ended = false;  // the block
  std::uint64_t means = kLanes * kMeanZero;

  // At least 56 bits to look at. What lies below those that are counted is what comes next: it will be put there again.
  [[gnu::always_inline]] void refill() {
    std::uint64_t next = 0;
    std::memcpy(&next, byte, 8);
    if constexpr (std::endian::native == std::endian::little) next = __builtin_bswap64(next);
    bits |= next >> count;
    byte += (63 - count) >> 3;
    count |= 56;
  }
  [[nodiscard]] unsigned peek(int width) const { return static_cast<unsigned>(bits >> (64 - width)); }
  void skip(int width) {
    bits <<= width;
    count -= width;
  }
};

ScanCheck::Verdict ScanCheck::check(ByteView jpeg) {
  std::size_t scan = 0;
  if (!read_segments(jpeg, scan)) return Verdict::Unknown;
  return decode(jpeg.subspan(scan)) ? Verdict::Whole : Verdict::Damaged;
}

// Up to the first scan, whose data begins at `scan`. False: not a picture that can be looked at.
bool ScanCheck::read_segments(ByteView jpeg, std::size_t& scan) {
  components_.clear();
  restart_interval_mcus_ = 0;
  std::size_t at = 2;
  while (at + 4 <= jpeg.size()) {
    if (jpeg[at] == 0xFF && jpeg[at + 1] == 0xFF) {
      ++at;
      continue;
    }
    const std::uint8_t code = jpeg[at + 1];
    const auto length = static_cast<std::size_t>(big_endian(jpeg, at + 2));
    if (jpeg[at] != 0xFF || length < 2 || at + 2 + length > jpeg.size()) return false;
    const ByteView payload = jpeg.subspan(at + 4, length - 2);
    at += 2 + length;
    switch (code) {
      case 0xC0:
      case 0xC1:
        if (!read_frame(payload)) return false;
        break;
      case 0xC4:
        if (!read_tables(payload)) return false;
        break;
      case 0xDB:
        for (std::size_t i = 0; i < payload.size();) {
          const bool wide = payload[i] >> 4 != 0;
          if (i + (wide ? 129 : 65) > payload.size()) return false;
          quantisers_[payload[i] & 3] = wide ? big_endian(payload, i + 1) : payload[i + 1];
          i += wide ? 129 : 65;
        }
        break;
      case 0xDD:
        if (payload.size() != 2) return false;
        restart_interval_mcus_ = big_endian(payload, 0);
        break;
      case 0xDA:
        scan = at;
        return read_scan(payload);
      default:
        if ((code >= 0xC2 && code <= 0xCF) || code == 0xDC) return false;  // other ways of coding
        break;
    }
  }
  return false;
}

bool ScanCheck::read_frame(ByteView payload) {
  if (payload.size() < 6 || payload[0] != 8 || !components_.empty()) return false;
  height_px_ = big_endian(payload, 1);
  width_px_ = big_endian(payload, 3);
  const std::size_t count = payload[5];
  if (count == 0 || count > 4 || payload.size() != 6 + 3 * count) return false;
  for (std::size_t i = 0; i < count; ++i) {
    Component component;
    component.id = payload[6 + 3 * i];
    component.width_factor = payload[7 + 3 * i] >> 4;
    component.height_factor = payload[7 + 3 * i] & 15;
    component.quantisation_table = payload[8 + 3 * i] & 3;
    if (component.width_factor < 1 || component.width_factor > 4) return false;
    if (component.height_factor < 1 || component.height_factor > 4) return false;
    component.blocks = component.width_factor * component.height_factor;
    components_.push_back(component);
  }
  return true;
}

bool ScanCheck::read_tables(ByteView payload) {
  for (std::size_t at = 0; at < payload.size();) {
    if (at + 17 > payload.size()) return false;
    const bool ac = payload[at] >> 4 == 1;
    if (payload[at] >> 4 > 1 || (payload[at] & 15) > 3) return false;
    std::size_t values = 0;
    for (std::size_t i = 1; i <= 16; ++i) values += payload[at + i];
    if (values > 256 || at + 17 + values > payload.size()) return false;
    const ByteView definition = payload.subspan(at + 1, 16 + values);
    Table& table = tables_[(ac ? 4u : 0u) + (payload[at] & 3)];
    at += 17 + values;
    if (std::ranges::equal(table.definition, definition)) continue;
    table = {};
    table.definition.assign(definition.begin(), definition.end());
    table.version = ++versions_;
    build(table);
  }
  return true;
}

// T.81 annex C, and a look-up by the first bits.
void ScanCheck::build(Table& table) {
  std::copy(table.definition.begin() + 16, table.definition.end(), table.values.begin());
  std::int32_t code = 0;
  std::int32_t value = 0;
  for (std::size_t length = 1; length <= 16; ++length) {
    const int count = table.definition[length - 1];
    table.first_value[length] = value - code;
    table.last_code[length] = count > 0 ? code + count - 1 : -1;
    if (length <= kIndexBits) {
      for (int i = 0; i < count; ++i) {
        const std::size_t first = static_cast<std::uint32_t>(code + i);
        const std::size_t from = first << (kIndexBits - length);
        const std::size_t end = std::min(from + (std::size_t{1} << (kIndexBits - length)), kEntries);
        for (std::size_t index = from; index < end; ++index) {
          table.length[index] = static_cast<std::uint8_t>(length);
          table.symbol[index] = table.values[static_cast<std::uint32_t>(value + i)];
        }
      }
    }
    code = (code + count) << 1;
    value += count;
  }
}

// The AC codes at bits of which `used` are read already.
ScanCheck::Step ScanCheck::follow(const Table& ac, std::size_t index, int used, int advance, int difference) {
  bool end = false;
  while (used < kIndexBits && !end) {
    const std::size_t rest = (index << used) & (kEntries - 1);
    const int length = ac.length[rest];
    if (length == 0 || length > kIndexBits - used) break;
    const int run = ac.symbol[rest] >> 4;
    const int size = ac.symbol[rest] & 15;
    if (size > kMostAcBits || (size == 0 && run != 0 && run != 15)) break;
    if (advance + run + 1 >= kCoefficients) break;
    end = size == 0 && run == 0;
    if (!end) advance += run + 1;
    used += length + size;
  }
  if (used == 0) return kLookCloser << kAdvanceShift;
  return static_cast<Step>(used) | static_cast<Step>(advance) << kAdvanceShift | (end ? kEnd : 0) |
         (static_cast<Step>(difference) & kDifferenceMask) << kDifferenceShift;
}

// `dc` nullptr: behind the beginning of a block.
void ScanCheck::build_steps(const Table* dc, const Table& ac, Step* steps) {
  for (std::size_t index = 0; index < kEntries; ++index) {
    if (dc == nullptr) {
      steps[index] = follow(ac, index, 0, 0, 0);
      continue;
    }
    const int length = dc->length[index];
    const int category = dc->symbol[index];
    const int used = length + category;
    if (length == 0 || category > kMostDcBits || used > kIndexBits) {
      steps[index] = kLookCloser << kAdvanceShift;
      continue;
    }
    const auto value = static_cast<int>(index >> (kIndexBits - used) & ((std::size_t{1} << category) - 1));
    steps[index] = follow(ac, index, used, 1, difference_of(value, category));
  }
}

bool ScanCheck::read_scan(ByteView payload) {
  if (payload.empty() || payload.size() != 4 + 2u * payload[0] || payload[0] != components_.size()) return false;
  for (std::size_t i = 0; i < components_.size(); ++i) {
    Component& component = components_[i];
    if (component.id != payload[1 + 2 * i]) return false;
    const std::uint8_t tables = payload[2 + 2 * i];
    if (tables >> 4 > 3 || (tables & 15) > 3) return false;
    component.dc = &tables_[tables >> 4];
    component.ac = &tables_[4u + (tables & 15)];
    if (component.dc->definition.empty() || component.ac->definition.empty()) return false;
    const int quantiser = quantisers_[component.quantisation_table];
    component.most_mean = quantiser == 0 ? 0 : (kMostMean + quantiser + 16) / quantiser;
    component.mean_unit = quantiser == 0 ? 0 : std::uint64_t{1} << (16 * i);
  }
  return payload[payload.size() - 3] == 0 && payload[payload.size() - 2] == kCoefficients - 1 &&
         payload[payload.size() - 1] == 0;
}

// The steps that this picture's components need: components with the same tables share them, for the cache's sake.
void ScanCheck::build_pairs() {
  steps_.resize(steps_of_.size() * kEntries);
  const auto make = [this](std::size_t at, const Table* dc, const Table& ac) {
    const Pair wanted{dc == nullptr ? 0 : dc->version, ac.version};
    if (steps_of_[at] == wanted) return at * kEntries;
    build_steps(dc, ac, &steps_[at * kEntries]);
    steps_of_[at] = wanted;
    return at * kEntries;
  };
  for (std::size_t i = 0; i < components_.size(); ++i) {
    Component& component = components_[i];
    const auto like =
        std::find_if(components_.begin(), components_.begin() + static_cast<std::ptrdiff_t>(i),
                     [&](const Component& one) { return one.dc == component.dc && one.ac == component.ac; });
    component.later_steps = make(static_cast<std::size_t>(component.ac - &tables_[4]), nullptr, *component.ac);
    component.first_steps = like != components_.begin() + static_cast<std::ptrdiff_t>(i)
                                ? like->first_steps
                                : make(4 + i, component.dc, *component.ac);
  }
  const auto address_of = [this](std::size_t at) { return reinterpret_cast<const std::byte*>(&steps_[at]); };
  places_.clear();
  for (std::size_t i = 0; i < components_.size(); ++i) {
    const Component& component = components_[i];
    for (int block = 0; block < component.blocks; ++block) {
      places_.push_back({address_of(component.later_steps), 0, 1, component.mean_unit, &component});
    }
  }
  for (std::size_t i = 0; i < places_.size(); ++i) {
    const Place& next = places_[(i + 1) % places_.size()];
    places_[i].change = address_of(next.component->first_steps) - places_[i].later_steps;
  }
  places_.back().to_next = 1 - static_cast<std::int64_t>(places_.size());
}

int ScanCheck::take_symbol(const Table& table, Position& position) {
  for (std::size_t length = 1; length <= 16; ++length) {
    const auto code = static_cast<std::int32_t>(position.peek(static_cast<int>(length)));
    if (code > table.last_code[length]) continue;
    const std::int32_t at = code + table.first_value[length];
    if (at < 0 || at > 255) return -1;
    position.skip(static_cast<int>(length));
    return table.values[static_cast<std::size_t>(at)];
  }
  return -1;
}

// One code that the steps do not hold. False: damaged.
[[gnu::noinline]] bool ScanCheck::look_closer(Position& position, const Place& place) {
  position.refill();
  position.ended = false;
  const Component& component = *place.component;
  if (position.coefficient == 0) {
    const int category = take_symbol(*component.dc, position);
    if (category < 0 || category > kMostDcBits) return false;
    if (category > 0) {
      const int difference = difference_of(static_cast<int>(position.peek(category)), category);
      position.means += place.mean_unit * static_cast<std::uint64_t>(std::int64_t{difference});
      position.skip(category);
    }
    position.coefficient = 1;
    position.refill();
    return true;
  }
  const int symbol = take_symbol(*component.ac, position);
  if (symbol == 0) {
    position.ended = true;
  } else {
    const int size = symbol & 15;
    if (symbol < 0 || size > kMostAcBits || (size == 0 && symbol != 0xF0)) return false;
    position.skip(size);
    position.coefficient += static_cast<unsigned>(symbol >> 4) + 1;
    if (position.coefficient > kCoefficients) return false;
    position.ended = position.coefficient == kCoefficients;
  }
  position.refill();
  return true;
}

// Which block comes next and which table belongs to it is computed, not decided by jumps: where a block ends nobody can
// foresee, and a jump that was foreseen wrongly costs as much as two steps.
bool ScanCheck::decode_interval(std::int64_t blocks) {
  const Place* place = places_.data();
  const auto* steps = reinterpret_cast<const std::byte*>(&steps_[components_[0].first_steps]);
  const std::uint8_t* const last = plain_.data() + plain_bytes_ + 8;
  // With these a lane's highest bit says that its mean is not below the least, or above the most.
  std::uint64_t to_least = 0;
  std::uint64_t to_most = 0;
  for (std::size_t i = 0; i < components_.size(); ++i) {
    const auto most = static_cast<std::uint64_t>(components_[i].most_mean);
    to_least |= (kLaneTop - kMeanZero + most) << (16 * i);
    to_most |= (kLaneTop - 1 - kMeanZero - most) << (16 * i);
  }
  const std::uint64_t tops = kLaneTop * (kLanes >> (16 * (4 - components_.size())));
  std::uint64_t enough = tops;
  std::uint64_t too_much = 0;
  Position position;
  position.byte = plain_.data();
  const auto step = [&]() __attribute__((always_inline)) {
    const std::int64_t now =
        static_cast<std::int32_t>(reinterpret_cast<const Step*>(steps)[position.bits >> (64 - kIndexBits)]);
    const std::uint64_t coefficient = position.coefficient + (now >> kAdvanceShift & kAdvanceMask);
    std::int64_t ended = now >> 63;  // all ones: yes
    if ((coefficient & kLookCloser) != 0) [[unlikely]] {
      Position closer = position;  // a copy: the other one stays in registers
      if (!look_closer(closer, *place)) return false;
      position = closer;
      ended = closer.ended ? -1 : 0;
    } else {
      position.bits <<= now & kUsedMask;
      position.count -= static_cast<int>(now & kUsedMask);
      position.coefficient = coefficient;
      const std::int64_t difference = now << (52 - kDifferenceShift) >> 52;
      position.means += place->mean_unit * static_cast<std::uint64_t>(difference);
    }
    enough &= position.means + to_least;
    too_much |= position.means + to_most;
    position.coefficient &= static_cast<std::uint64_t>(~ended);
    steps = place->later_steps + (place->change & ended);
    place += place->to_next & ended;
    blocks += ended;
    return true;
  };
  const auto mean_is_wrong = [&] { return ((too_much | ~enough) & tops) != 0; };
  while (blocks > 0) {
    if (position.byte > last || mean_is_wrong()) return false;
    position.refill();
    if (!step()) return false;
    if (blocks == 0) break;
    if (!step()) return false;
  }
  if (mean_is_wrong()) return false;
  const std::int64_t read_bits = 8 * (position.byte - plain_.data()) - position.count;
  const std::int64_t read_bytes = (read_bits + 7) / 8;
  if (read_bytes > static_cast<std::int64_t>(plain_bytes_)) return false;
  // What was not read: only zeros are harmless.
  return std::all_of(plain_.begin() + read_bytes, plain_.begin() + static_cast<std::ptrdiff_t>(plain_bytes_),
                     [](std::uint8_t byte) { return byte == 0; });
}

// Up to the marker that ends the interval, which is at the beginning of what is returned.
ByteView ScanCheck::unstuff(ByteView data) {
  if (plain_.size() < data.size() + kPadding) plain_.resize(data.size() + kPadding);
  std::uint8_t* to = plain_.data();
  const std::uint8_t* from = data.data();
  const std::uint8_t* const end = from + data.size();
  while (from != end) {
    const auto left = static_cast<std::size_t>(end - from);
    const auto* const found = static_cast<const std::uint8_t*>(std::memchr(from, 0xFF, left));
    const std::size_t run = found == nullptr ? left : static_cast<std::size_t>(found - from);
    std::memcpy(to, from, run);
    to += run;
    from += run;
    if (end - from < 2 || from[1] != 0) break;
    *to++ = 0xFF;
    from += 2;
  }
  plain_bytes_ = static_cast<std::size_t>(to - plain_.data());
  std::memset(to, 0, kPadding);
  return {from, end};
}

bool ScanCheck::decode(ByteView data) {
  int widest = 1;
  int highest = 1;
  for (const Component& component : components_) {
    widest = std::max(widest, component.width_factor);
    highest = std::max(highest, component.height_factor);
  }
  if (components_.size() == 1) {
    // One component: its blocks follow one another, whatever its factors (T.81 A.2.2).
    components_[0].blocks = widest = highest = 1;
  }
  build_pairs();
  const std::int64_t columns = (width_px_ + 8 * widest - 1) / (8 * widest);
  const std::int64_t rows = (height_px_ + 8 * highest - 1) / (8 * highest);
  const auto blocks = static_cast<std::int64_t>(places_.size());
  std::uint8_t restart = 0;
  for (std::int64_t mcus = columns * rows;;) {
    const std::int64_t now = restart_interval_mcus_ > 0 ? std::min<std::int64_t>(restart_interval_mcus_, mcus) : mcus;
    data = unstuff(data);
    if (!decode_interval(now * blocks)) return false;
    mcus -= now;
    while (data.size() >= 2 && data[0] == 0xFF && data[1] == 0xFF) data = data.subspan(1);
    const auto marker = static_cast<std::uint8_t>(mcus == 0 ? 0xD9 : 0xD0 + restart);
    if (data.size() < 2 || data[0] != 0xFF || data[1] != marker) return false;
    if (mcus == 0) return true;
    data = data.subspan(2);
    restart = (restart + 1) & 7;
  }
}

}  // namespace fp::jpeg
