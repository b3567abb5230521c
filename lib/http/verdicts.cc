#include "http/verdicts.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <sys/random.h>

#include <string>

#include "base/result.h"

namespace fp::http {

CredentialNames::CredentialNames() {
  if (::getrandom(key_.data(), key_.size(), 0) != static_cast<ssize_t>(key_.size())) {
    throw Failure{Exit::System, io_error("getrandom").text};
  }
}

CredentialNames::Name CredentialNames::of(std::initializer_list<std::string_view> texts) const {
  std::string all;
  for (const std::string_view text : texts) {
    all += std::to_string(text.size()) + ":";
    all += text;
  }
  Name name{};
  unsigned size = 0;
  ::HMAC(::EVP_sha256(), key_.data(), static_cast<int>(key_.size()), reinterpret_cast<const unsigned char*>(all.data()),
         all.size(), name.data(), &size);
  return name;
}

bool RecentNames::has(const Name& name, SteadyTime now) const {
  const auto found = times_.find(name);
  return found != times_.end() && now - found->second < kMemory;
}

void RecentNames::add(const Name& name, SteadyTime now) {
  times_[name] = now;
  order_.emplace_back(name, now);
  while (!order_.empty() && (order_.size() > kMost || now - order_.front().second >= kMemory)) {
    // One that was added again since stands further behind, too.
    const auto& [oldest, time] = order_.front();
    if (const auto found = times_.find(oldest); found != times_.end() && found->second == time) times_.erase(found);
    order_.pop_front();
  }
}

void RecentNames::clear() {
  times_.clear();
  order_.clear();
}

}  // namespace fp::http
