#include "frame/frame.h"

#include "base/text.h"

namespace fp {

const char* name_of(Signal signal) {
  switch (signal) {
    case Signal::Held:
      return "held";
    case Signal::Card:
      return "card";
    case Signal::Live:
      break;
  }
  return "live";
}

std::optional<Signal> parse_signal(std::string_view text) {
  for (const Signal signal : {Signal::Live, Signal::Held, Signal::Card}) {
    if (text == name_of(signal)) return signal;
  }
  return std::nullopt;
}

bool is_control_header(std::string_view name) {
  return equal_ignoring_case(name, "X-Request") || equal_ignoring_case(name, "X-Gate") ||
         equal_ignoring_case(name, "X-Overlay");
}

std::string with_hop(const std::string& trace, const TraceHop& hop, WallTime received, WallTime sent) {
  constexpr std::size_t kLongest = 4096;
  std::string result = trace;
  if (!result.empty()) result += ';';
  result += hop.tool + '=';
  if (!hop.source) result += format_timestamp(received) + '/';
  result += format_timestamp(sent);
  return result.size() > kLongest ? trace : result;
}

std::string x_headers(const Frame& frame, const PartOptions& options) {
  std::string text;
  const auto line = [&](std::string_view name, std::string_view value) {
    text.append(name).append(": ").append(value).append("\r\n");
  };
  line("X-Timestamp", format_timestamp(frame.captured));
  line("X-Sequence", std::to_string(frame.sequence));
  const std::string_view camera = options.camera.empty() ? std::string_view(frame.camera) : options.camera;
  if (!camera.empty()) line("X-Camera", camera);
  if (frame.signal != Signal::Live) line("X-Signal", name_of(frame.signal));
  const std::string_view trace = options.trace.empty() ? std::string_view(frame.trace) : options.trace;
  if (!trace.empty()) line("X-Trace", trace);
  for (const Header& header : frame.extra) line(header.name, header.value);
  return text;
}

std::string part_header(const Frame& frame, const PartOptions& options) {
  std::string text;
  text.reserve(256);
  text.append("--").append(kBoundary).append("\r\nContent-Type: image/jpeg\r\nContent-Length: ");
  text.append(std::to_string(frame.jpeg.size())).append("\r\n");
  text.append(x_headers(frame, options)).append("\r\n");
  return text;
}

}  // namespace fp
