// Candidates that come after the offer, as text (RFC 8840, 4).
#pragma once

#include <string_view>
#include <vector>

#include "rtc/message.h"

namespace fp::webrtc_serve {

inline constexpr std::size_t kMostFragmentCandidates = 64;

/// The candidates in an application/trickle-ice-sdpfrag, with the a=mid in front of each; lines that are something else
/// are left out, and what is over kMostFragmentCandidates.
[[nodiscard]] std::vector<rtc::Candidate> parse_fragment(std::string_view text);

}  // namespace fp::webrtc_serve
