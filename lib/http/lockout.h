// How fast passwords may be tried.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>

#include "base/clock.h"

namespace fp::http {

/// Counts failures for keys: addresses, or users. Five are free; from then on the next try has to wait a second, and
/// twice as long after each further one, up to a minute. Tries that are under way count as failures until they are
/// known to be none, and wait one behind the other: to try at the same time is no way around. No I/O, one thread.
class Lockout {
 public:
  static constexpr int kFreeFailures = 5;
  static constexpr std::chrono::seconds kFirstWait{1};
  static constexpr std::chrono::seconds kMostWait{60};
  static constexpr std::chrono::minutes kMemory{15};  ///< without a failure, and all is forgotten
  static constexpr int kMostOpen = 16;                ///< tries of one key at a time
  static constexpr std::size_t kMostKeys = 4096;      ///< the one whose last failure is oldest gives way

  /// When a try that begins now may be looked at; end() must follow. Nothing: it is turned away, since kMostOpen are
  /// under way, or it would wait longer than kMostWait. Then end() must not follow.
  [[nodiscard]] std::optional<SteadyTime> begin(const std::string& key, SteadyTime now);

  enum class Outcome {
    Right,  ///< shown: the key has failed in nothing any more
    Wrong,
    NotLooked,  ///< the peer has gone, say: it counts as nothing
  };
  void end(const std::string& key, Outcome outcome, SteadyTime now);

  /// When what is no guess any more, but may not tell that it is none, is answered: not before a guess would be.
  [[nodiscard]] SteadyTime free_at(const std::string& key, SteadyTime now) const;

  /// How many have to wait now.
  [[nodiscard]] std::size_t locked(SteadyTime now) const;
  [[nodiscard]] std::size_t keys() const { return entries_.size(); }

 private:
  struct Entry {
    int failures = 0;
    int open = 0;
    SteadyTime next;  // no try is looked at before
    SteadyTime last;  // when it last failed, or first was there
  };
  void make_room(SteadyTime now);
  std::unordered_map<std::string, Entry> entries_;
};

/// What an address counts as: itself, of IPv6 the network (/64), since one machine has as many addresses in there as it
/// wants.
[[nodiscard]] std::string network_of(const std::string& address);

}  // namespace fp::http
