// rtc::parse_message with arbitrary bytes: within its limits, and what is written of it is read as the same.
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "rtc/message.h"
#include "rtc/offer.h"

namespace {

using namespace fp::rtc;

void require(bool holds) {
  if (!holds) __builtin_trap();
}

template <typename T>
T reread(const std::string& text) {
  const fp::Result<Message> message = parse_message(text);
  require(message && std::holds_alternative<T>(*message));
  return std::get<T>(*message);
}

struct Check {
  void operator()(const message::Offer& offer) const {
    require(offer.sdp.size() <= kMaxSdpBytes);
    require(reread<message::Offer>(description_message("offer", offer.sdp)).sdp == offer.sdp);
  }
  void operator()(const message::Answer& answer) const {
    require(answer.sdp.size() <= kMaxSdpBytes);
    require(reread<message::Answer>(description_message("answer", answer.sdp)).sdp == answer.sdp);
  }
  void operator()(const Candidate& candidate) const {
    require(candidate.text.size() <= kMaxCandidateBytes);
    const Candidate again = reread<Candidate>(candidate_message(candidate));
    require(again.text == candidate.text && again.mid == candidate.mid && again.line_index == candidate.line_index);
  }
  void operator()(const message::Ping& ping) const {
    require(ping.t.is_number());
    require(reread<message::Other>(pong_message(ping, 1.5)).type == "pong");
  }
  void operator()(const message::Bye&) const {}
  void operator()(const message::Other& other) const { require(!other.type.empty() && other.body.is_object()); }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fp::Result<Message> message = parse_message(fp::as_text({data, size}));
  if (message) {
    std::visit(Check{}, *message);
  } else {
    require(reread<message::Other>(error_message(message.error().text)).type == "error");
  }
  return 0;
}
