// What is used of gstreamer-webrtc-1.0, whose development package brings 887 MB of others along.
//
// From the published interface of GStreamer 1.22 (gst/webrtc), which is stable since 1.14. Properties and enumerations
// of webrtcbin are reached by name and number.
#pragma once

#include <gst/gst.h>
#include <gst/sdp/sdp.h>

extern "C" {

enum GstWebRTCSDPType {
  GST_WEBRTC_SDP_TYPE_OFFER = 1,
  GST_WEBRTC_SDP_TYPE_PRANSWER,
  GST_WEBRTC_SDP_TYPE_ANSWER,
  GST_WEBRTC_SDP_TYPE_ROLLBACK
};
struct GstWebRTCSessionDescription {
  GstWebRTCSDPType type;
  GstSDPMessage* sdp;
};
GType gst_webrtc_session_description_get_type(void);
GstWebRTCSessionDescription* gst_webrtc_session_description_new(GstWebRTCSDPType type, GstSDPMessage* sdp);
void gst_webrtc_session_description_free(GstWebRTCSessionDescription* description);

}  // extern "C"

namespace fp::rtc {

// GstWebRTCRTPTransceiverDirection, GstWebRTCICEGatheringState, GstWebRTCPeerConnectionState,
// GstWebRTCBundlePolicy, GstWebRTCICETransportPolicy.
inline constexpr int kSendOnly = 2;
inline constexpr int kRecvOnly = 3;
inline constexpr int kGatheringComplete = 2;
inline constexpr int kConnected = 2;
inline constexpr int kFailed = 4;
inline constexpr int kClosed = 5;
inline constexpr int kMaxBundle = 3;
inline constexpr int kRelayOnly = 1;

}  // namespace fp::rtc
