// TLS on one connection of a server.
#pragma once

#include <sys/uio.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>

// OpenSSL's own name, so that its headers stay out of ours.
struct ssl_st;

namespace fp::http {

/// Non-blocking; one thread. SIGPIPE must be ignored, as cli::start() does: OpenSSL knows no MSG_NOSIGNAL.
///
/// What send() has taken counts as sent. OpenSSL makes records of it, at most 16 KiB each, and the last of them may
/// wait in here for the socket: flush() sends it, and until then nothing more is taken. So a slow viewer has one record
/// more on its way than without TLS, and a frame that none was taken of can still be given up for a newer one.
class TlsSession {
 public:
  static constexpr std::size_t kRecordBytes = 16U << 10U;
  enum class Status { Done, WantRead, WantWrite, Closed, Failed };
  struct Read {
    Status status = Status::Done;
    std::size_t size = 0;  ///< when Done: more than 0
  };

  explicit TlsSession(ssl_st* ssl) : ssl_(ssl) {}  ///< takes `ssl` over
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;
  ~TlsSession();

  [[nodiscard]] Status handshake();
  /// At most one record, which kRecordBytes of room hold: nothing stays in here of which the descriptor says nothing.
  [[nodiscard]] Read read(std::span<std::uint8_t> room);
  /// How many bytes were taken, 0 when the socket is full; nothing: the connection is lost.
  [[nodiscard]] std::optional<std::size_t> send(std::span<const iovec> parts);
  /// Sends what waits. False: the connection is lost.
  [[nodiscard]] bool flush();
  [[nodiscard]] bool pending() const { return !waiting_.empty(); }
  /// Of the bytes on the wire, so that a peer that takes a record bit by bit is seen to do so.
  [[nodiscard]] std::uint64_t wire_bytes() const;
  /// Says that nothing more will come (close_notify), if the socket takes it; only when nothing is pending.
  void end();
  /// After Failed: why. "unsupported protocol".
  [[nodiscard]] const std::string& trouble() const { return trouble_; }

 private:
  Status settle(int result);
  std::optional<std::size_t> put(const std::uint8_t* bytes, std::size_t size);

  ssl_st* const ssl_;
  std::string waiting_;  // what OpenSSL has made a record of that is not out; it wants to see it again
  bool broken_ = false;
  bool ready_ = false;
  std::string trouble_;
};

}  // namespace fp::http
