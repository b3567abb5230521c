#include "http/websocket_codec.h"

#include <sys/types.h>
#include <wslay/wslay.h>

#include <algorithm>
#include <new>

namespace fp::http {
namespace {

constexpr std::size_t kPortionBytes = 64U << 10U;  // how much is made into frames ahead of the socket

}  // namespace

// The callbacks of wslay, which may not throw: what they call reports by a flag.
struct WebSocketCodec::Wslay {
  wslay_event_context_ptr context = nullptr;

  Wslay() = default;
  Wslay(const Wslay&) = delete;
  Wslay& operator=(const Wslay&) = delete;
  ~Wslay() { ::wslay_event_context_free(context); }

  static ssize_t read(wslay_event_context_ptr context, std::uint8_t* room, std::size_t size, int /*flags*/,
                      void* codec) {
    ByteView& input = static_cast<WebSocketCodec*>(codec)->input_;
    if (input.empty()) {
      ::wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
      return -1;
    }
    const std::size_t some = std::min(size, input.size());
    std::copy_n(input.begin(), some, room);
    input = input.subspan(some);
    return static_cast<ssize_t>(some);
  }
  static ssize_t write(wslay_event_context_ptr context, const std::uint8_t* bytes, std::size_t size, int /*flags*/,
                       void* codec) {
    std::string& out = static_cast<WebSocketCodec*>(codec)->out_;
    if (out.size() >= kPortionBytes) {
      ::wslay_event_set_error(context, WSLAY_ERR_WOULDBLOCK);
      return -1;
    }
    const std::size_t some = std::min(size, kPortionBytes);
    out.append(reinterpret_cast<const char*>(bytes), some);
    return static_cast<ssize_t>(some);
  }
  static void frame(wslay_event_context_ptr context, const wslay_event_on_frame_recv_start_arg* frame, void* raw) {
    auto* const codec = static_cast<WebSocketCodec*>(raw);
    if (wslay_is_ctrl_frame(frame->opcode)) return;
    codec->fragments_ = frame->opcode == WSLAY_CONTINUATION_FRAME ? codec->fragments_ + 1 : 1;
    if (codec->fragments_ <= kMostFragments) return;
    // Fragments may be empty: their number is no matter of the message's limit.
    codec->close(WSLAY_CODE_POLICY_VIOLATION, "too many fragments");
    ::wslay_event_shutdown_read(context);
  }
  static void message(wslay_event_context_ptr /*context*/, const wslay_event_on_msg_recv_arg* message, void* raw) {
    auto* const codec = static_cast<WebSocketCodec*>(raw);
    if (codec->closing_) return;
    const ByteView bytes(message->msg, message->msg_length);
    if (message->opcode == WSLAY_TEXT_FRAME) codec->receiver_.text(as_text(bytes));
    if (message->opcode == WSLAY_BINARY_FRAME) codec->receiver_.binary(bytes);
    if (message->opcode == WSLAY_CONNECTION_CLOSE) codec->closing_ = true;
  }
};

WebSocketCodec::WebSocketCodec(Limits limits, Receiver& receiver)
    : limits_(limits), receiver_(receiver), wslay_(std::make_unique<Wslay>()) {
  wslay_event_callbacks callbacks{};
  callbacks.recv_callback = Wslay::read;
  callbacks.send_callback = Wslay::write;
  callbacks.on_frame_recv_start_callback = Wslay::frame;
  callbacks.on_msg_recv_callback = Wslay::message;
  if (::wslay_event_context_server_init(&wslay_->context, &callbacks, this) != 0) throw std::bad_alloc();
  ::wslay_event_config_set_max_recv_msg_length(wslay_->context, limits.message_bytes);
}

WebSocketCodec::~WebSocketCodec() = default;

bool WebSocketCodec::feed(ByteView bytes) {
  input_ = bytes;
  const int result = ::wslay_event_recv(wslay_->context);
  input_ = {};
  // Its own word for a malformed frame: a close frame waits to be sent.
  if (result != 0 && result != WSLAY_ERR_CALLBACK_FAILURE) return false;
  // Whoever pings without reading gets no more answers than these.
  return ::wslay_event_get_queued_msg_count(wslay_->context) <= kMostQueued;
}

bool WebSocketCodec::queue(std::uint8_t opcode, ByteView message) {
  if (closing_ || ::wslay_event_get_write_enabled(wslay_->context) == 0) return false;
  const std::size_t waiting = ::wslay_event_get_queued_msg_length(wslay_->context) + out_.size() - at_;
  if (waiting + message.size() > limits_.queued_bytes) return false;
  if (::wslay_event_get_queued_msg_count(wslay_->context) >= kMostQueued) return false;
  const wslay_event_msg queued{opcode, message.data(), message.size()};
  return ::wslay_event_queue_msg(wslay_->context, &queued) == 0;
}

bool WebSocketCodec::send_text(std::string_view message) { return queue(WSLAY_TEXT_FRAME, as_bytes(message)); }
bool WebSocketCodec::send_binary(ByteView message) { return queue(WSLAY_BINARY_FRAME, message); }
bool WebSocketCodec::ping() { return queue(WSLAY_PING, {}); }

void WebSocketCodec::close(std::uint16_t code, std::string_view reason) {
  closing_ = true;
  const ByteView bytes = as_bytes(reason);
  (void)::wslay_event_queue_close(wslay_->context, code, bytes.data(), bytes.size());
}

std::string_view WebSocketCodec::output() {
  if (at_ == out_.size()) {
    out_.clear();
    at_ = 0;
    (void)::wslay_event_send(wslay_->context);
    if (out_.empty()) out_ = std::string();  // an idle one is to cost little
  }
  return std::string_view(out_).substr(at_);
}

void WebSocketCodec::sent(std::size_t bytes) { at_ += bytes; }

bool WebSocketCodec::finished() const {
  const bool deaf = ::wslay_event_get_read_enabled(wslay_->context) == 0;
  return deaf && ::wslay_event_want_write(wslay_->context) == 0;
}

int WebSocketCodec::peer_code() const {
  if (::wslay_event_get_close_received(wslay_->context) == 0) return WSLAY_CODE_ABNORMAL_CLOSURE;
  return ::wslay_event_get_status_code_received(wslay_->context);
}

}  // namespace fp::http
