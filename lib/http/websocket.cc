#include "http/websocket.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>

#include "base/base64.h"
#include "base/text.h"

namespace fp::http {
namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";  // RFC 6455, 1.3
constexpr std::size_t kKeyBytes = 16;

bool has_token(const Request& request, std::string_view header, std::string_view token) {
  for (const auto& [name, value] : request.headers) {
    if (!equal_ignoring_case(name, header)) continue;
    const auto tokens = split(std::string_view(value), ',');
    if (std::any_of(tokens.begin(), tokens.end(),
                    [&](std::string_view one) { return equal_ignoring_case(trim(one), token); })) {
      return true;
    }
  }
  return false;
}

std::string accept_key(std::string_view key) {
  const std::string text = std::string(key).append(kGuid);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  ::EVP_Digest(text.data(), text.size(), digest.data(), &size, ::EVP_sha1(), nullptr);
  return base64(ByteView(digest.data(), size));
}

}  // namespace

std::optional<Response> WebSocket::refusal(const Request& request, const WebSocketOptions& options) {
  if (request.method != "GET") {
    Response response = error_response(405, "a WebSocket begins with GET");
    response.headers.emplace_back("Allow", "GET");
    return response;
  }
  static const std::vector<std::string> kNone;
  if (!may_come_from(request, options.origins != nullptr ? *options.origins : kNone)) {
    return error_response(403, "pages of " + printable(request.header("Origin").value_or(""), 80) +
                                   " may not connect here (--allow-origin with that very name allows it)");
  }
  const bool asks = has_token(request, "Upgrade", "websocket") && has_token(request, "Connection", "upgrade");
  if (!asks || request.version < 11 || request.header("Sec-WebSocket-Version") != "13") {
    Response response = error_response(426, "this is a WebSocket (version 13)");
    response.headers.emplace_back("Upgrade", "websocket");
    response.headers.emplace_back("Sec-WebSocket-Version", "13");
    return response;
  }
  const auto key = base64_decode(trim(request.header("Sec-WebSocket-Key").value_or("")));
  if (!key || key->size() != kKeyBytes) return error_response(400, "Sec-WebSocket-Key is not 16 bytes in base64");
  return std::nullopt;
}

WebSocket& WebSocket::accept(Loop& loop, const Clock& clock, Connection& connection, const Request& request,
                             const WebSocketOptions& options, std::unique_ptr<WebSocketHandler> handler) {
  std::unique_ptr<WebSocket> made(new WebSocket(loop, clock, connection, options, std::move(handler)));
  WebSocket& socket = *made;
  const std::string key = accept_key(trim(request.header("Sec-WebSocket-Key").value_or("")));
  connection.switch_protocols("Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + key + "\r\n",
                              std::move(made));
  return socket;
}

WebSocket::WebSocket(Loop& loop, const Clock& clock, Connection& connection, const WebSocketOptions& options,
                     std::unique_ptr<WebSocketHandler> handler)
    : clock_(clock),
      connection_(connection),
      options_(options),
      handler_(std::move(handler)),
      codec_(options.limits, *this),
      heard_(clock.steady()),
      ping_timer_(loop, [this] { check_peer(); }),
      close_timer_(loop, [this] { connection_.close(Connection::CloseReason::Timeout); }) {
  ping_timer_.every(options_.ping_every);
}

WebSocket::~WebSocket() { handler_->closed(codec_.peer_code()); }

bool WebSocket::send_text(std::string_view message) {
  const bool taken = codec_.send_text(message);
  push();
  return taken;
}

bool WebSocket::send_binary(ByteView message) {
  const bool taken = codec_.send_binary(message);
  push();
  return taken;
}

void WebSocket::close(std::uint16_t code, std::string_view reason) {
  if (codec_.closing()) return;
  codec_.close(code, reason);
  close_timer_.once(options_.close_time);
  push();
}

bool WebSocket::finish() {
  close(1001, "the server ends");
  return false;
}

void WebSocket::check_peer() {
  if (clock_.steady() - heard_ > options_.answer_time) return connection_.close(Connection::CloseReason::Stalled);
  codec_.ping();
  push();
}

void WebSocket::received(ByteView bytes) {
  heard_ = clock_.steady();
  feeding_ = true;
  const bool well = codec_.feed(bytes);
  feeding_ = false;
  if (!well) return connection_.close(Connection::CloseReason::Error);
  push();
}

void WebSocket::writable() {
  ready_ = true;
  push();
}

void WebSocket::push() {
  if (!ready_ || feeding_) return;
  for (std::string_view out = codec_.output(); !out.empty(); out = codec_.output()) {
    const iovec piece{const_cast<char*>(out.data()), out.size()};
    const auto sent = connection_.send({&piece, 1});
    if (!sent) return;
    if (*sent == 0) return connection_.wait_writable();
    codec_.sent(*sent);
  }
  if (codec_.finished()) connection_.close(Connection::CloseReason::Done);
}

}  // namespace fp::http
