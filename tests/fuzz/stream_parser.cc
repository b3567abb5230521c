// StreamParser with arbitrary bytes: whatever comes, in whatever portions, it neither crashes nor gives out anything
// but whole JPEGs, and the portions do not matter.
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "frame/parser.h"

namespace {

constexpr std::size_t kMaxFrameBytes = 64u << 10;

std::vector<std::string> parse(const std::uint8_t* data, std::size_t size, std::size_t portion) {
  fp::StreamParser parser({.max_frame_bytes = kMaxFrameBytes});
  std::vector<std::string> frames;
  const auto drain = [&] {
    while (auto frame = parser.next()) {
      fp::jpeg::Walker walker;
      const bool whole = walker.walk(frame->jpeg.view()) == fp::jpeg::Walker::Status::Done &&
                         walker.end() == frame->jpeg.size() && frame->jpeg.size() <= kMaxFrameBytes;
      if (!whole) __builtin_trap();
      frames.emplace_back(fp::as_text(frame->jpeg.view()));
    }
  };
  while (size > 0) {
    const auto room = parser.room();
    if (room.size() > 16 * kMaxFrameBytes) __builtin_trap();
    const std::size_t take = std::min({portion, room.size(), size});
    std::memcpy(room.data(), data, take);
    data += take;
    size -= take;
    parser.commit(take, fp::WallTime());
    drain();
    parser.note_pause();
  }
  parser.end();
  return frames;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::size_t portion = data[0] + 1u;
  if (parse(data + 1, size - 1, size) != parse(data + 1, size - 1, portion)) __builtin_trap();
  return 0;
}
