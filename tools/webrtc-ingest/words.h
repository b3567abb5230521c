// What a page is told: the messages of webrtc-ingest(1) that lib/rtc does not know.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "webrtc-ingest/times.h"

namespace fp::ingest {

/// {"type":"session","session":"s-1a2b3c","name":"tablet-3"}
[[nodiscard]] std::string session_message(std::string_view id, std::string_view name);
/// {"type":"received","frame":7,"T_start":...,"T_receive":...}; T_start is null where it is not known.
[[nodiscard]] std::string received_message(const TimedFrame& frame);
/// {"type":"result","frame":7,"T_start":...,"T_receive":...,"T_inference":...,"result":LINE}; without a frame all of
/// that is null but T_inference. `line` is JSON.
[[nodiscard]] std::string result_message(const TimedFrame* frame, WallTime inferred, std::string_view line);
/// {"type":"damaged","frame":7,"error":"cut off after 12 bytes"}: not an "error", after which pages begin anew.
[[nodiscard]] std::string damaged_message(std::uint64_t number, std::string_view why);
/// {"type":"child","state":"ended","error":"exit code 1"}; `error` is left out when it is empty.
[[nodiscard]] std::string child_message(std::string_view state, std::string_view error = "");

/// A name for X-Camera out of what a person typed: letters, digits, - and _, at most 32; what lies between becomes one
/// -. "" when nothing is left.
[[nodiscard]] std::string camera_name(std::string_view text);

}  // namespace fp::ingest
