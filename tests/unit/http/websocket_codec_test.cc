#include "http/websocket_codec.h"

#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <vector>

#include "support/websocket_frames.h"

namespace {

using namespace fp;
using namespace fp::http;
using test::client_frame;
using test::frame;

struct Peer final : WebSocketCodec::Receiver {
  explicit Peer(WebSocketCodec::Limits limits = {}) : codec(limits, *this) {}
  void text(std::string_view message) override {
    messages.push_back("t:" + std::string(message));
    if (on_message) on_message();
  }
  void binary(ByteView message) override { messages.push_back("b:" + std::string(as_text(message))); }
  bool feed(const std::string& bytes) { return codec.feed(as_bytes(bytes)); }
  // Byte by byte, as a hostile network would.
  bool drip(const std::string& bytes) {
    for (const char c : bytes) {
      if (!feed(std::string(1, c))) return false;
    }
    return true;
  }
  std::string take() {
    std::string all;
    for (std::string_view out = codec.output(); !out.empty(); out = codec.output()) {
      const std::string_view some = out.substr(0, 1000);
      all += some;
      codec.sent(some.size());
    }
    return all;
  }
  std::vector<std::string> messages;
  std::function<void()> on_message;
  WebSocketCodec codec;
};

using Messages = std::vector<std::string>;

TEST_CASE("WebSocketCodec: the examples of RFC 6455, 5.7") {
  Peer peer;
  REQUIRE(peer.feed("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"));
  CHECK(peer.messages == Messages{"t:Hello"});
  CHECK(peer.codec.send_text("Hello"));
  CHECK(peer.take() == "\x81\x05Hello");
  REQUIRE(peer.feed("\x89\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"));
  CHECK(peer.take() == "\x8a\x05Hello");
  CHECK(peer.codec.send_binary(ByteView(as_bytes(std::string(256, 'x')))));
  CHECK(peer.take() == std::string("\x82\x7e\x01\x00", 4) + std::string(256, 'x'));
}

TEST_CASE("WebSocketCodec: messages in fragments, with a ping between them, byte by byte") {
  Peer peer;
  REQUIRE(peer.drip(client_frame(1, "one ", false) + client_frame(9, "p") + client_frame(0, "", false) +
                    client_frame(0, "two") + client_frame(2, std::string("\0\xff", 2))));
  CHECK(peer.messages == Messages{"t:one two", std::string("b:\0\xff", 4)});
  CHECK(peer.take() == frame(10, "p"));
}

TEST_CASE("WebSocketCodec: a character may be split between fragments") {
  Peer peer;
  REQUIRE(peer.feed(client_frame(1, "\xe2\x82", false) + client_frame(0, "\xac")));
  CHECK(peer.messages == Messages{"t:\xe2\x82\xac"});
}

TEST_CASE("WebSocketCodec: what breaks the protocol closes with the code for it") {
  const std::string big(128U * 1024 + 1, 'x');
  struct Case {
    const char* what;
    std::string bytes;
    int code;
  };
  const std::vector<Case> cases = {
      {"unmasked", frame(1, "Hello"), 1002},
      {"bad UTF-8", client_frame(1, "a\xff"), 1007},
      {"UTF-8 that ends too soon", client_frame(1, "\xe2\x82"), 1007},
      {"a surrogate in UTF-8", client_frame(1, "\xed\xa0\x80"), 1007},
      {"a fragment of nothing", client_frame(0, "x"), 1002},
      {"a message within another", client_frame(1, "x", false) + client_frame(1, "y"), 1002},
      {"a reserved bit", "\xc1" + client_frame(1, "x").substr(1), 1002},
      {"a reserved kind", client_frame(3, "x"), 1002},
      {"a message over the limit", client_frame(2, big), 1009},
      {"fragments over the limit", client_frame(2, big.substr(1), false) + client_frame(0, "x"), 1009},
      {"a close code that does not exist", client_frame(8, std::string("\x03\xe7", 2)), 1002},
  };
  for (const Case& one : cases) {
    CAPTURE(one.what);
    Peer peer;
    (void)peer.feed(one.bytes);
    CHECK(peer.messages.empty());
    const std::string out = peer.take();
    REQUIRE(out.size() >= 4);
    CHECK(static_cast<unsigned char>(out[0]) == 0x88);
    CHECK((static_cast<unsigned char>(out[2]) << 8 | static_cast<unsigned char>(out[3])) == one.code);
    CHECK(peer.codec.finished());
    CHECK(!peer.codec.send_text("more"));
    // Nothing is taken any more.
    (void)peer.feed(client_frame(1, "later"));
    CHECK(peer.messages.empty());
  }
}

TEST_CASE("WebSocketCodec: a malformed frame ends it, whatever comes then") {
  // A ping in fragments, a ping of more than 125 bytes, a length that is not the shortest.
  const std::string long_ping = "\x89\xfe" + std::string("\x00\x80\x00\x00\x00\x00", 6) + std::string(128, 'x');
  const std::string wasteful = std::string("\x81\xfe\x00\x01\x00\x00\x00\x00x", 9);
  for (const std::string& bytes : {client_frame(9, "x", false), long_ping, wasteful}) {
    Peer peer;
    (void)peer.feed(bytes + client_frame(1, "later"));
    CHECK(peer.messages.empty());
    CHECK(peer.take().starts_with("\x88"));
    CHECK(peer.codec.finished());
  }
}

TEST_CASE("WebSocketCodec: a message of exactly the limit is taken") {
  Peer peer;
  const std::string message(128U * 1024, 'x');
  REQUIRE(peer.feed(client_frame(2, message)));
  CHECK(peer.messages == Messages{"b:" + message});
}

TEST_CASE("WebSocketCodec: the peer's closing is answered with its code, and ours by the peer's") {
  Peer peer;
  CHECK(peer.codec.peer_code() == 1006);
  REQUIRE(peer.feed(client_frame(8, std::string("\x0f\xa0"
                                                "bye",
                                                5)) +
                    client_frame(1, "later")));
  CHECK(peer.messages.empty());
  CHECK(peer.codec.closing());
  CHECK(peer.codec.peer_code() == 4000);
  CHECK(peer.take().starts_with(std::string("\x88\x05\x0f\xa0", 4)));
  CHECK(peer.codec.finished());

  Peer other;
  other.codec.close(1001, "we end");
  CHECK(!other.codec.send_text("more"));
  CHECK(other.take() == frame(8, "\x03\xe9we end"));
  CHECK(!other.codec.finished());
  REQUIRE(other.feed(client_frame(8, "")));
  CHECK(other.take().empty());
  CHECK(other.codec.finished());
  CHECK(other.codec.peer_code() == 1005);
}

TEST_CASE("WebSocketCodec: what a peer does not take piles up to the limit, and its pings not for ever") {
  Peer peer({.message_bytes = 1000, .queued_bytes = 10'000});
  int taken = 0;
  while (peer.codec.send_text(std::string(1000, 'x'))) ++taken;
  CHECK(taken == 10);
  CHECK(peer.take().size() == 10 * 1004);
  CHECK(peer.codec.send_text("again"));

  Peer pinging;
  int pings = 0;
  while (pings < 100'000 && pinging.feed(client_frame(9, ""))) ++pings;
  CHECK(pings <= static_cast<int>(WebSocketCodec::kMostQueued) + 1);
}

TEST_CASE("WebSocketCodec: a message in thousands of fragments is refused, also when they are empty") {
  Peer peer;
  std::string bytes = client_frame(1, "x", false);
  for (std::size_t i = 0; i < WebSocketCodec::kMostFragments; ++i) bytes += client_frame(0, "", false);
  (void)peer.feed(bytes);
  CHECK(peer.take().starts_with(std::string("\x88\x14\x03\xf0", 4)));
  CHECK(peer.codec.finished());
}

TEST_CASE("WebSocketCodec: closed from within a message, what comes behind it is not heard") {
  Peer peer;
  peer.on_message = [&] { peer.codec.close(4001, ""); };
  REQUIRE(peer.feed(client_frame(1, "one") + client_frame(1, "two")));
  CHECK(peer.messages == Messages{"t:one"});
}

}  // namespace
