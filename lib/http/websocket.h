// A WebSocket on a connection of the server (RFC 6455).
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/connection.h"
#include "http/websocket_codec.h"
#include "loop/loop.h"

namespace fp::http {

class WebSocket;

/// What a program does with one peer. Owned by its WebSocket: destroyed with it, when the peer is gone. One thread.
class WebSocketHandler {
 public:
  virtual ~WebSocketHandler() = default;
  virtual void text(WebSocket& socket, std::string_view message) = 0;  ///< valid UTF-8
  virtual void binary(WebSocket& socket, ByteView message) = 0;
  /// The peer has gone, with `code` of its close frame (1005 without one in it), or 1006: without a word, or because it
  /// was left. Nothing can be sent any more.
  virtual void closed(int code) = 0;
};

struct WebSocketOptions {
  WebSocketCodec::Limits limits;
  std::chrono::milliseconds ping_every{15'000};
  std::chrono::milliseconds answer_time{30'000};      ///< in which something must come, a pong at least
  std::chrono::milliseconds close_time{5'000};        ///< in which the peer must answer our closing
  const std::vector<std::string>* origins = nullptr;  ///< of pages besides our own that may, see may_come_from()
};

/// As any body it belongs to its connection, in the clear or by TLS, and lives until that is closed.
class WebSocket final : public Body, private WebSocketCodec::Receiver {
 public:
  /// What to answer a request that may not become a WebSocket: 405, 403 (its page is another's), 426, 400. Nothing: it
  /// may, and accept() is to be called.
  [[nodiscard]] static std::optional<Response> refusal(const Request& request, const WebSocketOptions& options);
  /// Answers 101. The WebSocket that comes back is the connection's; `handler` hears of it until closed().
  static WebSocket& accept(Loop& loop, const Clock& clock, Connection& connection, const Request& request,
                           const WebSocketOptions& options, std::unique_ptr<WebSocketHandler> handler);
  WebSocket(const WebSocket&) = delete;
  WebSocket& operator=(const WebSocket&) = delete;
  ~WebSocket() override;

  /// False: it is closing, or more than the limit waits to be sent; nothing was taken. `message` must be UTF-8.
  bool send_text(std::string_view message);
  bool send_binary(ByteView message);
  /// The peer is told, answers, and the connection is closed. `code` of RFC 6455, 7.4; `reason` at most 123 bytes.
  void close(std::uint16_t code, std::string_view reason = "");
  [[nodiscard]] Connection& connection() { return connection_; }

  void writable() override;
  void received(ByteView bytes) override;
  bool finish() override;

 private:
  WebSocket(Loop& loop, const Clock& clock, Connection& connection, const WebSocketOptions& options,
            std::unique_ptr<WebSocketHandler> handler);
  void text(std::string_view message) override { handler_->text(*this, message); }
  void binary(ByteView message) override { handler_->binary(*this, message); }
  void check_peer();
  void push();

  const Clock& clock_;
  Connection& connection_;
  const WebSocketOptions options_;
  std::unique_ptr<WebSocketHandler> handler_;
  WebSocketCodec codec_;
  SteadyTime heard_;      // the peer
  bool ready_ = false;    // the head is out
  bool feeding_ = false;  // what is sent meanwhile goes together
  Timer ping_timer_;
  Timer close_timer_;
};

}  // namespace fp::http
