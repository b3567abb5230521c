#include "uvcsim/camera.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

namespace fp::rig {
namespace {

// bRequest: USB 2.0 table 9-4, UVC 1.1 table A-8.
enum Request : std::uint8_t {
  kGetStatus = 0x00,
  kClearFeature = 0x01,
  kSetFeature = 0x03,
  kSetAddress = 0x05,
  kGetDescriptor = 0x06,
  kGetConfiguration = 0x08,
  kSetConfiguration = 0x09,
  kGetInterface = 0x0A,
  kSetInterface = 0x0B,
  kSetCur = 0x01,
  kGetCur = 0x81,
  kGetMin = 0x82,
  kGetMax = 0x83,
  kGetRes = 0x84,
  kGetLen = 0x85,
  kGetInfo = 0x86,
  kGetDef = 0x87,
};
// bmRequestType, without the direction.
constexpr std::uint8_t kDirectionIn = 0x80;
constexpr std::uint8_t kClassInterface = 0x21;

// UVC 1.1 tables.
constexpr unsigned kProbe = 1;
constexpr unsigned kCommit = 2;
constexpr unsigned kBrightness = 2;
constexpr unsigned kContrast = 3;

constexpr std::size_t kTermsBytes = 34;
constexpr std::uint16_t kBrightnessDefault = 128;
constexpr std::uint16_t kContrastDefault = 32;
constexpr std::uint16_t kControlMost = 255;
constexpr std::uint8_t kGetAndSet = 3;  // of GET_INFO

Answer stall() { return {-EPIPE, {}}; }
Answer bytes(std::vector<std::uint8_t> data) { return {0, std::move(data)}; }
Answer word(unsigned value) {
  return bytes({static_cast<std::uint8_t>(value & 0xFF), static_cast<std::uint8_t>(value >> 8 & 0xFF)});
}

std::uint32_t read_u32(ByteView from) {
  return std::uint32_t{from[0]} | std::uint32_t{from[1]} << 8 | std::uint32_t{from[2]} << 16 |
         std::uint32_t{from[3]} << 24;
}
void write_u32(std::span<std::uint8_t> to, std::uint32_t value) {
  for (std::size_t i = 0; i < 4; ++i) to[i] = static_cast<std::uint8_t>(value >> (8 * i));
}

}  // namespace

Camera::Camera(CameraOptions options) : options_(std::move(options)) {
  for (const Pictures& each : options_.pictures) sizes_.push_back(each.size);
  configuration_ = configuration_descriptor(options_.bulk, sizes_);
  reset();
}

void Camera::reset() {
  probe_ = commit_ = nearest(Terms{});
  alternate_ = 0;
  controls_ = {kBrightnessDefault, kContrastDefault};
  streaming_ = in_frame_ = false;
}

Answer Camera::control(const Setup& setup, ByteView data, SteadyTime now) {
  now_ = now;
  const unsigned interface = setup.index & 0xFF;
  const unsigned entity = setup.index >> 8;
  Answer answer = stall();
  if ((setup.type & ~kDirectionIn) != kClassInterface) {
    answer = standard(setup);
  } else if (interface == kStreamingInterface) {
    answer = streaming_control(setup, data);
  } else if (interface == kControlInterface && entity == kProcessingUnit) {
    answer = processing_control(setup, data);
  }
  if (answer.data.size() > setup.length) answer.data.resize(setup.length);
  spdlog::debug("request {:02x} {:02x} value {:04x} index {:04x} length {}: {}, {} bytes", setup.type, setup.request,
                setup.value, setup.index, setup.length, answer.status, answer.data.size());
  return answer;
}

Answer Camera::descriptor(const Setup& setup) const {
  const unsigned index = setup.value & 0xFF;
  switch (setup.value >> 8) {
    case 1:
      return bytes(device_descriptor());
    case 2:
      return index == 0 ? bytes(configuration_) : stall();
    case 3: {
      auto text = string_descriptor(index, options_.serial);
      return text ? bytes(std::move(*text)) : stall();
    }
    default:
      return stall();
  }
}

Answer Camera::standard(const Setup& setup) {
  const bool in = (setup.type & kDirectionIn) != 0;
  if (in) {
    switch (setup.request) {
      case kGetDescriptor:
        return descriptor(setup);
      case kGetStatus:
        return word(0);
      case kGetConfiguration:
        return bytes({1});
      case kGetInterface:
        return bytes({setup.index == kStreamingInterface ? alternate_ : std::uint8_t{0}});
      default:
        return stall();
    }
  }
  switch (setup.request) {
    case kSetInterface:
      if (setup.index != kStreamingInterface) return setup.value == 0 ? Answer{} : stall();
      if (setup.value > (options_.bulk ? 0 : 1)) return stall();
      // What usb_set_interface() says when the host controller has no bandwidth left reaches the program in the same
      // way.
      if (setup.value == 1 && take(Action::NoSpace)) return {-ENOSPC, {}};
      alternate_ = static_cast<std::uint8_t>(setup.value);
      if (!options_.bulk) set_streaming(alternate_ == 1);
      return {};
    case kClearFeature:
      // With CLEAR_FEATURE(ENDPOINT_HALT) uvcvideo tells a bulk camera to stop.
      if (options_.bulk) set_streaming(false);
      return {};
    case kSetConfiguration:
      set_streaming(false);
      return {};
    case kSetFeature:
    case kSetAddress:
      return {};
    default:
      return stall();
  }
}

Camera::Terms Camera::nearest(Terms wish) const {
  Terms terms;
  terms.coding = wish.coding == Coding::Yuyv ? Coding::Yuyv : Coding::Mjpeg;
  if (wish.frame_index >= 1 && wish.frame_index <= sizes_.size()) terms.frame_index = wish.frame_index;
  const auto offers = frame_intervals(terms.coding, sizes_[terms.frame_index - 1u]);
  terms.interval = offers[0];
  const auto distance = [&](std::uint32_t offer) {
    return std::abs(std::int64_t{offer} - std::int64_t{wish.interval});
  };
  for (const std::uint32_t offer : offers) {
    if (wish.interval != 0 && distance(offer) < distance(terms.interval)) terms.interval = offer;
  }
  return terms;
}

// UVC 1.1 table 4-75.
std::vector<std::uint8_t> Camera::written(const Terms& terms) const {
  std::vector<std::uint8_t> out(kTermsBytes);
  const std::span<std::uint8_t> all(out);
  out[2] = static_cast<std::uint8_t>(terms.coding);
  out[3] = terms.frame_index;
  write_u32(all.subspan(4), terms.interval);
  write_u32(all.subspan(18), static_cast<std::uint32_t>(sizes_[terms.frame_index - 1u].bytes()));
  write_u32(all.subspan(22), options_.bulk ? kBulkPayloadBytes : kIsochronousPayloadBytes);
  write_u32(all.subspan(26), kClockHz);
  out[30] = 3;  // the frame id toggles, and the end of a frame is marked
  out[32] = 1;  // payload versions, least and most
  out[33] = 1;
  return out;
}

Answer Camera::streaming_control(const Setup& setup, ByteView data) {
  const unsigned selector = setup.value >> 8;
  if (selector != kProbe && selector != kCommit) return stall();
  Terms& terms = selector == kProbe ? probe_ : commit_;
  switch (setup.request) {
    case kSetCur: {
      if (data.size() < 8) return stall();
      terms = nearest({static_cast<Coding>(data[2]), data[3], read_u32(data.subspan(4))});
      if (selector == kCommit && options_.bulk) set_streaming(true);
      return {};
    }
    case kGetCur:
      return bytes(written(terms));
    case kGetMin:
    case kGetMax:
    case kGetDef:
      return bytes(written(nearest({probe_.coding, probe_.frame_index, 0})));
    case kGetLen:
      return word(kTermsBytes);
    case kGetInfo:
      return bytes({kGetAndSet});
    default:
      return stall();
  }
}

Answer Camera::processing_control(const Setup& setup, ByteView data) {
  const unsigned selector = setup.value >> 8;
  if (selector != kBrightness && selector != kContrast) return stall();
  std::uint16_t& value = controls_[selector - kBrightness];
  switch (setup.request) {
    case kSetCur:
      if (data.size() < 2) return stall();
      value = std::min<std::uint16_t>(static_cast<std::uint16_t>(data[0] | data[1] << 8), kControlMost);
      return {};
    case kGetCur:
      return word(value);
    case kGetMin:
      return word(0);
    case kGetMax:
      return word(kControlMost);
    case kGetRes:
      return word(1);
    case kGetDef:
      return word(selector == kBrightness ? kBrightnessDefault : kContrastDefault);
    case kGetLen:
      return word(2);
    case kGetInfo:
      return bytes({kGetAndSet});
    default:
      return stall();
  }
}

void Camera::command(const Command& command, SteadyTime now) {
  if (command.action == Action::Freeze) {
    const std::chrono::duration<double> time(command.amount);
    frozen_until_ = now + std::chrono::duration_cast<std::chrono::nanoseconds>(time);
  } else {
    left_[static_cast<std::size_t>(command.action)] = static_cast<std::uint64_t>(command.amount);
  }
}

bool Camera::take(Action action) {
  std::uint64_t& left = left_[static_cast<std::size_t>(action)];
  if (left == 0) return false;
  --left;
  spdlog::info("frame {}: {}", frames_, name_of(action));
  return true;
}

void Camera::set_streaming(bool on) {
  if (on == streaming_) return;
  streaming_ = on;
  in_frame_ = false;
  next_frame_ = now_;
  const FrameSize size = pictures().size;
  spdlog::info("stream {}: {} {}x{}, {:.2f} fps, {} frames sent", on ? "on" : "off",
               commit_.coding == Coding::Yuyv ? "YUYV" : "MJPG", size.width_px, size.height_px,
               1 / seconds_of(interval()), frames_);
}

bool Camera::frame_due(SteadyTime now) {
  if (in_frame_) return true;
  if (!streaming_ || now < frozen_until_ || now < next_frame_) return false;
  next_frame_ += interval();
  if (next_frame_ < now - interval()) next_frame_ = now;  // far behind: a slow machine gets fewer frames, not a rush
  if (take(Action::Drop)) return false;
  begin_frame();
  return true;
}

SteadyTime Camera::next_due(SteadyTime now) const {
  if (!streaming_) return now + std::chrono::seconds(1);
  return std::max(next_frame_, frozen_until_);
}

void Camera::begin_frame() {
  const std::vector<std::vector<std::uint8_t>>& jpegs = pictures().jpegs;
  if (commit_.coding == Coding::Yuyv) {
    frame_ = draw_yuyv(pictures().size, frames_);
  } else {
    frame_ = jpegs[frames_ % jpegs.size()];
    if (take(Action::NoTables)) frame_ = without_huffman_tables(frame_);
    if (take(Action::Pad)) frame_.resize(frame_.size() + kPaddingBytes);
  }
  if (take(Action::Trunc)) frame_.resize(frame_.size() / 2);
  if (take(Action::Corrupt)) {
    const std::size_t begin = frame_.size() / 3;
    const std::size_t end = std::min(begin + 64, frame_.size());
    for (std::size_t i = begin; i < end; ++i) frame_[i] ^= 0x5A;
  }
  if (take(Action::Empty)) frame_.clear();
  error_bit_ = take(Action::Err);
  sent_bytes_ = 0;
  in_frame_ = true;
  frame_id_ = !frame_id_;
  ++frames_;
}

std::size_t Camera::payload(std::size_t room, SteadyTime now, std::vector<std::uint8_t>& out) {
  // UVC 1.1 section 2.4.3.3: the length of the header, then its bits.
  constexpr std::size_t kHeaderBytes = 2;
  constexpr std::uint8_t kEndOfHeader = 0x80;
  constexpr std::uint8_t kError = 0x40;
  constexpr std::uint8_t kEndOfFrame = 0x02;
  if (room < kHeaderBytes) return 0;
  const bool due = frame_due(now);
  auto bits = static_cast<std::uint8_t>(kEndOfHeader | (frame_id_ ? 1 : 0));
  std::size_t size = 0;
  if (due) {
    size = std::min(room - kHeaderBytes, frame_.size() - sent_bytes_);
    if (error_bit_) bits |= kError;
    if (sent_bytes_ + size == frame_.size()) {
      bits |= kEndOfFrame;
      in_frame_ = false;
    }
  }
  out.push_back(kHeaderBytes);
  out.push_back(bits);
  const auto begin = frame_.begin() + static_cast<std::ptrdiff_t>(due ? sent_bytes_ : 0);
  out.insert(out.end(), begin, begin + static_cast<std::ptrdiff_t>(size));
  sent_bytes_ += size;
  return kHeaderBytes + size;
}

}  // namespace fp::rig
