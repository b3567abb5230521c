// The camera behind the USB cable: its state, its requests, and the frames that it sends.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "uvcsim/control.h"
#include "uvcsim/descriptors.h"
#include "uvcsim/pictures.h"

namespace fp::rig {

struct CameraOptions {
  bool bulk = false;  ///< frames come by bulk transfers, not by isochronous ones
  std::string serial;
  std::vector<Pictures> pictures;  ///< one for each size on offer: 1 to 8
};

/// The eight bytes of a control request (USB 2.0 section 9.3).
struct Setup {
  std::uint8_t type = 0;
  std::uint8_t request = 0;
  std::uint16_t value = 0;
  std::uint16_t index = 0;
  std::uint16_t length = 0;
};

struct Answer {
  int status = 0;  ///< 0 or a negative errno: what the host's driver sees; -EPIPE is a stall
  std::vector<std::uint8_t> data;
};

/// Knows nothing of how USB reaches it. One thread.
class Camera {
 public:
  explicit Camera(CameraOptions options);

  /// As after power-on. Commands that wait for frames are kept.
  void reset();
  /// Answers a control request. `data` is what the host sent with it.
  [[nodiscard]] Answer control(const Setup& setup, ByteView data, SteadyTime now);
  /// What concerns frames and transfers; Unplug and Quit are not for the camera.
  void command(const Command& command, SteadyTime now);

  /// Whether a frame is under way, or is due and begins with this call.
  [[nodiscard]] bool frame_due(SteadyTime now);
  /// When to ask again.
  [[nodiscard]] SteadyTime next_due(SteadyTime now) const;
  /// Appends one payload of at most `room` bytes: a header, and what is left of the frame. Returns its size.
  std::size_t payload(std::size_t room, SteadyTime now, std::vector<std::uint8_t>& out);
  /// Whether this transfer has to fail.
  [[nodiscard]] bool take_stall() { return take(Action::Stall); }

 private:
  // UVC 1.1 section 4.3.1.1, what a host and a camera agree upon.
  struct Terms {
    Coding coding = Coding::Mjpeg;
    std::uint8_t frame_index = 1;  // from 1
    std::uint32_t interval = 0;    // 100 ns
  };
  [[nodiscard]] Answer standard(const Setup& setup);
  [[nodiscard]] Answer descriptor(const Setup& setup) const;
  [[nodiscard]] Answer streaming_control(const Setup& setup, ByteView data);
  [[nodiscard]] Answer processing_control(const Setup& setup, ByteView data);
  [[nodiscard]] Terms nearest(Terms wish) const;
  [[nodiscard]] std::vector<std::uint8_t> written(const Terms& terms) const;
  [[nodiscard]] const Pictures& pictures() const { return options_.pictures[commit_.frame_index - 1u]; }
  [[nodiscard]] std::chrono::nanoseconds interval() const { return std::chrono::nanoseconds(100) * commit_.interval; }
  void set_streaming(bool on);
  void begin_frame();
  bool take(Action action);

  CameraOptions options_;
  std::vector<FrameSize> sizes_;
  std::vector<std::uint8_t> configuration_;
  Terms probe_;
  Terms commit_;
  std::uint8_t alternate_ = 0;
  std::array<std::uint16_t, 2> controls_{};  // brightness, contrast
  SteadyTime now_;

  bool streaming_ = false;
  bool in_frame_ = false;
  bool frame_id_ = false;  // toggles with each frame (FID)
  bool error_bit_ = false;
  std::uint64_t frames_ = 0;
  std::vector<std::uint8_t> frame_;
  std::size_t sent_bytes_ = 0;
  SteadyTime next_frame_;
  SteadyTime frozen_until_;
  std::array<std::uint64_t, kActions> left_{};
};

}  // namespace fp::rig
