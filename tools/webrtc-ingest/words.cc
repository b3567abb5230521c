#include "webrtc-ingest/words.h"

#include <array>
#include <cctype>
#include <cstdio>

#include "base/text.h"

namespace fp::ingest {
namespace {

constexpr std::size_t kLongestName = 32;

// To a microsecond, so that a double's dust is not written.
std::string number(double ms) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.3f", ms);
  return text.data();
}

std::string times(const TimedFrame* frame) {
  if (frame == nullptr) return R"("frame":null,"T_start":null,"T_receive":null)";
  return "\"frame\":" + std::to_string(frame->number) +
         ",\"T_start\":" + (frame->start_ms ? number(*frame->start_ms) : "null") +
         ",\"T_receive\":" + number(ms_of(frame->received));
}

}  // namespace

std::string session_message(std::string_view id, std::string_view name) {
  return "{\"type\":\"session\",\"session\":\"" + json_escape(id) + "\",\"name\":\"" + json_escape(name) + "\"}";
}

std::string received_message(const TimedFrame& frame) { return "{\"type\":\"received\"," + times(&frame) + "}"; }

std::string result_message(const TimedFrame* frame, WallTime inferred, std::string_view line) {
  return "{\"type\":\"result\"," + times(frame) + ",\"T_inference\":" + number(ms_of(inferred)) +
         ",\"result\":" + std::string(line) + "}";
}

std::string damaged_message(std::uint64_t number, std::string_view why) {
  return "{\"type\":\"damaged\",\"frame\":" + std::to_string(number) + ",\"error\":\"" + json_escape(why) + "\"}";
}

std::string child_message(std::string_view state, std::string_view error) {
  std::string text = "{\"type\":\"child\",\"state\":\"" + json_escape(state) + "\"";
  if (!error.empty()) text += ",\"error\":\"" + json_escape(error) + "\"";
  return text + "}";
}

std::string camera_name(std::string_view text) {
  std::string name;
  bool gap = false;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '_') {
      gap = !name.empty();
      continue;
    }
    if (name.size() + (gap ? 2 : 1) > kLongestName) break;
    if (std::exchange(gap, false)) name += '-';
    name += c;
  }
  return name;
}

}  // namespace fp::ingest
