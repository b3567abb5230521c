#include "jpeg/walker.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace fp::jpeg {
namespace {

constexpr std::uint8_t kSoi = 0xD8;
constexpr std::uint8_t kEoi = 0xD9;
constexpr std::uint8_t kSos = 0xDA;
constexpr std::uint8_t kDht = 0xC4;
constexpr std::uint8_t kDqt = 0xDB;
constexpr std::uint8_t kDri = 0xDD;
constexpr std::uint8_t kApp14 = 0xEE;

bool is_sof(std::uint8_t code) { return code >= 0xC0 && code <= 0xCF && code != kDht && code != 0xC8 && code != 0xCC; }

// Segments that carry a length and may stand in a still picture: tables, frame and scan headers, APPn, COM.
bool has_length(std::uint8_t code) {
  return is_sof(code) || code == kDht || code == 0xCC || (code >= kSos && code <= 0xDF) ||
         (code >= 0xE0 && code <= 0xEF) || code == 0xFE;
}

// A thumbnail is a whole JPEG inside APPn; a comment may say anything.
bool may_hold_picture(std::uint8_t code) { return (code >= 0xE0 && code <= 0xEF) || code == 0xFE; }

bool holds_soi(ByteView payload) {
  constexpr std::array<std::uint8_t, 3> kBegin = {0xFF, kSoi, 0xFF};
  return std::search(payload.begin(), payload.end(), kBegin.begin(), kBegin.end()) != payload.end();
}

std::uint16_t big_endian(const std::uint8_t* at) { return static_cast<std::uint16_t>((at[0] << 8) | at[1]); }

}  // namespace

Walker::Status Walker::bad(const char* reason) {
  state_ = State::Bad;
  reason_ = reason;
  return Status::Bad;
}

Walker::Status Walker::walk(ByteView bytes) {
  for (;;) {
    const std::size_t before = position_;
    const State state_before = state_;
    switch (state_) {
      case State::Start:
        if (bytes.size() < 2) return Status::More;
        if (bytes[0] != 0xFF || bytes[1] != kSoi) return bad("no SOI marker at its start");
        position_ = 2;
        state_ = State::Marker;
        break;
      case State::Marker:
        marker(bytes);
        break;
      case State::Scan:
        scan(bytes);
        break;
      case State::Done:
        return Status::Done;
      case State::Bad:
        return Status::Bad;
    }
    if (position_ == before && state_ == state_before) return Status::More;
  }
}

// At position_ stands a marker, after any number of fill bytes (T.81 B.1.1.2).
void Walker::marker(ByteView bytes) {
  std::size_t at = position_;
  if (at >= bytes.size()) return;
  if (bytes[at] != 0xFF) return (void)bad("no marker where a segment must begin");
  while (at + 1 < bytes.size() && bytes[at + 1] == 0xFF) ++at;
  position_ = at;
  if (at + 2 > bytes.size()) return;
  const std::uint8_t code = bytes[at + 1];
  if (code == kEoi) {
    if (info_.first_scan_offset == 0) return (void)bad("EOI before any scan");
    position_ = at + 2;
    state_ = State::Done;
    return;
  }
  if (code == kSoi) {
    cut_off_ = true;
    return (void)bad("another picture begins inside this one");
  }
  if (!has_length(code)) return (void)bad("a marker that may not stand there");
  if (at + 4 > bytes.size()) return;
  const std::size_t length = big_endian(&bytes[at + 2]);
  if (length < 2) return (void)bad("a segment shorter than its own length");
  if (at + 2 + length > bytes.size()) return;  // read whole: no segment is longer than 64 KiB
  segment(bytes.subspan(at + 4, length - 2), code, at);
  if (state_ == State::Bad) return;
  position_ = at + 2 + length;
  if (code == kSos) state_ = State::Scan;
}

void Walker::segment(ByteView payload, std::uint8_t code, std::size_t at) {
  const bool before_scan = info_.first_scan_offset == 0;
  if (!may_hold_picture(code) && holds_soi(payload)) {
    // The segment was cut off, and its length covers the beginning of what came next: going on would glue the head of
    // one picture to the body of another.
    cut_off_ = true;
    return (void)bad("another picture begins inside this one");
  }
  if (is_sof(code)) {
    if (info_.sof_offset != 0) return (void)bad("two SOF segments");
    if (payload.size() < 6) return (void)bad("a SOF segment that is too short");
    info_.sof = code & 0x0F;
    info_.sof_offset = at;
    info_.height_px = big_endian(&payload[1]);
    info_.width_px = big_endian(&payload[3]);
    info_.components = payload[5];
    if (info_.width_px == 0 || info_.height_px == 0) return (void)bad("a picture with no size");
    if (info_.components == 0 || payload.size() < 6 + 3u * info_.components) {
      return (void)bad("a SOF segment that is too short");
    }
  } else if (code == kSos) {
    if (info_.sof_offset == 0) return (void)bad("a scan before SOF");
    if (before_scan) info_.first_scan_offset = at;
  } else if (code == kDht && before_scan) {
    info_.huffman_tables = true;
  } else if (code == kDqt && before_scan) {
    info_.quantisation_tables = true;
  } else if (code == kDri && payload.size() >= 2) {
    info_.restart_interval_mcus = big_endian(payload.data());
  } else if (code == kApp14 && payload.size() >= 5 && std::memcmp(payload.data(), "Adobe", 5) == 0) {
    info_.adobe_app14 = true;
  }
}

// Entropy-coded bytes: 0xFF is followed by 0 (a stuffed byte), RSTn, fill, or the marker that ends the scan.
void Walker::scan(ByteView bytes) {
  while (position_ < bytes.size()) {
    const auto* const found =
        static_cast<const std::uint8_t*>(std::memchr(bytes.data() + position_, 0xFF, bytes.size() - position_));
    if (found == nullptr) {
      position_ = bytes.size();
      return;
    }
    position_ = static_cast<std::size_t>(found - bytes.data());
    if (position_ + 1 >= bytes.size()) return;
    const std::uint8_t code = bytes[position_ + 1];
    if (code == 0x00 || (code >= 0xD0 && code <= 0xD7)) {
      position_ += 2;
    } else if (code == 0xFF) {
      position_ += 1;
    } else {
      state_ = State::Marker;
      return;
    }
  }
}

}  // namespace fp::jpeg
