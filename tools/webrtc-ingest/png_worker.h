// The thread that turns PNGs into JPEGs, which takes too long for a loop that others wait for.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "loop/loop.h"
#include "webrtc-ingest/picture.h"

namespace fp::ingest {

/// A PNG, and what is known of it.
struct PngJob {
  std::vector<std::uint8_t> bytes;
  std::uint64_t arrival = 0;  ///< which of the session's pictures it is
  std::uint64_t number = 0;
  std::optional<double> captured_ms;
  WallTime received{};
};

/// One thread for all sessions, which take turns; it is there from the first PNG on. Memory: that of a picture in hand
/// (PictureReader::kMostPngPixels), and kMostWaiting PNGs a seat.
class PngWorker {
  struct Work;

 public:
  static constexpr std::size_t kMostWaiting = 4;

  explicit PngWorker(Loop& loop) : loop_(loop) {}
  PngWorker(const PngWorker&) = delete;
  PngWorker& operator=(const PngWorker&) = delete;
  /// Waits for the picture in hand. No seat may be left.
  ~PngWorker();

  /// A session's place.
  class Seat {
   public:
    /// On the loop's thread, in the order of put(): the job without its bytes, and what became of it. May not
    /// destroy the seat.
    using Done = std::function<void(const PngJob& job, Result<Picture> made)>;
    Seat(PngWorker& worker, Done done);
    Seat(const Seat&) = delete;
    Seat& operator=(const Seat&) = delete;
    ~Seat();  ///< what is under way is thrown away
    /// False: the oldest one that waited had to go for it.
    bool put(PngJob job);

   private:
    friend class PngWorker;
    PngWorker& worker_;
    Done done_;
    std::shared_ptr<Work> work_;
  };

 private:
  // What a seat and the thread share; under mutex_ but for `seat`, which is the loop's.
  struct Work {
    Seat* seat = nullptr;  // nullptr: gone
    std::deque<PngJob> waiting;
    bool queued = false;
  };
  void work();

  Loop& loop_;
  std::mutex mutex_;
  std::condition_variable more_;
  bool over_ = false;
  std::deque<std::shared_ptr<Work>> queue_;  // whose turn it is
  std::thread thread_;
};

}  // namespace fp::ingest
