// rtc::Chunks with arbitrary messages: each is counted in one place, and no picture is larger than the limit or has a
// byte that was not sent for it.
//
// The first byte of a message is its length, or begins a picture as a page would send it: its number, index and count
// then are small, so that pictures come about.
#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

#include "rtc/chunks.h"

namespace {

constexpr std::size_t kMostBytes = 600;

void require(bool holds) {
  if (!holds) __builtin_trap();
}

// 16 bytes of header out of 3, before `bytes`.
std::vector<std::uint8_t> piece_of(fp::ByteView head, fp::ByteView bytes) {
  std::vector<std::uint8_t> message(fp::rtc::Chunks::kHeaderBytes);
  message[3] = head[0] % 16;
  message[5] = head[1] % 4;
  message[7] = head[2] % 4;
  message.insert(message.end(), bytes.begin(), bytes.end());
  return message;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fp::rtc::Chunks chunks(kMostBytes);
  std::uint64_t pictures = 0;
  std::map<std::uint32_t, std::size_t> sent;  // bytes for each number
  fp::ByteView rest(data, size);
  while (rest.size() >= 4) {
    const std::size_t length = std::min<std::size_t>(rest[0], rest.size() - 4);
    const fp::ByteView bytes = rest.subspan(4, length);
    const std::vector<std::uint8_t> message =
        rest[0] % 8 == 0 ? std::vector<std::uint8_t>(bytes.begin(), bytes.end()) : piece_of(rest.subspan(1, 3), bytes);
    rest = rest.subspan(4 + length);
    if (message.size() >= 4) {
      const std::uint32_t number = static_cast<std::uint32_t>(message[0]) << 24U |
                                   static_cast<std::uint32_t>(message[1]) << 16U |
                                   static_cast<std::uint32_t>(message[2]) << 8U | message[3];
      sent[number] += message.size();
    }
    const fp::rtc::Chunks::Figures before = chunks.figures();
    const std::optional<fp::rtc::IncomingPicture> picture = chunks.add(message);
    const fp::rtc::Chunks::Figures& after = chunks.figures();
    const std::uint64_t refused =
        after.late - before.late + after.malformed - before.malformed + after.too_large - before.too_large;
    require(refused <= (picture ? 0 : 1));
    if (!picture) continue;
    ++pictures;
    require(!picture->bytes.empty() && picture->bytes.size() <= kMostBytes);
    if (picture->number) require(picture->bytes.size() < sent[*picture->number]);
    require(!picture->captured_ms || *picture->captured_ms > 0);
  }
  require(chunks.figures().pictures == pictures);
  return 0;
}
