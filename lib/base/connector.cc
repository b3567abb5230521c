#include "base/connector.h"

#include <poll.h>

#include <cerrno>

namespace fp {
namespace {

bool ready(int fd, short events) {
  pollfd one{fd, events, 0};
  return ::poll(&one, 1, 0) > 0;
}

}  // namespace

int connect_error(int fd) {
  int error = 0;
  socklen_t length = sizeof error;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) return errno;
  return error;
}

Connector::Connector(const std::string& host, std::string port, SteadyTime now, std::chrono::milliseconds limit)
    : port_(std::move(port)), until_(now + limit), address_until_(until_) {
  lookup_.emplace(host, port_);
}

Wait Connector::wait() const {
  if (!lookup_) return {socket_.get(), true, address_until_, generation_};
  const int fd = lookup_->fd();
  return {fd, false, fd < 0 ? SteadyTime() : until_, generation_};
}

std::optional<Result<Fd>> Connector::advance(SteadyTime now) {
  if (lookup_) {
    auto found = lookup_->take();
    if (!found) {
      if (now < until_) return std::nullopt;
      return fail(Error{Error::Kind::Io, ETIMEDOUT, "the name look-up takes too long (is there a name server?)"});
    }
    lookup_.reset();
    ++generation_;
    if (!*found) return fail(std::move(*found).error());
    addresses_ = std::move(**found);
    return next_address(now);
  }
  if (!socket_) return std::nullopt;
  if (ready(socket_.get(), POLLOUT)) {
    const int error = connect_error(socket_.get());
    ++generation_;
    if (error == 0) return std::move(socket_);
    last_ = io_error("connect", error);
  } else if (now >= address_until_) {
    last_ = io_error("connect", ETIMEDOUT);
  } else {
    return std::nullopt;
  }
  return next_address(now);
}

std::optional<Result<Fd>> Connector::next_address(SteadyTime now) {
  while (next_ < addresses_.size()) {
    const auto left = static_cast<SteadyTime::rep>(addresses_.size() - next_);
    const SocketAddress& address = addresses_[next_++];
    ++generation_;
    socket_ = Fd(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket_) {
      last_ = io_error("socket");
      continue;
    }
    address_until_ = now + (until_ - now) / left;
    if (::connect(socket_.get(), address.raw(), address.length) == 0 || errno == EINPROGRESS) return std::nullopt;
    last_ = io_error("connect");
  }
  socket_.reset();
  return fail(last_);
}

Result<Fd> connect_blocking(const std::string& host, const std::string& port) {
  const SystemClock clock;
  Connector connector(host, port, clock.steady());
  for (;;) {
    const SteadyTime now = clock.steady();
    if (auto socket = connector.advance(now)) return std::move(*socket);
    const Wait wait = connector.wait();
    pollfd one{wait.fd, static_cast<short>(wait.write ? POLLOUT : POLLIN), 0};
    ::poll(&one, 1, poll_timeout_ms(wait.until, now));
  }
}

}  // namespace fp
