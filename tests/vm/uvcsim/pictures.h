// What the simulated camera films: JPEG files, and grey bands in YUYV.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "uvcsim/descriptors.h"

namespace fp::rig {

inline constexpr std::size_t kPaddingBytes = 1000;  // of the command `pad`

struct Pictures {
  FrameSize size;
  std::vector<std::vector<std::uint8_t>> jpegs;  ///< at least one, in the order of their names
};

/// Reads "WxH=DIR": all *.jpg of DIR. The size is what the camera claims; the files are not looked into.
/// Errors: Malformed (the text; no pictures); TooLarge (a picture that would not fit into a frame); Io.
[[nodiscard]] Result<Pictures> load_pictures(const std::string& spec);

/// The JPEG without its DHT segments, as many UVC cameras send it. What is no JPEG stays as it is.
[[nodiscard]] std::vector<std::uint8_t> without_huffman_tables(ByteView jpeg);

/// Grey bands that move by two lines with each number.
[[nodiscard]] std::vector<std::uint8_t> draw_yuyv(FrameSize size, std::uint64_t number);

}  // namespace fp::rig
