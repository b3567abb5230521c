#include "base/lookup.h"

#include <netdb.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <cstring>
#include <mutex>
#include <system_error>
#include <thread>

#include "base/fd.h"

namespace fp {
namespace {

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

struct Answer {
  int error = 0;  // EAI_...
  Result<Lookup::Addresses> result = Lookup::Addresses();
};

Answer ask(const std::string& host, const std::string& port, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | flags;
  addrinfo* list = nullptr;
  Answer answer;
  answer.error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &list);
  if (answer.error == EAI_SYSTEM) answer.result = fail(io_error(host));
  if (answer.error != 0) {
    if (answer.result)
      answer.result = fail({Error::Kind::Io, EHOSTUNREACH, host + ": " + ::gai_strerror(answer.error)});
    return answer;
  }
  const std::unique_ptr<addrinfo, FreeAddresses> owner(list);
  for (const addrinfo* one = list; one != nullptr; one = one->ai_next) {
    SocketAddress& address = answer.result->emplace_back();
    std::memcpy(&address.storage, one->ai_addr, one->ai_addrlen);
    address.length = one->ai_addrlen;
  }
  return answer;
}

}  // namespace

struct Lookup::Shared {
  std::mutex mutex;
  std::optional<Result<Addresses>> result;
  Fd done{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
};

Lookup::Lookup(const std::string& host, const std::string& port) {
  Answer at_once = ask(host, port, AI_NUMERICHOST);
  if (at_once.error != EAI_NONAME) {
    result_ = std::move(at_once.result);
    return;
  }
  shared_ = std::make_shared<Shared>();
  if (!shared_->done) {
    result_ = fail(io_error("eventfd"));
    return;
  }
  try {
    std::thread([shared = shared_, host, port] {
      Answer answer = ask(host, port, 0);
      const std::lock_guard lock(shared->mutex);
      shared->result = std::move(answer.result);
      (void)::eventfd_write(shared->done.get(), 1);
    }).detach();
  } catch (const std::system_error& error) {
    result_ = fail(io_error("look up " + host, error.code().value()));
  }
}

int Lookup::fd() const { return result_ || !shared_ ? -1 : shared_->done.get(); }

std::optional<Result<Lookup::Addresses>> Lookup::take() {
  if (result_) return std::exchange(result_, std::nullopt);
  if (!shared_) return std::nullopt;
  const std::lock_guard lock(shared_->mutex);
  return std::exchange(shared_->result, std::nullopt);
}

}  // namespace fp
