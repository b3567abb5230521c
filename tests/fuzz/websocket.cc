// http::WebSocketCodec with arbitrary bytes: the portions in which they come do not matter, and what it gives out keeps
// the promises of websocket_codec.h.
//
// The first byte seeds the portions, the rest is what a client sends behind its request.
#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "base/text.h"
#include "http/websocket_codec.h"

namespace {

using fp::ByteView;
using fp::http::WebSocketCodec;

void require(bool holds) {
  if (!holds) __builtin_trap();
}

constexpr std::size_t kMostBytes = 4096;

struct Peer final : WebSocketCodec::Receiver {
  WebSocketCodec codec{{.message_bytes = kMostBytes, .queued_bytes = 64U << 10U}, *this};
  std::vector<std::string> messages;
  std::string out;
  bool left = false;

  void text(std::string_view message) override {
    // Escaping puts U+FFFD in place of what is no UTF-8.
    require(message.find("\xef\xbf\xbd") != std::string_view::npos ||
            fp::json_escape(message).find("\xef\xbf\xbd") == std::string::npos);
    take("t", message);
    (void)codec.send_text(message);
  }
  void binary(ByteView message) override { take("b", fp::as_text(message)); }
  void take(const char* kind, std::string_view message) {
    require(message.size() <= kMostBytes && !codec.closing());
    messages.push_back(std::string(kind).append(message));
  }
  void feed(ByteView bytes) {
    if (left) return;
    if (!codec.feed(bytes)) left = true;
    for (std::string_view some = codec.output(); !some.empty(); some = codec.output()) {
      out += some;
      codec.sent(some.size());
    }
    if (codec.finished()) left = true;
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  ByteView bytes(data + 1, size - 1);
  Peer whole;
  Peer portions;
  std::minstd_rand random(data[0] + 1U);
  whole.feed(bytes);
  while (!bytes.empty()) {
    const std::size_t portion = std::min<std::size_t>(bytes.size(), 1 + random() % (data[0] % 8 == 0 ? 2 : 200));
    portions.feed(bytes.first(portion));
    bytes = bytes.subspan(portion);
  }
  require(whole.messages == portions.messages);
  // Not the code: wslay 1.1 looks at the reason in a close frame as UTF-8 from the third byte of each portion on.
  // Either way it is the end.
  for (const Peer* peer : {&whole, &portions}) {
    const int code = peer->codec.peer_code();
    require((code >= 1000 && code <= 1011) || (code >= 3000 && code <= 4999));
  }
  return 0;
}
