#include "rtc/chunks.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/text.h"

namespace fp::rtc {
namespace {

// Numbers at most so far behind are older, all others newer: counts wrap, and a page that begins anew counts from 0.
constexpr std::uint32_t kOlderWithin = 64;
// The year 5138: what is beyond is no time, and would not fit into the types that others put it in.
constexpr double kLatestMs = 1e14;

bool older(std::uint32_t number, std::uint32_t than) {
  const std::uint32_t behind = than - number;
  return behind != 0 && behind <= kOlderWithin;
}

template <typename T>
T network_order(ByteView bytes) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) value = static_cast<T>((value << 8U) | bytes[i]);
  return value;
}

bool begins_as_picture(ByteView message) {
  const std::string_view text = as_text(message);
  return text.starts_with("\xff\xd8\xff") || text.starts_with("\x89PNG\r\n\x1a\n");
}

}  // namespace

std::optional<IncomingPicture> Chunks::add(ByteView message) {
  if (begins_as_picture(message)) {
    if (message.size() > max_bytes_) {
      ++figures_.too_large;
      return std::nullopt;
    }
    ++figures_.pictures;
    return IncomingPicture{{message.begin(), message.end()}, std::nullopt, std::nullopt};
  }
  if (message.size() <= kHeaderBytes) {
    ++figures_.malformed;
    return std::nullopt;
  }
  const auto number = network_order<std::uint32_t>(message.first(4));
  const auto index = network_order<std::uint16_t>(message.subspan(4, 2));
  const auto count = network_order<std::uint16_t>(message.subspan(6, 2));
  const double captured_ms = std::bit_cast<double>(network_order<std::uint64_t>(message.subspan(8, 8)));
  if (count == 0 || count > kMaxPieces || index >= count) {
    ++figures_.malformed;
    return std::nullopt;
  }
  Open* open = find_or_begin(number, count, captured_ms);
  if (open == nullptr || !add_piece(*open, index, count, message.subspan(kHeaderBytes))) return std::nullopt;
  return finish(*open);
}

Chunks::Open* Chunks::find_or_begin(std::uint32_t number, std::size_t count, double captured_ms) {
  if (const auto found = std::ranges::find(open_, number, &Open::number); found != open_.end()) return &*found;
  if (is_late(number)) {
    ++figures_.late;
    return nullptr;
  }
  if (open_.size() == kMaxOpen) {
    const auto oldest =
        std::ranges::min_element(open_, [](const Open& a, const Open& b) { return older(a.number, b.number); });
    done_with_ = oldest->number;
    if (!oldest->too_large) ++figures_.incomplete;
    open_.erase(oldest);
    // The new one may have been older than all of them.
    if (is_late(number)) {
      ++figures_.late;
      return nullptr;
    }
  }
  Open& open = open_.emplace_back();
  open.number = number;
  open.pieces.resize(count);
  // Also not where it is no number.
  if (captured_ms > 0 && captured_ms < kLatestMs) open.captured_ms = captured_ms;
  return &open;
}

bool Chunks::is_late(std::uint32_t number) const {
  return done_with_ && (number == *done_with_ || older(number, *done_with_));
}

bool Chunks::add_piece(Open& open, std::size_t index, std::size_t count, ByteView bytes) {
  if (open.too_large) return false;
  if (count != open.pieces.size() || !open.pieces[index].empty()) {
    ++figures_.malformed;
    return false;
  }
  if (open.bytes + bytes.size() > max_bytes_) {
    ++figures_.too_large;
    open.too_large = true;
    open.pieces = {};
    return false;
  }
  open.pieces[index].assign(bytes.begin(), bytes.end());
  open.bytes += bytes.size();
  return ++open.have == count;
}

IncomingPicture Chunks::finish(Open& open) {
  IncomingPicture picture{{}, open.number, open.captured_ms};
  if (open.pieces.size() == 1) {
    picture.bytes = std::move(open.pieces.front());
  } else {
    picture.bytes.reserve(open.bytes);
    for (std::vector<std::uint8_t>& piece : open.pieces) {
      picture.bytes.insert(picture.bytes.end(), piece.begin(), piece.end());
      piece = {};
    }
  }
  const std::uint32_t number = open.number;
  ++figures_.pictures;
  done_with_ = number;
  std::erase_if(open_, [&](const Open& other) {
    if (other.number == number) return true;
    if (!older(other.number, number)) return false;
    if (!other.too_large) ++figures_.incomplete;
    return true;
  });
  return picture;
}

}  // namespace fp::rtc
