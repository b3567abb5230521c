// From the camera to the encoder.
#pragma once

#include "base/clock.h"
#include "hub/hub.h"
#include "loop/loop.h"
#include "rtc/encoder.h"

namespace fp::webrtc_serve {

/// Hands each picture that viewers of the camera would see to the encoder, cards too. A picture that nothing follows is
/// handed on again each second: of a packet that is lost a receiver hears by those behind it only, and some decode no
/// picture before the next one begins.
class Feed final : public Subscriber {
 public:
  Feed(Loop& loop, const Clock& clock, Hub& hub, rtc::Encoder& encoder);
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;
  ~Feed();
  void frame_arrived() override;

 private:
  const Clock& clock_;
  Hub& hub_;
  rtc::Encoder& encoder_;
  SteadyTime put_{};
  Timer again_timer_;
};

}  // namespace fp::webrtc_serve
