// One HTTP connection of a server: reads requests, sends answers, lends itself to streams.
#pragma once

#include <sys/uio.h>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "base/clock.h"
#include "base/fd.h"
#include "http/message.h"
#include "http/request_parser.h"
#include "http/tls_session.h"
#include "loop/loop.h"

namespace fp::http {

class Connection;

/// Whatever answers a request later or for long: a stream, a snapshot that waits. Owned by its connection, destroyed
/// with it or when the answer is complete.
class Body {
 public:
  virtual ~Body() = default;
  /// The socket takes bytes again; only after Connection::wait_writable().
  virtual void writable() = 0;
  /// What the peer says after the request; a stream's viewer has nothing to say.
  virtual void received(ByteView /*bytes*/) {}
  /// The server ends: true when the connection may be closed at once, else the body closes it when what it has begun is
  /// out.
  virtual bool finish() = 0;
  /// For Connection::wait(): whether a peer that has closed its side has gone, and is not worked for any more. From
  /// most an end of input is no such sign (`printf ... | nc`); but one who gives up waiting closes, and TCP does not
  /// tell that from a closed side. Where waiting costs much, RFC 9112, 9.6 lets the server take it so.
  [[nodiscard]] virtual bool leaves_with_input() const { return false; }

 protected:
  Body() = default;
};

struct ConnectionOptions {
  std::chrono::milliseconds request_time{10'000};  ///< for TLS to begin; to send a whole request, and more:
  std::size_t body_rate = 64u << 10;               ///< another second for each so many bytes of a body
  std::chrono::milliseconds idle_time{30'000};     ///< between requests
  std::chrono::milliseconds stall_time{15'000};    ///< in which a peer that has something to read must take a byte
  std::chrono::milliseconds linger_time{5'000};    ///< in which what a refused peer goes on sending is thrown away
  BodyLimit body_limit;                            ///< without one RequestParser::kMaxBodyBytes
};

class Connection {
 public:
  /// The request is the handler's for as long as the call lasts: it may take it with it, to go_on() later.
  using Handler = std::function<void(Connection&, Request&)>;
  enum class CloseReason { Peer, Done, Stalled, Timeout, Error, Shutdown, Handshake };
  using OnClose = std::function<void(Connection&, CloseReason)>;

  /// `on_close` is called once; the connection is to be destroyed then, but not before the loop comes round (defer).
  /// `bodies`: what large ones share, or nullptr. `tls`: on the same socket, not begun; nullptr: in the clear.
  Connection(Loop& loop, const Clock& clock, Fd socket, std::string peer, const ConnectionOptions& options,
             const Handler& handler, OnClose on_close, BodyBudget* bodies = nullptr,
             std::unique_ptr<TlsSession> tls = nullptr);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();

  [[nodiscard]] const std::string& peer() const { return peer_; }  ///< an address in figures, or "unix"
  [[nodiscard]] SteadyTime since() const { return since_; }
  [[nodiscard]] bool secure() const { return tls_ != nullptr; }
  /// When it was closed for CloseReason::Handshake: why TLS did not come about.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

  // For the handler: exactly one of these for each request, now or (after wait()) later.
  void respond(const Response& response);
  /// Sends the head of an answer without end and `first`, then lends the connection to `body` until it is closed.
  void stream(const Response& head, std::string_view first, std::unique_ptr<Body> body);
  /// Answers 101 with `headers` (whole lines), and from then on hands what comes to `body` (RFC 9110, 7.8), also what
  /// came behind the request. The body sends when it is writable().
  void switch_protocols(std::string_view headers, std::unique_ptr<Body> body);
  /// The answer comes later, by a call of respond() from `body`. A peer that has gone meanwhile (a reset, both sides
  /// closed, or as Body::leaves_with_input() says) closes the connection: at once, or where it has sent more behind
  /// its request, at the next check_time().
  void wait(std::unique_ptr<Body> body);
  /// Ends a wait() without an answer: `handler` gives one to the request that waited, by any of these, as if it had
  /// just come. The body that waited goes later. A connection that is closed does nothing.
  void go_on(Request& request, const Handler& handler);
  /// Whatever answers this request is closed (CloseReason::Done) when these have ended, or up to a second later.
  void end_with(RightsPtr rights) { rights_ = std::move(rights); }

  // For a body. Sending gives how many bytes went, 0 when the socket is full; a lost peer closes the connection and
  // gives nothing.
  [[nodiscard]] std::optional<std::size_t> send(std::span<const iovec> parts);
  /// From a pipe, whose pages are handed on without a copy. A socket that cannot do that gives 0, as TLS does.
  [[nodiscard]] std::optional<std::size_t> send_pipe(int pipe, std::size_t size);
  /// Calls body->writable() when the socket takes bytes; from now on the peer is watched for stalling.
  void wait_writable();
  /// With Done and Shutdown what send() has taken goes out first; the body is not called any more.
  void close(CloseReason reason);
  /// Closes when all that was queued is out.
  void close_when_sent();

  // For the server.
  void check_time();  ///< now and then: closes what stalls or idles
  void shut_down();   ///< finish what was begun, take no more requests
  [[nodiscard]] bool streaming() const { return body_ != nullptr; }

 private:
  void ready(int events);
  void shake_hands();
  void refuse_plain();
  [[nodiscard]] std::optional<std::size_t> receive(std::span<std::uint8_t> room);
  [[nodiscard]] std::optional<std::size_t> send_tls(std::span<const iovec> parts);
  [[nodiscard]] bool push_waiting();
  [[nodiscard]] bool unsent() const { return !out_.empty() || (tls_ != nullptr && tls_->pending()); }
  void read_requests();
  [[nodiscard]] bool waiting() const { return body_ != nullptr && parser_ != nullptr; }
  void look_at_peer();
  void handle(RequestParser::Status status);
  void refuse();
  void sent_all();
  void throw_away();
  void flush();
  void drain(CloseReason reason);
  void queue(std::string head, Blob body);
  void update_watch();
  [[nodiscard]] std::string head_of(const Response& response, bool endless) const;

  Loop& loop_;
  const Clock& clock_;
  Fd socket_;
  const std::string peer_;
  const ConnectionOptions& options_;
  const Handler& handler_;
  OnClose on_close_;
  const SteadyTime since_;
  bool unix_ = false;
  std::unique_ptr<TlsSession> tls_;
  bool handshaking_ = false;
  bool tls_wants_write_ = false;  // to go on with the handshake, or with reading
  std::string trouble_;

  std::unique_ptr<RequestParser> parser_;  // gone while a stream runs: a viewer costs little
  struct Out {
    std::string text;
    Blob blob;
    std::size_t sent = 0;
  };
  std::deque<Out> out_;
  std::unique_ptr<Body> body_;
  std::string method_;
  bool keep_alive_ = true;
  bool answered_ = true;
  bool close_when_sent_ = false;
  CloseReason sent_reason_ = CloseReason::Done;  // what to say then
  bool lingers_ = false;                         // then: what comes is thrown away first, so that the answer is read
  bool lingering_ = false;                       // doing so
  bool end_of_input_ = false;                    // the peer has closed its side
  bool body_waits_ = false;                      // for writable()
  bool unread_ = false;                          // while waiting(): there is something to read, and it has to wait
  bool draining_ = false;                        // closed by its body, but for what waits in tls_
  bool closed_ = false;
  bool shutting_down_ = false;
  SteadyTime progress_;  // when a byte last went out, or it became necessary that one does
  SteadyTime request_began_;
  bool request_open_ = false;  // a part of a request has come
  RightsPtr rights_;           // what it answers by, see end_with()
  IoWatch watch_;
};

}  // namespace fp::http
