// One end of a WebRTC session: GStreamer's webrtcbin behind a small face.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "rtc/ice.h"
#include "rtc/message.h"
#include "rtc/offer.h"

namespace fp::rtc {

enum class PeerState {
  Negotiating,  ///< descriptions are on their way, or addresses are being tried
  Connected,
  Gone,  ///< for good; see Events::gone
};
[[nodiscard]] const char* name_of(PeerState state);

/// What a session tells its owner, on the loop's thread, until the session is destroyed (which these calls may do).
struct PeerEvents {
  /// Our answer or (`type` "offer") our offer, with all our candidates inside.
  std::function<void(const char* type, const std::string& sdp)> described;
  std::function<void()> connected;
  /// The session has ended: "the peer has closed it", "no word from the peer for 12 s". Called once.
  std::function<void(const std::string& why)> gone;
};

struct PeerOptions {
  IceOptions ice;
  std::chrono::milliseconds connect_time{15'000};  ///< for a session to come about
  std::chrono::milliseconds silence{10'000};       ///< of a connected peer: then it is gone
  std::chrono::milliseconds gather_time{3'000};    ///< for our candidates; an answer goes out with those found by then
};

}  // namespace fp::rtc
