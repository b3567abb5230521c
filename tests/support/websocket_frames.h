// Frames of WebSockets (RFC 6455, 5.2), written by hand.
#pragma once

#include <string>
#include <string_view>

namespace fp::test {

inline std::string frame(int opcode, std::string_view payload, bool last = true, bool masked = false) {
  std::string bytes(1, static_cast<char>((last ? 0x80 : 0) | opcode));
  const int mask_bit = masked ? 0x80 : 0;
  if (payload.size() < 126) {
    bytes += static_cast<char>(mask_bit | static_cast<int>(payload.size()));
  } else {
    const bool large = payload.size() > 0xffff;
    bytes += static_cast<char>(mask_bit | (large ? 127 : 126));
    for (int shift = large ? 56 : 8; shift >= 0; shift -= 8) bytes += static_cast<char>(payload.size() >> shift);
  }
  if (!masked) return bytes.append(payload);
  constexpr std::string_view kMask = "\x12\x34\x56\x78";
  bytes += kMask;
  for (std::size_t i = 0; i < payload.size(); ++i) bytes += static_cast<char>(payload[i] ^ kMask[i % 4]);
  return bytes;
}
/// As a client must send it.
inline std::string client_frame(int opcode, std::string_view payload, bool last = true) {
  return frame(opcode, payload, last, true);
}

}  // namespace fp::test
