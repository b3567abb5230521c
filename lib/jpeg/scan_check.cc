#include "jpeg/scan_check.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <cstring>

namespace fp::jpeg {
namespace {

constexpr int kCoefficients = 64;
constexpr int kMostMean = 1024;  // 8 * 128: the DC coefficient of a white or black block, dequantised

int big_endian(ByteView bytes, std::size_t at) { return (bytes[at] << 8) | bytes[at + 1]; }

}  // namespace

// The bits of a scan, with the zero bytes behind 0xFF taken out; stops at a marker.
class ScanCheck::Bits {
 public:
  explicit Bits(ByteView data) : at_(data.data()), end_(data.data() + data.size()) {}

  // At least 32 bits to look at. Behind the end they are zeros, and overdrawn() tells.
  [[gnu::always_inline]] void refill() {
    if (count_ >= 32) return;
    if (end_ - at_ >= 8) {
      std::uint64_t next = 0;
      std::memcpy(&next, at_, 8);
      const std::uint64_t inverse = ~next;
      constexpr std::uint64_t kOnes = 0x0101010101010101u;
      if (((inverse - kOnes) & ~inverse & (kOnes << 7)) == 0) {  // no 0xFF among them
        if constexpr (std::endian::native == std::endian::little) next = __builtin_bswap64(next);
        // What lies below the bits that are counted is what comes next: it will be put there again.
        bits_ |= next >> count_;
        const int bytes = (63 - count_) / 8;
        at_ += bytes;
        count_ += 8 * bytes;
        return;
      }
    }
    refill_slowly();
  }
  [[nodiscard]] unsigned peek(int count) const { return static_cast<unsigned>(bits_ >> (64 - count)); }
  void skip(int count) {
    bits_ <<= count;
    count_ -= count;
  }
  [[nodiscard]] unsigned take(int count) {
    if (count == 0) return 0;
    const unsigned value = peek(count);
    skip(count);
    return value;
  }
  [[nodiscard]] bool overdrawn() const { return count_ < phantom_; }

  // At the end of an interval: nothing but padding is left, and `marker` follows. Goes on behind it.
  [[nodiscard, gnu::always_inline]] bool expect_marker(std::uint8_t marker) {
    const int left = count_ - phantom_;
    if (left < 0) return false;
    // Bits of whole bytes that were read ahead and not used, then what was not read: only zeros are harmless.
    const int whole = left / 8 * 8;
    if (whole > 0 && (bits_ << (left - whole)) >> (64 - whole) != 0) return false;
    while (end_ - at_ >= 2 && at_[0] == 0) ++at_;
    while (end_ - at_ >= 2 && at_[0] == 0xFF && at_[1] == 0xFF) ++at_;
    if (end_ - at_ < 2 || at_[0] != 0xFF || at_[1] != marker) return false;
    at_ += 2;
    bits_ = 0;
    count_ = phantom_ = 0;
    return true;
  }

 private:
  [[gnu::always_inline]] void refill_slowly() {
    while (count_ <= 56) {
      std::uint64_t byte = 0;
      if (end_ - at_ >= 2 && at_[0] == 0xFF && at_[1] == 0) {
        byte = 0xFF;
        at_ += 2;
      } else if (at_ != end_ && at_[0] != 0xFF) {
        byte = *at_++;
      } else {
        phantom_ += 8;  // a marker, or the end
      }
      bits_ |= byte << (56 - count_);
      count_ += 8;
    }
  }

  const std::uint8_t* at_;
  const std::uint8_t* end_;
  std::uint64_t bits_ = 0;  // from the top
  int count_ = 0;           // of them
  int phantom_ = 0;         // of these: not in the data
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
    build(table, ac);
  }
  return true;
}

// T.81 annex C, and a look-up by the first twelve bits.
void ScanCheck::build(Table& table, bool ac) {
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
        const std::size_t end = std::min(from + (std::size_t{1} << (kIndexBits - length)), table.length.size());
        for (std::size_t index = from; index < end; ++index) {
          table.length[index] = static_cast<std::uint8_t>(length);
          table.symbol[index] = table.values[static_cast<std::uint32_t>(value + i)];
        }
      }
    }
    code = (code + count) << 1;
    value += count;
  }
  if (!ac) return;
  for (std::size_t index = 0; index < table.steps.size(); ++index) {
    int used = 0;
    int advance = 0;
    bool end = false;
    while (used < kIndexBits && !end) {
      const std::size_t rest = (index << used) & (table.length.size() - 1);
      const int length = table.length[rest];
      if (length == 0 || length > kIndexBits - used) break;
      const int run = table.symbol[rest] >> 4;
      const int size = table.symbol[rest] & 15;
      if (size > 10 || (size == 0 && run != 0 && run != 15)) break;  // not in 8-bit pictures
      if (advance + run + 1 >= kCoefficients) break;
      end = size == 0 && run == 0;
      if (!end) advance += run + 1;
      used += length + size;
    }
    table.steps[index] = static_cast<Step>(used) | (static_cast<Step>(advance) + (end ? kEnd : 0)) << 8;
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
    component.quantiser = quantisers_[component.quantisation_table];
  }
  return payload[payload.size() - 3] == 0 && payload[payload.size() - 2] == kCoefficients - 1 &&
         payload[payload.size() - 1] == 0;
}

[[gnu::always_inline]] inline bool ScanCheck::decode_block(Bits& bits, Component& component) {
  const auto symbol_of = [&bits](const Table& table) __attribute__((always_inline)) {
    if (const int length = table.length[bits.peek(kIndexBits)]; length > 0) {
      const int symbol = table.symbol[bits.peek(kIndexBits)];
      bits.skip(length);
      return symbol;
    }
    for (std::size_t length = kIndexBits + 1; length <= 16; ++length) {
      const auto code = static_cast<std::int32_t>(bits.peek(static_cast<int>(length)));
      if (code > table.last_code[length]) continue;
      const std::int32_t at = code + table.first_value[length];
      if (at < 0 || at > 255) return -1;
      bits.skip(static_cast<int>(length));
      return static_cast<int>(table.values[static_cast<std::size_t>(at)]);
    }
    return -1;
  };

  bits.refill();
  const int category = symbol_of(*component.dc);
  if (category < 0 || category > 11) return false;
  const auto value = static_cast<int>(bits.take(category));
  if (category > 0) component.mean += value < (1 << (category - 1)) ? value - (1 << category) + 1 : value;
  if (std::abs(component.mean * component.quantiser) > kMostMean + component.quantiser + 16) return false;

  const Table& ac = *component.ac;
  for (int at = 1; at < kCoefficients;) {
    bits.refill();
    const Step step = ac.steps[bits.peek(kIndexBits)];
    const int next = at + static_cast<int>(step >> 8);
    if (next < kCoefficients && step != 0) {
      bits.skip(static_cast<int>(step & 0xFF));
      at = next;
      continue;
    }
    if (next >= static_cast<int>(kEnd) && next < static_cast<int>(kEnd) + kCoefficients) {
      bits.skip(static_cast<int>(step & 0xFF));
      return true;
    }
    const int symbol = symbol_of(ac);
    if (symbol == 0) return true;
    const int size = symbol & 15;
    if (symbol < 0 || size > 10 || (size == 0 && symbol != 0xF0)) return false;
    bits.skip(size);
    at += (symbol >> 4) + 1;
    if (at > kCoefficients) return false;
  }
  return true;
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
  const int columns = (width_px_ + 8 * widest - 1) / (8 * widest);
  const int rows = (height_px_ + 8 * highest - 1) / (8 * highest);
  const long mcus = static_cast<long>(columns) * rows;
  Bits bits(data);  // a local that nobody has the address of stays in registers
  int until_restart = restart_interval_mcus_;
  std::uint8_t restart = 0;
  for (long mcu = 0; mcu < mcus; ++mcu) {
    if (restart_interval_mcus_ > 0 && until_restart-- == 0) {
      if (!bits.expect_marker(static_cast<std::uint8_t>(0xD0 + restart))) return false;
      restart = (restart + 1) & 7;
      until_restart = restart_interval_mcus_ - 1;
      for (Component& component : components_) component.mean = 0;
    }
    for (Component& component : components_) {
      for (int block = 0; block < component.blocks; ++block) {
        if (!decode_block(bits, component)) return false;
      }
    }
    if (bits.overdrawn()) return false;
  }
  return bits.expect_marker(0xD9);
}

}  // namespace fp::jpeg
