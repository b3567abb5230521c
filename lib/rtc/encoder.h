// Frames to VP8 or H.264, once for all who watch.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/histogram.h"
#include "frame/frame.h"
#include "jpeg/picture.h"
#include "rtc/codec.h"
#include "rtc/engine.h"

namespace fp::rtc {

struct EncoderOptions {
  Codec codec = Codec::Vp8;
  unsigned bitrate_kbps = 1500;                    ///< 50 to 50'000
  std::optional<jpeg::Size> size;                  ///< the pictures are fitted into it with bars; nothing: as they come
  std::optional<double> fps;                       ///< at most so many a second; nothing: as they come
  std::chrono::milliseconds key_interval{10'000};  ///< a key frame at least so often
};

/// One encoder, on a thread of its own, that works while at least one viewer is attached, always on the newest frame:
/// one that comes while another is being encoded takes the place of one that waits. Damaged frames are counted and
/// left out. All calls from one thread.
class Encoder {
 public:
  struct Figures {
    std::uint64_t encoded = 0;
    std::uint64_t key_frames = 0;
    std::uint64_t superseded = 0;  ///< frames that a newer one replaced, or that came too soon for `fps`
    std::uint64_t failed = 0;      ///< frames that could not be decoded or encoded
    std::uint64_t bytes = 0;
    std::uint64_t key_requests = 0;           ///< by viewers that lost packets
    std::uint64_t restarts = 0;               ///< of the encoder: pictures of another size
    std::chrono::nanoseconds encode_time{0};  ///< of all, decoding and scaling with it
    std::optional<jpeg::Size> size;           ///< of the last one
  };
  /// Throws Failure (Unavailable, with the name of the package) when GStreamer lacks what this needs.
  Encoder(Engine& engine, const EncoderOptions& options);
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;
  /// No viewer may be left.
  ~Encoder();

  /// A new frame; kept also while nobody watches, for who comes.
  void put(FramePtr frame);
  /// The bitrate from the next picture on.
  void set_bitrate(unsigned kbps);
  [[nodiscard]] unsigned bitrate_kbps() const;
  [[nodiscard]] Codec codec() const;
  [[nodiscard]] std::size_t viewers() const;
  [[nodiscard]] Figures figures() const;

  struct Hub;  ///< what viewers attach to; viewer.cc and encoder.cc know it
  [[nodiscard]] const std::shared_ptr<Hub>& hub() const { return hub_; }

 private:
  std::shared_ptr<Hub> hub_;
};

}  // namespace fp::rtc
