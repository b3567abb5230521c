#include "http/connection.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "http/access.h"

namespace fp::http {
namespace {

// How much of a frame the kernel may hold that the peer's window does not cover yet. With the autotuned send buffer
// alone, 4 MB (34 frames) pile up in front of a slow viewer, and everything it sees is 6 to 18 s old; with this 0.3 s.
constexpr int kNotSentBytes = 16 << 10;
// A unix socket has no such limit: its whole buffer is kept small instead.
constexpr int kUnixSendBytes = 64 << 10;
// At once: a large body in few portions, and the others' turn soon.
constexpr std::size_t kReadBytes = 64U << 10U;
static_assert(kReadBytes >= TlsSession::kRecordBytes);
// The first byte of TLS: a handshake record (RFC 8446, 5.1).
constexpr std::uint8_t kHandshakeRecord = 22;

}  // namespace

Connection::Connection(Loop& loop, const Clock& clock, Fd socket, std::string peer, const ConnectionOptions& options,
                       const Handler& handler, OnClose on_close, BodyBudget* bodies, std::unique_ptr<TlsSession> tls)
    : loop_(loop),
      clock_(clock),
      socket_(std::move(socket)),
      peer_(std::move(peer)),
      options_(options),
      handler_(handler),
      on_close_(std::move(on_close)),
      since_(clock.steady()),
      unix_(peer_ == "unix"),
      tls_(std::move(tls)),
      handshaking_(tls_ != nullptr),
      parser_(std::make_unique<RequestParser>(options.body_limit, bodies)),
      progress_(since_),
      request_began_(since_),
      watch_(loop, [this](int events) { ready(events); }) {
  const int on = 1;
  if (unix_) {
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_SNDBUF, &kUnixSendBytes, sizeof kUnixSendBytes);
  } else {
    ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kNotSentBytes, sizeof kNotSentBytes);
    // A peer that lost power while nothing is sent is noticed, too.
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  }
  update_watch();
}

Connection::~Connection() = default;

void Connection::update_watch() {
  if (closed_) {
    watch_.watch(-1, 0);
    return;
  }
  if (handshaking_ || tls_wants_write_) {
    // One of the two: what it does not want would wake us for nothing.
    watch_.watch(socket_.get(), tls_wants_write_ ? IoWatch::kWrite : IoWatch::kRead);
    return;
  }
  const bool writing = unsent() || body_waits_;
  // While an answer is awaited, further requests wait in the socket; a stream's input is read to see its end.
  // Until there are any, the peer's end shows itself as something to read.
  const bool hears = parser_ == nullptr || answered_ || (body_ != nullptr && !unread_);
  const bool reading = lingering_ || (!draining_ && !end_of_input_ && hears);
  watch_.watch(socket_.get(), (reading ? IoWatch::kRead : 0) | (writing ? IoWatch::kWrite : 0));
}

void Connection::ready(int events) {
  if (handshaking_) return shake_hands();
  const bool reads = (events & IoWatch::kRead) != 0 || std::exchange(tls_wants_write_, false);
  if ((events & IoWatch::kWrite) != 0 && push_waiting()) {
    if (!out_.empty()) flush();
    if (!closed_ && !unsent() && body_waits_ && body_) {
      body_waits_ = false;
      body_->writable();
    }
  }
  if (!closed_ && !draining_ && reads) {
    if (lingering_) {
      throw_away();
    } else if (waiting()) {
      unread_ = true;
      look_at_peer();
    } else {
      read_requests();
    }
  }
  if (!closed_) update_watch();
}

// While its request waits: recv() would show the end only behind all that came before it.
void Connection::look_at_peer() {
  pollfd peer{socket_.get(), POLLRDHUP, 0};
  if (::poll(&peer, 1, 0) <= 0) return;
  const bool closed_side = (peer.revents & POLLRDHUP) != 0;
  const bool gone = (peer.revents & (POLLERR | POLLHUP)) != 0;
  if (gone || (closed_side && body_->leaves_with_input())) close(CloseReason::Peer);
}

void Connection::shake_hands() {
  if (!request_open_) {
    std::uint8_t first = 0;
    const ssize_t peeked = ::recv(socket_.get(), &first, 1, MSG_DONTWAIT | MSG_PEEK);
    if (peeked < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (peeked <= 0) return close(CloseReason::Peer);
    if (first != kHandshakeRecord) return refuse_plain();
    request_open_ = true;
  }
  switch (tls_->handshake()) {
    case TlsSession::Status::Done:
      handshaking_ = tls_wants_write_ = request_open_ = false;
      request_began_ = clock_.steady();
      break;
    case TlsSession::Status::WantRead:
      tls_wants_write_ = false;
      break;
    case TlsSession::Status::WantWrite:
      tls_wants_write_ = true;
      break;
    case TlsSession::Status::Closed:
    case TlsSession::Status::Failed:
      trouble_ = tls_->trouble();
      return close(CloseReason::Handshake);
  }
  update_watch();
}

// Somebody wrote http:// where it is https://. RFC 9110 has no word for it; a browser shows this text.
void Connection::refuse_plain() {
  trouble_ = "no TLS";
  tls_.reset();
  handshaking_ = keep_alive_ = answered_ = false;
  method_ = "GET";
  lingers_ = true;
  sent_reason_ = CloseReason::Handshake;
  Response response;
  response.status = 400;
  response.content_type = "text/plain";
  response.text = "This port speaks TLS: write https:// in front of the address.\n";
  respond(response);
}

// How much came; 0: the peer has closed; nothing: not now, or (then it is closed) the connection is lost.
std::optional<std::size_t> Connection::receive(std::span<std::uint8_t> room) {
  if (tls_ != nullptr) {
    const TlsSession::Read read = tls_->read(room);
    tls_wants_write_ = read.status == TlsSession::Status::WantWrite;
    if (read.status == TlsSession::Status::Done) return read.size;
    if (read.status == TlsSession::Status::Closed) return 0;
    if (read.status == TlsSession::Status::Failed) close(CloseReason::Peer);
    return std::nullopt;
  }
  const ssize_t got = ::recv(socket_.get(), room.data(), room.size(), MSG_DONTWAIT);
  if (got >= 0) return static_cast<std::size_t>(got);
  if (errno != EAGAIN && errno != EINTR) close(CloseReason::Peer);
  return std::nullopt;
}

void Connection::read_requests() {
  std::array<std::uint8_t, kReadBytes> buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by receive()
  const auto got = receive(buffer);
  if (!got) return;
  if (*got == 0) {
    // A peer that has sent its request and closed its side still wants the answer (`printf ... | nc`).
    if (!out_.empty() || (body_ == nullptr && unsent())) {
      close_when_sent_ = true;
      end_of_input_ = true;
      return;
    }
    return close(CloseReason::Peer);
  }
  if (parser_ == nullptr && body_ != nullptr) return body_->received(ByteView(buffer.data(), *got));
  if (parser_ == nullptr || shutting_down_ || close_when_sent_)
    return;  // whoever watches a stream has nothing more to say
  if (!request_open_) {
    request_open_ = true;
    request_began_ = clock_.steady();
  }
  handle(parser_->feed(ByteView(buffer.data(), *got)));
}

void Connection::handle(RequestParser::Status status) {
  // One after the other, as long as they are answered at once: a pipelining peer gets its answers in order.
  while (!closed_) {
    if (status == RequestParser::Status::More) {
      request_open_ = !parser_->idle();
      if (parser_->awaits_continue()) queue("HTTP/1.1 100 Continue\r\n\r\n", {});
      return;
    }
    answered_ = false;
    if (status == RequestParser::Status::Bad) return refuse();
    request_open_ = false;
    Request request = std::move(parser_->request());
    rights_.reset();
    method_ = request.method;
    keep_alive_ = request.keep_alive && !shutting_down_;
    handler_(*this, request);
    if (closed_ || !answered_ || parser_ == nullptr || close_when_sent_) return;
    // A peer that asks and asks without reading is not answered into memory: 1 MB of answers must go first.
    if (out_.size() > 16) return close(CloseReason::Error);
    status = parser_->next();
    if (status != RequestParser::Status::More) request_began_ = clock_.steady();
  }
}

void Connection::refuse() {
  keep_alive_ = false;
  method_ = "GET";
  lingers_ = parser_->unread_body();
  Response response = error_response(parser_->error_status(), parser_->error_text());
  if (response.status == 503) response.headers.emplace_back("Retry-After", "1");
  respond(response);
}

// A peer that is still sending would get a reset, if we closed, and might lose the answer by it (RFC 9112, 9.6).
void Connection::sent_all() {
  if (!lingers_) return close(sent_reason_);
  if (std::exchange(lingering_, true)) return;
  if (tls_ != nullptr) tls_->end();
  ::shutdown(socket_.get(), SHUT_WR);
  request_began_ = clock_.steady();
  update_watch();
}

void Connection::throw_away() {
  // What TLS makes of it is no matter any more.
  std::array<char, kReadBytes> rest;  // NOLINT(cppcoreguidelines-pro-type-member-init): thrown away
  const ssize_t got = ::recv(socket_.get(), rest.data(), rest.size(), MSG_DONTWAIT);
  if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR))) return;
  close(sent_reason_);
}

std::string Connection::head_of(const Response& response, bool endless) const {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " " + reason_of(response.status) + "\r\n";
  const auto line = [&](std::string_view name, std::string_view value) {
    head.append(name).append(": ").append(value).append("\r\n");
  };
  if (!response.content_type.empty()) line("Content-Type", response.content_type);
  const bool bodiless = response.status == 204 || response.status == 304;
  if (!endless && !bodiless) line("Content-Length", std::to_string(response.body_size()));
  line("X-Content-Type-Options", "nosniff");
  for (const auto& [name, value] : response.headers) line(name, value);
  line("Connection", endless || !keep_alive_ ? "close" : "keep-alive");
  return head + "\r\n";
}

void Connection::queue(std::string head, Blob body) {
  if (out_.empty()) progress_ = clock_.steady();
  out_.push_back({std::move(head), std::move(body), 0});
  flush();
}

void Connection::respond(const Response& response) {
  if (closed_ || draining_) return;
  std::string text = head_of(response, false);
  const bool bodiless = method_ == "HEAD" || response.status == 204 || response.status == 304;
  if (!bodiless) text += response.text;
  answered_ = true;
  if (!keep_alive_) close_when_sent_ = true;
  const bool later = body_ != nullptr;
  if (later) {
    // The body that waited is calling: it goes when it has returned.
    std::shared_ptr<Body> waited = std::move(body_);
    loop_.defer([waited] {});
    body_waits_ = false;
  }
  queue(std::move(text), bodiless ? Blob() : response.blob);
  request_began_ = clock_.steady();
  if (closed_) return;
  if (later && !close_when_sent_) handle(parser_->next());
  if (!closed_) update_watch();
}

void Connection::stream(const Response& head, std::string_view first, std::unique_ptr<Body> body) {
  if (closed_) return;
  keep_alive_ = false;
  answered_ = true;
  std::string text = head_of(head, true);
  if (method_ == "HEAD") {
    close_when_sent_ = true;
    queue(std::move(text), {});
    return;
  }
  text += first;
  // The parser is calling, by way of the handler: it goes when it has returned.
  std::shared_ptr<RequestParser> parser = std::move(parser_);
  loop_.defer([parser] {});
  body_ = std::move(body);
  body_waits_ = true;  // for its first writable(), once the head is out
  queue(std::move(text), {});
  if (!closed_) update_watch();
}

void Connection::switch_protocols(std::string_view headers, std::unique_ptr<Body> body) {
  if (closed_) return;
  keep_alive_ = false;
  answered_ = true;
  const std::string rest = parser_->take_rest();
  std::shared_ptr<RequestParser> parser = std::move(parser_);
  loop_.defer([parser] {});  // it is calling, as in stream()
  body_ = std::move(body);
  body_waits_ = true;
  queue("HTTP/1.1 101 Switching Protocols\r\n" + std::string(headers) + "\r\n", {});
  if (!closed_ && !rest.empty()) body_->received(as_bytes(rest));
  if (!closed_) update_watch();
}

void Connection::wait(std::unique_ptr<Body> body) {
  unread_ = false;
  body_ = std::move(body);
  update_watch();
}

void Connection::go_on(Request& request, const Handler& handler) {
  if (closed_ || draining_) return;
  if (body_ != nullptr) {
    std::shared_ptr<Body> waited = std::move(body_);  // it is calling, as in respond()
    loop_.defer([waited] {});
  }
  body_waits_ = false;
  handler(*this, request);
  if (closed_) return;
  if (answered_ && parser_ != nullptr && !close_when_sent_) handle(parser_->next());
  if (!closed_) update_watch();
}

std::optional<std::size_t> Connection::send_tls(std::span<const iovec> parts) {
  const std::uint64_t before = tls_->wire_bytes();
  const auto sent = tls_->send(parts);
  if (!sent) {
    close(CloseReason::Peer);
    return std::nullopt;
  }
  if (tls_->wire_bytes() != before) progress_ = clock_.steady();
  return sent;
}

// The record that waits in TLS. False: it waits still, or the connection is closed.
bool Connection::push_waiting() {
  if (tls_ == nullptr || !tls_->pending()) return true;
  const std::uint64_t before = tls_->wire_bytes();
  if (!tls_->flush()) {
    close(CloseReason::Peer);
    return false;
  }
  if (tls_->wire_bytes() != before) progress_ = clock_.steady();
  if (tls_->pending()) return false;
  if (!draining_ && !(out_.empty() && close_when_sent_)) return true;
  sent_all();
  return false;
}

std::optional<std::size_t> Connection::send(std::span<const iovec> parts) {
  if (draining_ || closed_) return std::nullopt;
  if (tls_ != nullptr) return send_tls(parts);
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts.data());
  message.msg_iovlen = parts.size();
  const ssize_t sent = ::sendmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (sent > 0) progress_ = clock_.steady();
  if (sent >= 0) return static_cast<std::size_t>(sent);
  if (errno == EAGAIN || errno == EINTR) return 0;
  close(CloseReason::Peer);
  return std::nullopt;
}

std::optional<std::size_t> Connection::send_pipe(int pipe, std::size_t size) {
  if (draining_ || closed_) return std::nullopt;
  if (tls_ != nullptr) return 0;
  const ssize_t sent = ::splice(pipe, nullptr, socket_.get(), nullptr, size, SPLICE_F_NONBLOCK);
  if (sent > 0) progress_ = clock_.steady();
  if (sent >= 0) return static_cast<std::size_t>(sent);
  if (errno == EAGAIN || errno == EINTR || errno == EINVAL) return 0;
  close(CloseReason::Peer);
  return std::nullopt;
}

void Connection::wait_writable() {
  if (closed_ || draining_ || body_waits_) return;
  body_waits_ = true;
  progress_ = clock_.steady();
  update_watch();
}

void Connection::flush() {
  while (!out_.empty()) {
    Out& out = out_.front();
    const std::size_t text_left = out.text.size() - std::min(out.text.size(), out.sent);
    const std::size_t blob_sent = out.sent - std::min(out.text.size(), out.sent);
    const std::array<iovec, 2> parts = {
        iovec{out.text.data() + (out.text.size() - text_left), text_left},
        iovec{const_cast<std::uint8_t*>(out.blob.data()) + blob_sent, out.blob.size() - blob_sent}};
    const auto sent = send(parts);
    if (!sent) return;
    out.sent += *sent;
    if (out.sent == out.text.size() + out.blob.size()) {
      out_.pop_front();
    } else if (*sent == 0) {
      break;
    }
  }
  if (close_when_sent_ && !unsent()) return sent_all();
  update_watch();
}

void Connection::close_when_sent() {
  close_when_sent_ = true;
  if (out_.empty()) close(CloseReason::Done);
}

// What a body gave us and TLS has not sent is all that is left to do. Its body goes now: it has said its last.
void Connection::drain(CloseReason reason) {
  draining_ = close_when_sent_ = true;
  sent_reason_ = reason;
  lingers_ = body_waits_ = false;
  if (body_ != nullptr) {
    std::shared_ptr<Body> done = std::move(body_);
    loop_.defer([done] {});
  }
  update_watch();
}

void Connection::close(CloseReason reason) {
  if (closed_) return;
  const bool in_peace = reason == CloseReason::Done || reason == CloseReason::Shutdown;
  if (in_peace && tls_ != nullptr && tls_->pending()) {
    if (!draining_) drain(reason);
    return;
  }
  closed_ = true;
  if (tls_ != nullptr && !handshaking_) tls_->end();
  if (parser_ != nullptr) parser_->forget_body();  // this may live on until the loop comes round
  watch_.watch(-1, 0);
  // What the peer sent and we did not read would turn our close into a reset, which may take the last frame away.
  std::array<char, 4096> rest;  // NOLINT(cppcoreguidelines-pro-type-member-init): thrown away
  for (int i = 0; i < 16 && ::recv(socket_.get(), rest.data(), rest.size(), MSG_DONTWAIT) > 0; ++i) {
  }
  ::shutdown(socket_.get(), SHUT_WR);
  on_close_(*this, reason);
}

void Connection::check_time() {
  if (closed_) return;
  const SteadyTime now = clock_.steady();
  if (lingering_) {
    if (now - request_began_ > options_.linger_time) close(sent_reason_);
    return;
  }
  if (handshaking_) {
    if (now - since_ > options_.request_time) close(CloseReason::Timeout);
    return;
  }
  if (body_ != nullptr && !still_hold(rights_)) return close(CloseReason::Done);
  const bool blocked = unsent() || body_waits_;
  if (blocked && now - progress_ > options_.stall_time) return close(CloseReason::Stalled);
  if (waiting()) return look_at_peer();
  if (body_ != nullptr || blocked) return;
  const std::chrono::milliseconds for_body(1000 * parser_->body_bytes() / options_.body_rate);
  const auto limit = request_open_ ? options_.request_time + for_body : options_.idle_time;
  if (now - request_began_ <= limit) return;
  if (!request_open_) return close(CloseReason::Timeout);
  keep_alive_ = false;
  lingers_ = parser_->unread_body();
  sent_reason_ = CloseReason::Timeout;
  respond(error_response(408, "the request took too long"));
}

void Connection::shut_down() {
  shutting_down_ = true;
  keep_alive_ = false;
  if (draining_) return;
  if (handshaking_) return close(CloseReason::Shutdown);
  if (body_ != nullptr && out_.empty()) {
    if (body_->finish()) close(CloseReason::Shutdown);
    return;
  }
  if (out_.empty()) {
    close(CloseReason::Shutdown);
  } else {
    close_when_sent_ = true;
  }
}

}  // namespace fp::http
