// Watching by a WebSocket, whose messages are those of lib/rtc/message.h.
#pragma once

#include <chrono>
#include <string>

#include "http/websocket.h"
#include "webrtc-serve/sessions.h"

namespace fp::webrtc_serve {

/// One page. An offer begins a session, a further one another in its place; a page that goes takes its session with it.
/// What it has not asked for is not sent: pages made with simple-peer throw on messages that they do not know.
class SocketPeer final : public http::WebSocketHandler {
 public:
  SocketPeer(Loop& loop, const Clock& clock, Sessions& sessions, const rtc::Encoder& encoder, std::string peer);
  SocketPeer(const SocketPeer&) = delete;
  SocketPeer& operator=(const SocketPeer&) = delete;
  ~SocketPeer() override;

  /// Before anything comes.
  void set_socket(http::WebSocket& socket) { socket_ = &socket; }
  void text(http::WebSocket& socket, std::string_view message) override;
  void binary(http::WebSocket& socket, ByteView message) override;
  void closed(int code) override;

 private:
  void take(const rtc::message::Offer& offer);
  void take(const rtc::message::Answer& answer);
  void take(const rtc::Candidate& candidate);
  void take(const rtc::message::Ping& ping);
  void take(const rtc::message::Bye& bye);
  void take(const rtc::message::Other& other);
  void send_figures();
  void send(const std::string& message);

  const Clock& clock_;
  Sessions& sessions_;
  const rtc::Encoder& encoder_;
  const std::string peer_;
  http::WebSocket* socket_ = nullptr;  // until it is closed
  Sessions::Id session_ = 0;           // 0: none
  Timer figures_timer_;
};

}  // namespace fp::webrtc_serve
