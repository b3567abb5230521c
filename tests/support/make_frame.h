// Frames for tests.
#pragma once

#include <memory>
#include <string>

#include "frame/frame.h"
#include "support/jpegs.h"

namespace fp::test {

inline FramePtr make_frame(std::uint64_t sequence, const std::string& jpeg = make_jpeg(1)) {
  Frame frame;
  frame.jpeg = Blob::copy_of(as_bytes(jpeg));
  jpeg::Walker walker;
  walker.walk(frame.jpeg.view());
  frame.picture = walker.info();
  frame.captured = frame.received = WallTime(std::chrono::seconds(1'763'688'000));
  frame.sequence = sequence;
  return std::make_shared<const Frame>(std::move(frame));
}
/// As it goes over a pipe.
inline std::string part_of(const Frame& frame) {
  return part_header(frame) + std::string(as_text(frame.jpeg.view())) + "\r\n";
}

}  // namespace fp::test
