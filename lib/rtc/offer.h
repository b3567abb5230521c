// A peer's session description, read before anything of it reaches a WebRTC stack (RFC 8866, RFC 8829).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rtc/codec.h"

namespace fp::rtc {

/// One m-line.
struct Media {
  enum class Kind { Video, Audio, Application, Other };
  struct Format {
    int payload_type = 0;
    Codec codec = Codec::Vp8;
  };
  Kind kind = Kind::Other;
  std::string mid;
  bool sends = false;     ///< the peer would send: sendrecv, sendonly
  bool receives = false;  ///< the peer would receive: sendrecv, recvonly
  bool rejected = false;  ///< port 0 without bundle-only: not to be used
  /// Of video, in the peer's order; what we can send and receive only: VP8, and H.264 with packetization-mode 1 and the
  /// constrained baseline profile. H.264 that says baseline without the constraint is last: browsers decode it
  /// likewise, but webrtcbin does not take the one for the other.
  std::vector<Format> formats;
};

struct Description {
  std::string sdp;  ///< each line ends in CRLF; no candidate is left but those with addresses in figures
  std::vector<Media> media;
  /// The first video line that is not rejected and through which the peer would receive (`receives`) or send.
  [[nodiscard]] const Media* video(bool receives) const;
  /// The first application line (data channels) that is not rejected.
  [[nodiscard]] const Media* data() const;
};
/// The payload type of `codec` in `media`, the peer's first.
[[nodiscard]] std::optional<int> payload_type(const Media& media, Codec codec);

inline constexpr std::size_t kMaxSdpBytes = 64u << 10;
inline constexpr std::size_t kMaxMediaLines = 16;
inline constexpr std::size_t kMaxCandidates = 64;  ///< of one description; what is beyond is left out
inline constexpr std::size_t kMaxCandidateBytes = 1024;

/// Reads an offer or an answer of a stranger. An SDP without any m-line is one: `media` is empty.
/// Errors: TooLarge (kMaxSdpBytes, kMaxMediaLines); Malformed: not UTF-8 or with control characters, a line that is not
/// "x=...", no v= line first, no o= line of six fields (the answer repeats it), an m-line without a=mid or with another
/// one's, a BUNDLE group with a mid that no m-line has, no ice-ufrag, ice-pwd, fingerprint or setup where there is an
/// m-line, payload types beyond 127 or twice, two directions, an SSRC that is none, data channels without a port:
/// webrtcbin of GStreamer 1.22 ends the program over some of those, and others cost it time that a stranger may not
/// have.
[[nodiscard]] Result<Description> read_description(std::string_view sdp);

/// Whether a candidate ("candidate:..." or "a=candidate:...", RFC 8839, 5.1) names an address in figures and is well
/// formed, for component 1: RTCP has none of its own here. Names (".local", RFC 8828 calls for them) are not looked up:
/// a stranger would make us ask the network, and libnice 0.1.21 never lets go of a session that waits for such an
/// answer. Connections come about without them, since the peer knows our address.
[[nodiscard]] bool usable_candidate(std::string_view candidate);

/// An answer to an offer without any m-line, which webrtcbin cannot make.
[[nodiscard]] std::string empty_answer();

}  // namespace fp::rtc
