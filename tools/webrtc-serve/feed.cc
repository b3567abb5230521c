#include "webrtc-serve/feed.h"

namespace fp::webrtc_serve {

using namespace std::chrono_literals;

Feed::Feed(Loop& loop, const Clock& clock, Hub& hub, rtc::Encoder& encoder)
    : clock_(clock), hub_(hub), encoder_(encoder), again_timer_(loop, [this] {
        if (clock_.steady() - put_ >= 900ms) frame_arrived();
      }) {
  hub_.attach(*this);
  again_timer_.every(500ms);
}

Feed::~Feed() { hub_.detach(*this); }

void Feed::frame_arrived() {
  const PacketPtr& newest = hub_.newest();
  if (!newest) return;
  put_ = clock_.steady();
  encoder_.put(newest->frame_ptr());
}

}  // namespace fp::webrtc_serve
