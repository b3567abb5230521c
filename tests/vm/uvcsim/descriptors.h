// What the simulated camera says of itself: descriptors of USB 2.0 (chapter 9) and of the USB Video Class 1.1.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace fp::rig {

struct FrameSize {
  int width_px = 0;
  int height_px = 0;
  /// Of a picture in YUYV, and the most that a JPEG of this size may have.
  [[nodiscard]] std::size_t bytes() const {
    return static_cast<std::size_t>(width_px) * static_cast<std::size_t>(height_px) * 2;
  }
};

/// The values are those of bFormatIndex.
enum class Coding : std::uint8_t { Mjpeg = 1, Yuyv = 2 };

inline constexpr std::uint8_t kControlInterface = 0;
inline constexpr std::uint8_t kStreamingInterface = 1;
inline constexpr std::uint8_t kStreamingEndpoint = 1;
inline constexpr std::uint8_t kProcessingUnit = 2;
inline constexpr std::uint32_t kClockHz = 48'000'000;
/// The most bytes of one payload: three transactions of 1024 in a microframe, or the largest transfer that uvcvideo
/// asks for (32 packets of 512), so that a transfer is a payload.
inline constexpr std::uint32_t kIsochronousPayloadBytes = 3072;
inline constexpr std::uint32_t kBulkPayloadBytes = 16384;

/// The times from frame to frame that are on offer, in units of 100 ns, the default first.
[[nodiscard]] std::span<const std::uint32_t> frame_intervals(Coding coding, FrameSize size);

[[nodiscard]] std::vector<std::uint8_t> device_descriptor();
/// The configuration with all that belongs to it. At most 8 sizes.
[[nodiscard]] std::vector<std::uint8_t> configuration_descriptor(bool bulk, std::span<const FrameSize> sizes);
/// Nothing for an index that is not in use. `serial` is ASCII, at most 126 characters.
[[nodiscard]] std::optional<std::vector<std::uint8_t>> string_descriptor(unsigned index, const std::string& serial);

}  // namespace fp::rig
