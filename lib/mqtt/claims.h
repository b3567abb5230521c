// Which brokers of a URL our clients are at.
#pragma once

#include <cstddef>
#include <mutex>
#include <set>

namespace fp::mqtt {

/// Two clients that share this never hang on the same broker. Calls from any thread.
class Claims {
 public:
  /// False: another client has it.
  [[nodiscard]] bool take(std::size_t broker) {
    const std::lock_guard lock(mutex_);
    return taken_.insert(broker).second;
  }
  void give_back(std::size_t broker) {
    const std::lock_guard lock(mutex_);
    taken_.erase(broker);
  }

 private:
  std::mutex mutex_;
  std::set<std::size_t> taken_;
};

}  // namespace fp::mqtt
