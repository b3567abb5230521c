// What was found of credentials that came lately.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <initializer_list>
#include <map>
#include <string_view>
#include <utility>

#include "base/clock.h"

namespace fp::http {

/// Names credentials without holding them: HMAC-SHA256 by a key of this process, made anew with each start.
class CredentialNames {
 public:
  using Name = std::array<unsigned char, 32>;
  CredentialNames();  ///< throws Failure when the kernel gives no random bytes
  /// Of several texts; other texts, or the same ones split otherwise, have another name.
  [[nodiscard]] Name of(std::initializer_list<std::string_view> texts) const;

 private:
  Name key_{};
};

/// Names that are remembered for ten minutes each, kMost of them: then the oldest gives way. One thread.
class RecentNames {
 public:
  static constexpr std::chrono::minutes kMemory{10};
  static constexpr std::size_t kMost = 4096;
  using Name = CredentialNames::Name;

  [[nodiscard]] bool has(const Name& name, SteadyTime now) const;
  void add(const Name& name, SteadyTime now);
  void clear();
  [[nodiscard]] std::size_t size() const { return times_.size(); }

 private:
  std::map<Name, SteadyTime> times_;
  std::deque<std::pair<Name, SteadyTime>> order_;  // as they came
};

}  // namespace fp::http
