// Raw pictures to JPEG on several threads, out again in the order they came in.
#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/event.h"
#include "frame/frame.h"
#include "source/raw_picture.h"

namespace fp {

/// A raw picture on its way: the bytes, and the Frame that it will be, its JPEG still empty.
struct RawFrame {
  std::vector<std::uint8_t> bytes;
  RawLayout layout;
  Frame frame;
};
/// Encodes `bytes` into `frame`. Errors: those of RawEncoder.
[[nodiscard]] Result<FramePtr> encode_frame(RawEncoder& encoder, ByteView bytes, const RawLayout& layout, Frame frame);

/// `threads` encoders. While all are busy one more picture waits, the newest: another one takes its place. Memory:
/// `threads` + 1 raw pictures. put(), take() and full() on one thread.
class EncodePool {
 public:
  EncodePool(int threads, int quality_percent);
  ~EncodePool();
  EncodePool(const EncodePool&) = delete;
  EncodePool& operator=(const EncodePool&) = delete;

  /// Whether a picture waits already.
  [[nodiscard]] bool full() const;
  /// Returns the picture that was replaced, so that its memory can be used again.
  std::optional<RawFrame> put(RawFrame raw);
  /// The next frame in order, when it is done. Pictures that could not be encoded are left out and counted.
  [[nodiscard]] FramePtr take();
  /// Memory of pictures that are done.
  [[nodiscard]] std::vector<std::uint8_t> spare();
  [[nodiscard]] int fd() const { return ready_.fd(); }  ///< readable while there may be something to take
  [[nodiscard]] std::uint64_t failed() const;
  /// Nothing waits and nobody works.
  [[nodiscard]] bool idle() const;

 private:
  void work();

  const int quality_percent_;
  Event ready_;
  mutable std::mutex mutex_;
  std::condition_variable more_;
  bool stop_ = false;
  std::optional<RawFrame> waiting_;
  std::uint64_t next_ticket_ = 0;
  std::uint64_t next_out_ = 0;
  std::map<std::uint64_t, FramePtr> done_;  // nullptr: failed
  std::vector<std::vector<std::uint8_t>> spare_;
  std::uint64_t failed_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace fp
