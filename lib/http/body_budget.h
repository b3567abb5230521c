// How much of requests' bodies may be in memory.
#pragma once

#include <cstddef>
#include <utility>

namespace fp::http {

/// What all connections of a server share: each takes from it what its body needs, as its bytes come (not as they are
/// announced: who announces much and sends nothing takes nothing from others). One thread; outlives its shares, but
/// those that have nothing.
class BodyBudget {
 public:
  explicit BodyBudget(std::size_t limit_bytes) : limit_bytes_(limit_bytes) {}
  BodyBudget(const BodyBudget&) = delete;
  BodyBudget& operator=(const BodyBudget&) = delete;
  [[nodiscard]] std::size_t used_bytes() const { return used_bytes_; }

  /// What one of them has, given back at its end. Without a budget (nullptr) there is no limit.
  class Share {
   public:
    explicit Share(BodyBudget* budget) : budget_(budget) {}
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() { release(); }

    /// Has at least so much. False, and all stays as it was: there is not enough left.
    [[nodiscard]] bool grow_to(std::size_t bytes) {
      if (budget_ == nullptr || bytes <= bytes_) return true;
      if (bytes - bytes_ > budget_->limit_bytes_ - budget_->used_bytes_) return false;
      budget_->used_bytes_ += bytes - bytes_;
      bytes_ = bytes;
      return true;
    }
    /// Afterwards the budget may go, too.
    void release() {
      if (bytes_ != 0) budget_->used_bytes_ -= std::exchange(bytes_, 0);
    }

   private:
    BodyBudget* budget_;
    std::size_t bytes_ = 0;
  };

 private:
  const std::size_t limit_bytes_;
  std::size_t used_bytes_ = 0;
};

}  // namespace fp::http
