// StreamParser with arbitrary bytes: whatever comes, in whatever portions, it neither crashes nor grows nor gives out
// anything but whole JPEGs. (That portions do not matter for streams of real writers is the unit tests' business: what
// a damaged part is taken for may depend on how much of it has come.)
#include <algorithm>
#include <cstdint>
#include <cstring>

#include "frame/parser.h"

namespace {

constexpr std::size_t kMaxFrameBytes = 64u << 10;

void parse(const std::uint8_t* data, std::size_t size, std::size_t portion) {
  fp::StreamParser parser({.max_frame_bytes = kMaxFrameBytes});
  const auto drain = [&] {
    while (auto frame = parser.next()) {
      fp::jpeg::Walker walker;
      const bool whole = walker.walk(frame->jpeg.view()) == fp::jpeg::Walker::Status::Done &&
                         walker.end() == frame->jpeg.size() && frame->jpeg.size() <= kMaxFrameBytes;
      if (!whole) __builtin_trap();
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
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  parse(data + 1, size - 1, size);
  parse(data + 1, size - 1, data[0] + 1u);
  return 0;
}
