#include "webrtc-serve/socket.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace fp::webrtc_serve {
namespace {

constexpr double kLeastEveryMs = 250;
constexpr double kMostEveryMs = 10'000;

double unix_ms(WallTime time) {
  return static_cast<double>(std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count()) /
         1000;
}

}  // namespace

SocketPeer::SocketPeer(Loop& loop, const Clock& clock, Sessions& sessions, const rtc::Encoder& encoder,
                       std::string peer)
    : clock_(clock), sessions_(sessions), encoder_(encoder), peer_(std::move(peer)), figures_timer_(loop, [this] {
        send_figures();
      }) {}

SocketPeer::~SocketPeer() { sessions_.end(session_, Leave::Left); }

void SocketPeer::closed(int /*code*/) {
  socket_ = nullptr;
  figures_timer_.cancel();
  sessions_.end(std::exchange(session_, 0), Leave::Left);
}

void SocketPeer::text(http::WebSocket& /*socket*/, std::string_view message) {
  const auto parsed = rtc::parse_message(message);
  if (!parsed) return send(rtc::error_message(parsed.error().text));
  std::visit([this](const auto& word) { take(word); }, *parsed);
}

void SocketPeer::binary(http::WebSocket& socket, ByteView /*message*/) { socket.close(1003, "messages here are text"); }

void SocketPeer::send(const std::string& message) {
  if (socket_ != nullptr) socket_->send_text(message);
}

void SocketPeer::take(const rtc::message::Offer& offer) {
  sessions_.end(std::exchange(session_, 0), Leave::Replaced);
  SessionEvents events;
  events.described = [this](const char* type, const std::string& sdp) { send(rtc::description_message(type, sdp)); };
  events.gone = [this](const std::string& why) {
    session_ = 0;
    send(rtc::error_message("the session has ended: " + why));
  };
  // It ends with its connection, which looks at the rights by itself.
  const auto id = sessions_.begin("websocket", peer_, nullptr, offer.sdp, events);
  if (!id) return send(rtc::error_message(id.error().text));
  session_ = *id;
}

void SocketPeer::take(const rtc::message::Answer& answer) {
  Session* const session = sessions_.find(session_);
  if (session == nullptr) return send(rtc::error_message("an answer, and there is no session: send an offer first"));
  if (auto done = session->viewer().take_answer(answer.sdp); !done) send(rtc::error_message(done.error().text));
}

// Those of a session that is over are still on their way, and are no mistake.
void SocketPeer::take(const rtc::Candidate& candidate) {
  if (Session* const session = sessions_.find(session_)) session->viewer().take_candidate(candidate);
}

void SocketPeer::take(const rtc::message::Ping& ping) { send(rtc::pong_message(ping, unix_ms(clock_.wall()))); }

void SocketPeer::take(const rtc::message::Bye& /*bye*/) {
  figures_timer_.cancel();
  sessions_.end(std::exchange(session_, 0), Leave::Left);
}

void SocketPeer::take(const rtc::message::Other& other) {
  // simple-peer says these by itself; there is nothing to do for them.
  if (other.type == "renegotiate" || other.type == "transceiverRequest") return;
  if (other.type != "figures") {
    return send(rtc::error_message("no message of type \"" + printable(other.type, 40) + "\" is known here"));
  }
  const auto every = other.body.find("every_ms");
  const double ms = every != other.body.end() && every->is_number() ? every->get<double>() : 0;
  if (!(ms >= kLeastEveryMs && ms <= kMostEveryMs)) {
    return send(rtc::error_message(R"("figures" needs "every_ms", 250 to 10000)"));
  }
  figures_timer_.every(std::chrono::milliseconds(std::lround(ms)));
}

void SocketPeer::send_figures() {
  Session* const session = sessions_.find(session_);
  nlohmann::ordered_json figures = {{"type", "figures"}};
  const rtc::Viewer::Figures sent = session != nullptr ? session->viewer().figures() : rtc::Viewer::Figures{};
  figures["frames_sent"] = sent.sent;
  figures["dropped"] = sent.dropped;
  figures["bitrate_kbps"] = encoder_.bitrate_kbps();
  figures["viewers"] = sessions_.connected();
  const auto last = session != nullptr ? session->viewer().last() : std::nullopt;
  figures["rtp"] = last ? nlohmann::ordered_json(last->rtp) : nlohmann::ordered_json();
  figures["captured_ms"] = last ? nlohmann::ordered_json(unix_ms(last->frame->captured)) : nlohmann::ordered_json();
  figures["sequence"] = last ? nlohmann::ordered_json(last->frame->sequence) : nlohmann::ordered_json();
  send(figures.dump());
}

}  // namespace fp::webrtc_serve
