#include "http/lockout.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>

namespace fp::http {
namespace {

// After so many failures.
std::chrono::seconds wait_after(int failures) {
  if (failures < Lockout::kFreeFailures) return std::chrono::seconds(0);
  const int doublings = std::min(failures - Lockout::kFreeFailures, 6);
  return std::min(Lockout::kFirstWait * (1 << doublings), Lockout::kMostWait);
}

}  // namespace

std::optional<SteadyTime> Lockout::begin(const std::string& key, SteadyTime now) {
  auto found = entries_.find(key);
  if (found != entries_.end() && found->second.open == 0 && now - found->second.last > kMemory) {
    entries_.erase(found);
    found = entries_.end();
  }
  if (found == entries_.end()) {
    make_room(now);
    found = entries_.emplace(key, Entry{0, 0, now, now}).first;
  }
  Entry& entry = found->second;
  const SteadyTime at = std::max(now, entry.next);
  if (entry.open >= kMostOpen || at - now > kMostWait) return std::nullopt;
  ++entry.open;
  entry.next = at + wait_after(entry.failures + entry.open);
  return at;
}

void Lockout::end(const std::string& key, Outcome outcome, SteadyTime now) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return;
  Entry& entry = found->second;
  --entry.open;
  if (outcome == Outcome::Right) entry.failures = 0;
  if (outcome == Outcome::Wrong) {
    entry.failures = std::min(entry.failures + 1, 1000);
    entry.last = now;
    entry.next = std::max(entry.next, now + wait_after(entry.failures));
  }
  if (entry.open > 0) return;
  // Nobody is under way: what was kept for those that were is free again.
  if (outcome != Outcome::Wrong) entry.next = std::min(entry.next, now + wait_after(entry.failures));
  if (entry.failures == 0) entries_.erase(found);
}

SteadyTime Lockout::free_at(const std::string& key, SteadyTime now) const {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return now;
  const Entry& entry = found->second;
  const bool forgotten = entry.open == 0 && now - entry.last > kMemory;
  return forgotten ? now : std::max(now, entry.next);
}

void Lockout::make_room(SteadyTime now) {
  if (entries_.size() < kMostKeys) return;
  std::erase_if(entries_, [&](const auto& one) { return one.second.open == 0 && now - one.second.last > kMemory; });
  while (entries_.size() >= kMostKeys) {
    auto oldest = entries_.end();
    for (auto it = entries_.begin(); it != entries_.end(); ++it) {
      if (it->second.open == 0 && (oldest == entries_.end() || it->second.last < oldest->second.last)) oldest = it;
    }
    if (oldest == entries_.end()) return;  // all are under way, and those who may be are few
    entries_.erase(oldest);
  }
}

std::size_t Lockout::locked(SteadyTime now) const {
  return static_cast<std::size_t>(
      std::count_if(entries_.begin(), entries_.end(), [&](const auto& one) { return one.second.next > now; }));
}

std::string network_of(const std::string& address) {
  in6_addr parsed{};
  if (::inet_pton(AF_INET6, address.c_str(), &parsed) != 1) return address;
  std::fill(std::begin(parsed.s6_addr) + 8, std::end(parsed.s6_addr), std::uint8_t{0});
  std::array<char, INET6_ADDRSTRLEN> text{};
  ::inet_ntop(AF_INET6, &parsed, text.data(), text.size());
  return std::string(text.data()) + "/64";
}

}  // namespace fp::http
