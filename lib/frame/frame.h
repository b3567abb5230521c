// One JPEG and what is known about it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "jpeg/walker.h"

namespace fp {

/// X-Signal of mjpeg-frames(5).
enum class Signal {
  Live,
  Held,  ///< the last frame again, with its old time and sequence
  Card,  ///< made by us: there is nothing to see
};
[[nodiscard]] const char* name_of(Signal signal);
[[nodiscard]] std::optional<Signal> parse_signal(std::string_view text);

/// X-Request, X-Gate and X-Overlay, any case: orders to a filter, which nobody may send but who runs it.
[[nodiscard]] bool is_control_header(std::string_view name);

struct Header {
  std::string name;
  std::string value;  ///< one line, no CR, LF or 0xFF
};

/// Immutable once it is shared. Copying one copies the headers and shares the picture's bytes.
struct Frame {
  Blob jpeg;           ///< SOI to EOI, nothing behind
  jpeg::Info picture;  ///< what its segments say
  WallTime captured;   ///< X-Timestamp, on the clock of the capturing host
  WallTime received;   ///< when this process had it whole, on its own clock
  std::uint64_t sequence = 0;
  Signal signal = Signal::Live;
  std::string camera;         ///< X-Camera, or empty
  std::string trace;          ///< X-Trace, or empty
  std::vector<Header> extra;  ///< the other X- headers, as they came
};
using FramePtr = std::shared_ptr<const Frame>;

/// Where to note that a frame passed through a tool (--trace).
struct TraceHop {
  std::string tool;
  bool source = false;  ///< a source notes one time, a filter two
};
/// `trace` with this hop behind it: "camgrab=T" or "...;frame-rate=T1/T2". Unchanged when it would pass 4 KiB.
[[nodiscard]] std::string with_hop(const std::string& trace, const TraceHop& hop, WallTime received, WallTime sent);

/// The boundary of every stream with lengths that we write.
inline constexpr std::string_view kBoundary = "frame";

struct PartOptions {
  std::string_view camera;  ///< X-Camera instead of the frame's own, when not empty
  std::string_view trace;   ///< X-Trace instead of the frame's own, when not empty
};
/// The header of a part as mjpeg-frames(5) has it, "--frame" line to blank line. The JPEG and CRLF follow it.
[[nodiscard]] std::string part_header(const Frame& frame, const PartOptions& options = {});
/// Only the X- lines of it, each with CRLF; what a response about one frame carries too.
[[nodiscard]] std::string x_headers(const Frame& frame, const PartOptions& options = {});

}  // namespace fp
