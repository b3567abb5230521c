// What a broker delivers, as a frame.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "frame/frame.h"
#include "frame/skips.h"

namespace fp::mqtt {

struct Received {
  Frame frame;
  bool dated = false;     ///< the sender said when it was captured; else `captured` is its arrival
  bool numbered = false;  ///< the sender gave its sequence number
};

/// Reads a payload: a JPEG, or a frame with its headers as mjpeg-frames(5) has it, whichever it is. Orders to filters
/// are taken out. Nothing, counted in `skips`, when there is no whole frame in it, or one of more than
/// `max_frame_bytes`. Memory: twice the frame.
[[nodiscard]] std::optional<Received> read_payload(ByteView payload, WallTime now, std::size_t max_frame_bytes,
                                                   Skips& skips);

}  // namespace fp::mqtt
