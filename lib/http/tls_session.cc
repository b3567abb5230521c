#include "http/tls_session.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "http/tls_error.h"

namespace fp::http {
namespace {

// Collects at most a record's worth of `parts`, from `at` on. Small pieces, such as a part's head and its JPEG, go in
// one record.
std::size_t gather(std::span<const iovec> parts, std::size_t at, std::span<std::uint8_t> room) {
  std::size_t size = 0;
  for (const iovec& part : parts) {
    if (at >= part.iov_len) {
      at -= part.iov_len;
      continue;
    }
    const std::size_t some = std::min(part.iov_len - at, room.size() - size);
    std::memcpy(room.data() + size, static_cast<const std::uint8_t*>(part.iov_base) + at, some);
    size += some;
    at = 0;
    if (size == room.size()) break;
  }
  return size;
}

}  // namespace

TlsSession::~TlsSession() { ::SSL_free(ssl_); }

TlsSession::Status TlsSession::settle(int result) {
  const int sys = errno;
  switch (::SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ:
      return Status::WantRead;
    case SSL_ERROR_WANT_WRITE:
      return Status::WantWrite;
    case SSL_ERROR_ZERO_RETURN:
      return Status::Closed;
    case SSL_ERROR_SYSCALL:
      trouble_ = sys != 0 ? std::strerror(sys) : "the peer has left";  // NOLINT(concurrency-mt-unsafe): glibc's is
      ::ERR_clear_error();
      break;
    default:
      trouble_ = take_tls_error();
  }
  broken_ = true;
  return Status::Failed;
}

TlsSession::Status TlsSession::handshake() {
  ::ERR_clear_error();
  errno = 0;
  const int result = ::SSL_do_handshake(ssl_);
  if (result != 1) return settle(result);
  ready_ = true;
  return Status::Done;
}

TlsSession::Read TlsSession::read(std::span<std::uint8_t> room) {
  if (broken_) return {Status::Failed, 0};
  ::ERR_clear_error();
  errno = 0;
  std::size_t got = 0;
  const int result = ::SSL_read_ex(ssl_, room.data(), room.size(), &got);
  if (result == 1) return {Status::Done, got};
  return {settle(result), 0};
}

// How much of it has gone, in records; 0: the first one waits for the socket.
std::optional<std::size_t> TlsSession::put(const std::uint8_t* bytes, std::size_t size) {
  ::ERR_clear_error();
  errno = 0;
  std::size_t put = 0;
  const int result = ::SSL_write_ex(ssl_, bytes, size, &put);
  if (result == 1) return put;
  const Status status = settle(result);
  if (status == Status::WantWrite || status == Status::WantRead) return 0;
  broken_ = true;
  return std::nullopt;
}

bool TlsSession::flush() {
  if (broken_) return false;
  while (!waiting_.empty()) {
    const auto sent = put(reinterpret_cast<const std::uint8_t*>(waiting_.data()), waiting_.size());
    if (!sent) return false;
    if (*sent == 0) return true;
    waiting_.erase(0, *sent);
  }
  waiting_ = std::string();  // an idle connection is to cost little
  return true;
}

std::optional<std::size_t> TlsSession::send(std::span<const iovec> parts) {
  if (!flush()) return std::nullopt;
  if (pending()) return 0;
  std::array<std::uint8_t, kRecordBytes> record;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by gather
  for (std::size_t taken = 0;;) {
    const std::size_t size = gather(parts, taken, record);
    if (size == 0) return taken;
    const auto sent = put(record.data(), size);
    if (!sent) return std::nullopt;
    if (*sent == 0) {
      // A record is made of them: OpenSSL would send these bytes, whatever it were given next.
      waiting_.assign(reinterpret_cast<const char*>(record.data()), size);
      return taken + size;
    }
    taken += *sent;
  }
}

std::uint64_t TlsSession::wire_bytes() const { return ::BIO_number_written(::SSL_get_wbio(ssl_)); }

void TlsSession::end() {
  if (broken_ || !ready_ || pending()) return;
  ::ERR_clear_error();
  (void)::SSL_shutdown(ssl_);
  ::ERR_clear_error();
}

}  // namespace fp::http
