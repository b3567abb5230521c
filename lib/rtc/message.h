// What two peers tell each other as JSON over a WebSocket, before and beside the media.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"

namespace fp::rtc {

struct Candidate {
  std::string text;                    ///< "candidate:1 1 udp ..."; "": there will be no more
  std::string mid;                     ///< of its m-line, or
  std::optional<unsigned> line_index;  ///< its number
};

namespace message {
struct Offer {
  std::string sdp;
};
struct Answer {
  std::string sdp;
};
/// Asks for a Pong: the way to measure how the two clocks differ.
struct Ping {
  nlohmann::ordered_json t;  ///< the peer's time, a number, given back as it came
};
struct Bye {};
/// A word with a "type" of its own that only one program knows.
struct Other {
  std::string type;
  nlohmann::ordered_json body;  ///< the whole object
};
}  // namespace message

using Message = std::variant<message::Offer, message::Answer, Candidate, message::Ping, message::Bye, message::Other>;

/// Reads one message: {"type":"offer","sdp":...}, {"type":"answer",...}, {"type":"ice-candidate" or "candidate",
/// "candidate": a string or an RTCIceCandidate's object or null}, {"type":"ping","t":ms}, {"type":"bye"}; also in
/// simple-peer's shapes: {"candidate":{...}} and {"sdp":...,"type":...} without more, {"signal":{...}} around one,
/// {"renegotiate":true} and {"transceiverRequest":...} (an Other of that type).
/// Errors: Malformed (what, and what was expected, in words for the peer's developer); TooLarge (an SDP over the limit,
/// a candidate over kMaxCandidateBytes). Nothing nested deeper than 32.
[[nodiscard]] Result<Message> parse_message(std::string_view text);

/// {"type":"offer" or "answer","sdp":...}
[[nodiscard]] std::string description_message(const char* type, std::string_view sdp);
/// {"type":"ice-candidate","candidate":{"candidate":...,"sdpMid":...,"sdpMLineIndex":...}}
[[nodiscard]] std::string candidate_message(const Candidate& candidate);
/// {"type":"error","error":...}
[[nodiscard]] std::string error_message(std::string_view text);
/// {"type":"pong","t":...,"server":ms of UNIX time}
[[nodiscard]] std::string pong_message(const message::Ping& ping, double server_ms);

}  // namespace fp::rtc
