#include "rtc/message.h"

#include <limits>
#include <utility>

#include "frame/bounded_json.h"
#include "rtc/offer.h"

namespace fp::rtc {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxTypeBytes = 64;
constexpr std::size_t kMaxMidBytes = 64;

const std::string* text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? nullptr : found->get_ptr<const std::string*>();
}

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Result<std::string> read_sdp(const Json& object, const std::string& type) {
  const std::string* sdp = text_of(object, "sdp");
  if (sdp == nullptr) return malformed(R"(an ")" + type + R"(" needs "sdp", a string)");
  if (sdp->size() > kMaxSdpBytes) {
    return fail({Error::Kind::TooLarge, 0, "an SDP may have " + std::to_string(kMaxSdpBytes) + " bytes"});
  }
  return *sdp;
}

// Of which m-line a candidate is; null is as good as nothing.
Result<Done> read_place(const Json& object, Candidate& candidate) {
  if (const auto mid = object.find("sdpMid"); mid != object.end() && !mid->is_null()) {
    const auto* text = mid->get_ptr<const std::string*>();
    if (text == nullptr || text->size() > kMaxMidBytes) {
      return malformed(R"("sdpMid" is a string of at most )" + std::to_string(kMaxMidBytes) + " bytes");
    }
    candidate.mid = *text;
  }
  if (const auto index = object.find("sdpMLineIndex"); index != object.end() && !index->is_null()) {
    const auto* number = index->get_ptr<const Json::number_unsigned_t*>();
    if (number == nullptr || *number > std::numeric_limits<std::uint16_t>::max()) {
      return malformed(R"("sdpMLineIndex" is a whole number from 0 to 65535)");
    }
    candidate.line_index = static_cast<unsigned>(*number);
  }
  return Done{};
}

Result<Message> read_candidate(const Json& message) {
  const auto found = message.find("candidate");
  // An object has its place inside, a string has it beside.
  const Json& object = found != message.end() && found->is_object() ? *found : message;
  Candidate candidate;
  if (found == message.end()) {
    return malformed(R"(an "ice-candidate" needs "candidate": a string, an RTCIceCandidate's object or null)");
  }
  if (!found->is_null()) {
    const std::string* text = text_of(object, "candidate");
    if (text == nullptr) return malformed(R"("candidate" is a string, an RTCIceCandidate's object or null)");
    if (text->size() > kMaxCandidateBytes) {
      return fail({Error::Kind::TooLarge, 0, "a candidate may have " + std::to_string(kMaxCandidateBytes) + " bytes"});
    }
    candidate.text = *text;
  }
  if (Result<Done> place = read_place(object, candidate); !place) return fail(std::move(place).error());
  return candidate;
}

Result<Message> read_ping(const Json& object) {
  const auto t = object.find("t");
  if (t == object.end() || !t->is_number()) return malformed(R"(a "ping" needs "t", a number)");
  return message::Ping{*t};
}

// What stands without a "type": simple-peer's shapes.
Result<Message> read_untyped(Json object) {
  if (object.contains("candidate")) return read_candidate(object);
  for (const char* type : {"renegotiate", "transceiverRequest"}) {
    if (object.contains(type)) return message::Other{type, std::move(object)};
  }
  if (object.contains("sdp")) return malformed(R"(an "sdp" needs "type": "offer" or "answer" beside it)");
  return malformed(R"(a message needs "type": "offer", "answer", "ice-candidate", "ping", "bye" ...)");
}

}  // namespace

Result<Message> parse_message(std::string_view text) {
  std::optional<Json> parsed = parse_object(text);
  if (!parsed) return malformed("a message is one JSON object, nested no deeper than 32");
  Json object = std::move(*parsed);
  if (const auto signal = object.find("signal"); signal != object.end() && signal->is_object()) {
    object = Json(std::move(*signal));
  }
  if (!object.contains("type")) return read_untyped(std::move(object));
  const std::string* named = text_of(object, "type");
  if (named == nullptr || named->empty() || named->size() > kMaxTypeBytes) {
    return malformed(R"("type" is a string of 1 to )" + std::to_string(kMaxTypeBytes) + " bytes");
  }
  const std::string type = *named;
  if (type == "offer" || type == "answer") {
    Result<std::string> sdp = read_sdp(object, type);
    if (!sdp) return fail(std::move(sdp).error());
    if (type == "offer") return message::Offer{std::move(*sdp)};
    return message::Answer{std::move(*sdp)};
  }
  if (type == "candidate" || type == "ice-candidate") return read_candidate(object);
  if (type == "ping") return read_ping(object);
  if (type == "bye") return message::Bye{};
  return message::Other{type, std::move(object)};
}

std::string description_message(const char* type, std::string_view sdp) {
  return dump(Json{{"type", type}, {"sdp", sdp}});
}

std::string candidate_message(const Candidate& candidate) {
  Json inner{{"candidate", candidate.text}, {"sdpMid", nullptr}, {"sdpMLineIndex", nullptr}};
  if (!candidate.mid.empty()) inner["sdpMid"] = candidate.mid;
  if (candidate.line_index) inner["sdpMLineIndex"] = *candidate.line_index;
  return dump(Json{{"type", "ice-candidate"}, {"candidate", std::move(inner)}});
}

std::string error_message(std::string_view text) { return dump(Json{{"type", "error"}, {"error", text}}); }

std::string pong_message(const message::Ping& ping, double server_ms) {
  return dump(Json{{"type", "pong"}, {"t", ping.t}, {"server", server_ms}});
}

}  // namespace fp::rtc
