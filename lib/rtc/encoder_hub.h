// The encoder's thread, and who gets what it makes. For lib/rtc alone.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "frame/pacer.h"
#include "jpeg/decoder.h"
#include "rtc/encoder.h"
#include "rtc/engine_impl.h"
#include "rtc/gst.h"
#include "rtc/i420.h"

namespace fp::rtc {

struct EncodedPicture {
  GstBuffer* buffer = nullptr;  ///< borrowed; its PTS is running_ns
  GstCaps* caps = nullptr;      ///< borrowed
  FramePtr frame;               ///< that it was made of
  std::uint64_t running_ns = 0;
  bool key = false;
};

/// Is given each encoded picture, on the encoder's thread.
class EncodedSink {
 public:
  virtual void take(const EncodedPicture& picture) = 0;

 protected:
  ~EncodedSink() = default;
};

struct Encoder::Hub {
  Hub(Engine& the_engine, const EncoderOptions& the_options);
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;
  ~Hub();

  void put(FramePtr frame);
  /// From now on it is given pictures, of which the first that is a key frame comes soon. Any thread.
  void attach(EncodedSink& sink);
  /// When this returns take() is not running, and is not called any more. Any thread but the encoder's.
  void detach(EncodedSink& sink);
  /// A peer cannot go on without a key frame. Answered at most once in 300 ms, for all together. Any thread.
  void request_key();
  void set_bitrate(unsigned kbps);

  Engine& engine;
  const EncoderOptions options;

  [[nodiscard]] std::size_t viewers() const;
  [[nodiscard]] Figures figures() const;
  [[nodiscard]] unsigned bitrate_kbps() const;

 private:
  struct Job {
    FramePtr frame;
    bool key = false;
    unsigned bitrate_kbps = 0;
  };
  void work();
  [[nodiscard]] std::optional<Job> next_job();
  [[nodiscard]] Result<Done> encode(const Job& job);
  [[nodiscard]] Result<Done> prepare(jpeg::Size size, unsigned kbps);
  [[nodiscard]] Result<BufferRef> raw_picture(const FramePtr& frame, unsigned kbps);
  void give_out(const Job& job, GstBuffer* made, GstCaps* caps, std::uint64_t running_ns);
  void drop_pipeline();

  const SystemClock clock_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  FramePtr waiting_;  // not encoded yet
  FramePtr last_;     // the newest that came and is not known to be damaged, for who comes
  FramePtr good_;     // the last one that was encoded
  bool ending_ = false;
  bool key_wanted_ = false;
  SteadyTime key_due_{};  // when the last frame is encoded again for a key frame, if no other comes
  SteadyTime last_key_{};
  unsigned bitrate_kbps_ = 0;
  Pacer pacer_;
  Figures figures_;

  mutable std::mutex sinks_mutex_;  // never taken while mutex_ is held
  std::vector<EncodedSink*> sinks_;
  std::size_t viewers_ = 0;  // under mutex_

  // The thread's own.
  jpeg::Decoder decoder_;
  ElementRef pipeline_;
  ElementRef in_;
  ElementRef out_;
  ElementRef encoder_;
  jpeg::Size size_;
  unsigned set_kbps_ = 0;
  std::string said_;  // the last trouble that was reported
  std::thread thread_;
};

}  // namespace fp::rtc
