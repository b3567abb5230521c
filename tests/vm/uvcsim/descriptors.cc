#include "uvcsim/descriptors.h"

#include <array>
#include <initializer_list>

namespace fp::rig {
namespace {

// 30, 25, 15 and 10 frames a second; what a high-speed bus has room for without compression.
constexpr std::array<std::uint32_t, 4> kMjpegIntervals = {333'333, 400'000, 666'666, 1'000'000};
constexpr std::array<std::uint32_t, 2> kSmallYuyvIntervals = {333'333, 666'666};
constexpr std::array<std::uint32_t, 2> kLargeYuyvIntervals = {1'000'000, 2'000'000};
constexpr std::size_t kSmallBytes = std::size_t{640} * 480 * 2;

// bDescriptorType: USB 2.0 table 9-5, UVC 1.1 table A-4.
enum Type : std::uint8_t {
  kDevice = 1,
  kConfiguration = 2,
  kString = 3,
  kInterface = 4,
  kEndpoint = 5,
  kAssociation = 11,
  kVideo = 0x24,
};
constexpr std::uint8_t kVideoClass = 0x0E;

// A number of one, two or four bytes, the lowest first.
struct Field {
  constexpr Field(std::uint32_t number, int size = 1)
      : value(number), bytes(size) {}  // NOLINT: a byte is the usual case
  std::uint32_t value;
  int bytes;
};
constexpr Field u16(std::uint32_t value) { return {value, 2}; }
constexpr Field u32(std::uint32_t value) { return {value, 4}; }

class Descriptors {
 public:
  void field(Field field) {
    for (int i = 0; i < field.bytes; ++i) bytes_.push_back(static_cast<std::uint8_t>(field.value >> (8 * i)));
  }
  /// One descriptor: bLength is found by itself.
  void add(Type type, std::initializer_list<Field> fields, std::span<const std::uint32_t> more = {}) {
    const std::size_t begin = bytes_.size();
    field(0);
    field(type);
    for (const Field& each : fields) field(each);
    for (const std::uint32_t each : more) field(u32(each));
    bytes_[begin] = static_cast<std::uint8_t>(bytes_.size() - begin);
  }
  /// Writes the number of bytes from `begin` to here at `at`: a total is known when all of it is there.
  void total(std::size_t begin, std::size_t at) {
    const std::size_t size = bytes_.size() - begin;
    bytes_[at] = static_cast<std::uint8_t>(size & 0xFF);
    bytes_[at + 1] = static_cast<std::uint8_t>(size >> 8);
  }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] std::vector<std::uint8_t> take() && { return std::move(bytes_); }

 private:
  std::vector<std::uint8_t> bytes_;
};

void add_interface(Descriptors& out, std::uint8_t number, std::uint8_t alternate, std::uint8_t endpoints,
                   std::uint8_t subclass, std::uint8_t name) {
  out.add(kInterface, {number, alternate, endpoints, kVideoClass, subclass, 0, name});
}

// UVC 1.1 section 3.7: camera -> processing unit (brightness and contrast) -> the host.
void add_control_interface(Descriptors& out) {
  add_interface(out, kControlInterface, 0, 0, /*subclass=*/1, /*name=*/2);
  const std::size_t begin = out.size();
  out.add(kVideo, {/*header*/ 1, u16(0x0110), u16(0), u32(kClockHz), 1, kStreamingInterface});
  out.add(kVideo, {/*input terminal*/ 2, /*id*/ 1, u16(0x0201), 0, 0, u16(0), u16(0), u16(0), 3, 0, 0, 0});
  out.add(kVideo, {/*processing unit*/ 5, kProcessingUnit, /*source*/ 1, u16(0), 2, /*controls*/ 0x03, 0, 0, 0});
  out.add(kVideo, {/*output terminal*/ 3, /*id*/ 3, u16(0x0101), 0, /*source*/ kProcessingUnit, 0});
  out.total(begin, begin + 5);
}

void add_frames(Descriptors& out, Coding coding, std::uint8_t subtype, std::span<const FrameSize> sizes) {
  constexpr std::uint32_t kLeastBitsPerSecond = 1'000'000;
  constexpr std::uint32_t kMostBitsPerSecond = 200'000'000;
  std::uint8_t index = 0;
  for (const FrameSize& size : sizes) {
    const auto intervals = frame_intervals(coding, size);
    out.add(kVideo,
            {subtype, ++index, 0, u16(static_cast<std::uint32_t>(size.width_px)),
             u16(static_cast<std::uint32_t>(size.height_px)), u32(kLeastBitsPerSecond), u32(kMostBitsPerSecond),
             u32(static_cast<std::uint32_t>(size.bytes())), u32(intervals[0]),
             static_cast<std::uint32_t>(intervals.size())},
            intervals);
  }
  out.add(kVideo, {/*colour matching*/ 0x0D, 1, 1, 4});
}

// UVC 1.1 section 3.9. A bulk camera has one setting; an isochronous one streams in its alternate setting 1.
void add_streaming_interface(Descriptors& out, bool bulk, std::span<const FrameSize> sizes) {
  constexpr std::uint32_t kEndpointAddress = 0x80 | kStreamingEndpoint;
  const auto frames = static_cast<std::uint32_t>(sizes.size());
  add_interface(out, kStreamingInterface, 0, bulk ? 1 : 0, /*subclass=*/2, /*name=*/0);
  const std::size_t begin = out.size();
  out.add(kVideo, {/*input header*/ 1, /*formats*/ 2, u16(0), kEndpointAddress, 0, 3, 0, 0, 0, 1, 0, 0});
  out.add(kVideo, {/*MJPEG*/ 6, static_cast<std::uint32_t>(Coding::Mjpeg), frames, 1, 1, 0, 0, 0, 0});
  add_frames(out, Coding::Mjpeg, 7, sizes);
  out.add(kVideo, {/*uncompressed*/ 4,
                   static_cast<std::uint32_t>(Coding::Yuyv),
                   frames,  //
                   'Y',
                   'U',
                   'Y',
                   '2',
                   0,
                   0,
                   0x10,
                   0,
                   0x80,
                   0,
                   0,
                   0xAA,
                   0,
                   0x38,
                   0x9B,
                   0x71,  // its GUID
                   16,
                   1,
                   0,
                   0,
                   0,
                   0});
  add_frames(out, Coding::Yuyv, 5, sizes);
  out.total(begin, begin + 4);
  if (bulk) {
    out.add(kEndpoint, {kEndpointAddress, 2, u16(512), 0});
    return;
  }
  add_interface(out, kStreamingInterface, 1, 1, /*subclass=*/2, /*name=*/0);
  out.add(kEndpoint, {kEndpointAddress, 5, u16((2u << 11) | 1024), 1});  // three times 1024 bytes a microframe
}

}  // namespace

std::span<const std::uint32_t> frame_intervals(Coding coding, FrameSize size) {
  if (coding == Coding::Mjpeg) return kMjpegIntervals;
  if (size.bytes() <= kSmallBytes) return kSmallYuyvIntervals;
  return kLargeYuyvIntervals;
}

std::vector<std::uint8_t> device_descriptor() {
  Descriptors out;
  // The class of a device with associated interfaces; 1d6b:0102 is what the Linux Foundation has for webcam gadgets.
  out.add(kDevice, {u16(0x0200), 0xEF, 2, 1, 64, u16(0x1D6B), u16(0x0102), u16(0x0100), 1, 2, 3, 1});
  return std::move(out).take();
}

std::vector<std::uint8_t> configuration_descriptor(bool bulk, std::span<const FrameSize> sizes) {
  Descriptors out;
  out.add(kConfiguration, {u16(0), 2, 1, 0, 0x80, 250});
  out.add(kAssociation, {kControlInterface, 2, kVideoClass, 3, 0, 2});
  add_control_interface(out);
  add_streaming_interface(out, bulk, sizes);
  out.total(0, 2);
  return std::move(out).take();
}

std::optional<std::vector<std::uint8_t>> string_descriptor(unsigned index, const std::string& serial) {
  constexpr std::uint16_t kEnglish = 0x0409;
  Descriptors out;
  if (index == 0) {
    out.add(kString, {u16(kEnglish)});
    return std::move(out).take();
  }
  if (index > 3) return std::nullopt;
  const std::string text = index == 1 ? "framepipe" : index == 2 ? "uvcsim camera" : serial;
  out.field(static_cast<std::uint32_t>(2 + 2 * text.size()));
  out.field(kString);
  for (const char c : text) out.field(u16(static_cast<unsigned char>(c)));
  return std::move(out).take();
}

}  // namespace fp::rig
