// A V4L2 camera that is plugged in, opened, read, lost and found again.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/report.h"
#include "base/result.h"
#include "frame/producer.h"
#include "frame/skips.h"
#include "source/encode_pool.h"
#include "source/pass_through.h"
#include "source/v4l2_device.h"
#include "source/v4l2_stream.h"

namespace fp {

/// The frames of a camera. MJPEG passes byte for byte once its segments hang together and its scan decodes (standard
/// Huffman tables are put in where they are missing, padding behind EOI is cut off); raw pictures are encoded.
///
/// Whatever happens to the camera later, it is said once, the device is closed at once (a camera that comes back while
/// its old node is held gets another number), and looked for again: by its USB socket or its serial number, each 250 ms
/// while it is away, with back-off while it cannot be opened. Meanwhile trouble() says why.
///
/// Newest wins: when several buffers are filled only the newest good one is given out. Memory: four buffers of the
/// driver's, one picture, and with several threads one more for each. One thread.
class Camera final : public Producer {
 public:
  struct Options {
    std::optional<jpeg::Size> size;  ///< nothing: 640x480, or what is plugged into a digital input
    double fps = 30;                 ///< asked of the camera; 0: as it is
    std::string format = "auto";     ///< auto, mjpeg, or a RawFormat's name
    int quality_percent = 80;
    int threads = 1;
    std::vector<v4l2::Setting> settings;
    std::chrono::milliseconds timeout{5000};  ///< a camera that gives no buffer for so long is opened again
    std::size_t max_frame_bytes = 32u << 20;
    bool every_frame = false;
  };
  struct Figures {
    std::uint64_t frames = 0;       ///< given out
    std::uint64_t superseded = 0;   ///< good, and a newer one was there
    std::uint64_t lost = 0;         ///< gaps in the driver's sequence
    std::uint64_t flagged = 0;      ///< buffers that the driver says are damaged
    std::uint64_t unsignalled = 0;  ///< what came while the input said that there is no signal
    std::uint64_t opened = 0;
    Skips skips;
    /// "3 lost by the driver, 1 flagged by the driver, 2 truncated", or "".
    [[nodiscard]] std::string describe() const;
  };

  /// `source` as v4l2::path_of() takes it, or "" for the first device that captures. The device must be there and free,
  /// and take the settings: errors Io, Unsupported. `clock` must live as long.
  [[nodiscard]] static Result<std::unique_ptr<Camera>> open(const std::string& source, Options options,
                                                            const Clock& clock, Report report);

  [[nodiscard]] Wait wait() const override;
  [[nodiscard]] FramePtr advance() override;
  [[nodiscard]] bool ended() const override { return false; }
  [[nodiscard]] std::uint64_t superseded() const override { return figures_.superseded; }

  /// Why no frames come now; "" while they do, or may.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  [[nodiscard]] const Figures& figures() const { return figures_; }
  [[nodiscard]] const v4l2::Mode& mode() const { return mode_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  Camera(std::string source, Options options, const Clock& clock, Report report);
  Result<Done> start(const std::string& path);
  Result<v4l2::Mode> choose_mode(v4l2::Device& device);
  void lost(const std::string& why);
  void try_again(SteadyTime now);
  void look_at_signal(SteadyTime now);
  FramePtr take_frames(SteadyTime now);
  FramePtr make_frame(const v4l2::Filled& filled, std::uint64_t sequence, SteadyTime now);
  FramePtr pass_jpeg(ByteView bytes, Frame frame);
  FramePtr encode(ByteView bytes, Frame frame);
  FramePtr collect();
  bool is_newest(const v4l2::Filled& filled, SteadyTime now);
  std::uint64_t number(const v4l2::Filled& filled);
  [[nodiscard]] bool encoders_busy() const;
  void mind_device();
  void skip(Skip reason, std::size_t bytes);
  bool watch(int fd, bool urgent);

  const std::string source_;
  Options options_;
  const Clock* clock_;
  Report report_;
  SkipReporter skip_reporter_;
  Fd events_;  // an epoll(7) of the device and the pool
  std::optional<v4l2::Device> device_;
  std::optional<v4l2::Stream> stream_;  // after device_: it is stopped first
  std::optional<EncodePool> pool_;
  std::uint64_t pool_failed_ = 0;  // of the pool's failures, those that are in the figures
  std::optional<RawEncoder> encoder_;
  PassThrough pass_through_;
  v4l2::Identity identity_;
  bool serial_is_unique_ = false;
  std::string path_;
  v4l2::Mode mode_;
  std::optional<RawLayout> layout_;  // nothing: JPEG
  std::string trouble_;
  bool signal_ = true;
  bool minded_ = true;                    // the device's descriptor is waited for
  bool has_events_ = false;               // webcams have none
  SteadyTime::duration least_age_{0};     // of a buffer when it was taken
  std::chrono::nanoseconds interval_{0};  // between frames, as the driver has it; 0: not known
  SteadyTime last_buffer_{};
  SteadyTime look_at_{};
  std::optional<SteadyTime> retry_at_;
  Backoff backoff_;
  bool frame_since_open_ = false;
  std::size_t broken_in_a_row_ = 0;
  std::optional<std::uint32_t> driver_sequence_;
  std::uint64_t sequence_ = 0;
  std::uint64_t generation_ = 0;
  Figures figures_;
};

}  // namespace fp
