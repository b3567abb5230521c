#include "webrtc-serve/fragment.h"

#include "base/text.h"

namespace fp::webrtc_serve {

std::vector<rtc::Candidate> parse_fragment(std::string_view text) {
  constexpr std::string_view kMid = "a=mid:";
  constexpr std::string_view kCandidate = "a=candidate:";
  std::vector<rtc::Candidate> candidates;
  std::string mid;
  for (const std::string_view line : split(text, '\n')) {
    const std::string_view word = trim(line);
    if (word.starts_with(kMid)) mid = std::string(word.substr(kMid.size()));
    if (!word.starts_with(kCandidate) || candidates.size() >= kMostFragmentCandidates) continue;
    rtc::Candidate candidate;
    candidate.text = std::string(word.substr(2));
    candidate.mid = mid;
    if (mid.empty()) candidate.line_index = 0;
    candidates.push_back(std::move(candidate));
  }
  return candidates;
}

}  // namespace fp::webrtc_serve
