// The bytes of a WebSocket, server's side (RFC 6455): frames into messages and back. No I/O.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/bytes.h"

namespace fp::http {

/// One peer, one thread. Pings are answered and close frames too; text that is not UTF-8 closes with 1007, frames that
/// break the protocol (unmasked ones among them) with 1002, messages over the limit with 1009.
class WebSocketCodec {
 public:
  struct Limits {
    std::size_t message_bytes = 128u << 10;  ///< of one that comes, all its fragments together
    std::size_t queued_bytes = 1u << 20;     ///< of what goes and is not taken yet; over it sending fails
  };
  static constexpr std::size_t kMostFragments = 4096;  ///< of one message; over it 1008
  static constexpr std::size_t kMostQueued = 1024;     ///< messages that go, and answers to pings

  struct Receiver {
    virtual ~Receiver() = default;
    virtual void text(std::string_view message) = 0;  ///< valid UTF-8
    virtual void binary(ByteView message) = 0;
  };

  /// Borrows `receiver`, which is called from feed() and may send and close.
  WebSocketCodec(Limits limits, Receiver& receiver);
  WebSocketCodec(const WebSocketCodec&) = delete;
  WebSocketCodec& operator=(const WebSocketCodec&) = delete;
  ~WebSocketCodec();

  /// What has come. False: out of memory, or the peer lets answers pile up: it is to be left without a word.
  [[nodiscard]] bool feed(ByteView bytes);

  /// False: it is closing, or the queue is full; nothing was taken. `message` must be UTF-8.
  bool send_text(std::string_view message);
  bool send_binary(ByteView message);
  bool ping();
  /// Begins the closing handshake; `code` of RFC 6455, 7.4, `reason` at most 123 bytes of UTF-8. Nothing is sent after
  /// it.
  void close(std::uint16_t code, std::string_view reason);

  /// What is to go out next; "" when there is nothing for now. Valid until the next call of anything here.
  [[nodiscard]] std::string_view output();
  void sent(std::size_t bytes);  ///< so many of output() are out
  /// Nothing will come or go any more, but what output() still gives: either side has said so and been answered, or the
  /// peer has broken the protocol.
  [[nodiscard]] bool finished() const;
  [[nodiscard]] bool closing() const { return closing_; }
  /// What the peer closed with: 1005 for a close frame without a code, 1006 while none has come.
  [[nodiscard]] int peer_code() const;

 private:
  struct Wslay;
  bool queue(std::uint8_t opcode, ByteView message);

  const Limits limits_;
  Receiver& receiver_;
  std::unique_ptr<Wslay> wslay_;
  ByteView input_;
  std::string out_;  // from at_ on
  std::size_t at_ = 0;
  std::size_t fragments_ = 0;
  bool closing_ = false;
};

}  // namespace fp::http
