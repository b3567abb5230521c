// The threads that convert frames for the variants of a server.
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "frame/convert.h"
#include "loop/loop.h"
#include "serve/variant_key.h"

namespace fp {

/// One frame on its way through the pool, with what its variant must know about it afterwards.
struct VariantJob {
  FramePtr frame;
  std::uint64_t origin = 0;  ///< Packet::origin()
  bool published = true;     ///< false: only shown
};
struct VariantResult {
  VariantJob job;
  Result<Converted> outcome;
  std::chrono::nanoseconds took{0};
};

/// Takes jobs and gives results on the loop's thread; converts on threads of its own, which are there while a seat is.
/// Each seat has at most one job at work and one that waits, the newest; seats take turns. Memory: for each thread that
/// of a jpeg::Converter, for each seat two frames.
class VariantPool {
  struct Work;

 public:
  /// Called on the pool's threads, several at a time.
  using Convert =
      std::function<Result<Converted>(jpeg::Converter& converter, const FramePtr& frame, const VariantKey& key)>;
  /// As many as there are processors, at most 4.
  [[nodiscard]] static std::size_t usual_threads();
  /// What a pool does unless told otherwise: convert_frame() with the wishes of the key.
  [[nodiscard]] static Result<Converted> convert(jpeg::Converter& converter, const FramePtr& frame,
                                                 const VariantKey& key);

  /// Throws Failure when there is no descriptor left.
  explicit VariantPool(Loop& loop, std::size_t threads = usual_threads(), Convert convert = VariantPool::convert);
  VariantPool(const VariantPool&) = delete;
  VariantPool& operator=(const VariantPool&) = delete;
  /// Waits for what is at work. No seat may be left.
  ~VariantPool();

  /// A variant's place at the pool. Results come in the order of the jobs, to `done`, which may not destroy the seat;
  /// what is under way when the seat goes is thrown away.
  class Seat {
   public:
    using Done = std::function<void(VariantResult result)>;
    /// Throws Failure when there are no threads, and none can be started.
    Seat(VariantPool& pool, const VariantKey& key, Done done);
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;
    ~Seat();
    /// Says whether this one took the place of one that waited.
    bool put(VariantJob job);
    /// Something is at work, waits, or is done and not handed out yet.
    [[nodiscard]] bool busy() const { return under_way_ > 0; }
    /// Throws away what waits.
    void forget();

   private:
    friend class VariantPool;
    VariantPool& pool_;
    Done done_;
    std::shared_ptr<Work> work_;
    std::size_t under_way_ = 0;
  };

  [[nodiscard]] Loop& loop() const { return loop_; }
  /// How many there are; those that are about to end count, too.
  [[nodiscard]] std::size_t threads() const { return threads_.size(); }

 private:
  // What a seat and a thread share; under mutex_ but for `seat`, which is the loop's.
  struct Work {
    VariantKey key;
    Seat* seat = nullptr;  // nullptr: gone
    std::optional<VariantJob> waiting;
    bool at_work = false;
  };
  struct Finished {
    std::shared_ptr<Work> work;
    VariantResult result;
  };
  void start_threads();
  void work();
  void collect();

  Loop& loop_;
  const std::size_t most_threads_;
  const Convert convert_;
  Fd ready_;
  IoWatch ready_watch_;
  std::size_t seats_ = 0;
  std::vector<std::thread> threads_;

  std::mutex mutex_;
  std::condition_variable more_;
  bool wanted_ = false;  // threads are to stay
  std::deque<std::shared_ptr<Work>> queue_;
  std::vector<Finished> finished_;
  std::vector<std::thread::id> ended_;
};

}  // namespace fp
