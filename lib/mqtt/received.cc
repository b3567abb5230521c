#include "mqtt/received.h"

#include <algorithm>

#include "frame/parser.h"

namespace fp::mqtt {

std::optional<Received> read_payload(ByteView payload, WallTime now, std::size_t max_frame_bytes, Skips& skips) {
  if (payload.empty() || payload.size() > max_frame_bytes + StreamParser::kMaxHeaderBytes) {
    skips.add(payload.empty() ? Skip::Empty : Skip::TooLarge);
    skips.bytes += payload.size();
    return std::nullopt;
  }
  StreamParser parser({.max_frame_bytes = max_frame_bytes, .strip_control_headers = true});
  std::optional<Frame> frame;
  while (!frame && !payload.empty()) {
    const auto room = parser.room();
    const std::size_t size = std::min(room.size(), payload.size());
    std::copy_n(payload.begin(), size, room.begin());
    parser.commit(size, now);
    payload = payload.subspan(size);
    frame = parser.next();
  }
  if (!frame) {
    parser.end();
    skips += parser.skips();
    return std::nullopt;
  }
  const Framing& framing = parser.framing();
  return Received{std::move(*frame), framing.with_timestamp > 0, framing.with_sequence > 0};
}

}  // namespace fp::mqtt
