// What a session holds at a TURN relay is given back when it ends. For lib/rtc alone.
#pragma once

#include "rtc/gst.h"

namespace fp::rtc {

/// From now on `pipeline` knows `agent`, the NiceAgent of its webrtcbin, as one that may hold addresses at a relay.
void remember_relayed(GstElement* pipeline, const ObjectRef& agent);
/// Gives back what the agent of `pipeline`, which was stopped but not let go of, holds at relays, and waits until they
/// have agreed, 1 s at most. Without that a relay keeps each address for ten minutes more (RFC 8656, 3.2), and soon
/// has none left for others. Does nothing where there is no such agent. Any thread but GStreamer's own.
void give_back_relayed(GstElement* pipeline);

}  // namespace fp::rtc
