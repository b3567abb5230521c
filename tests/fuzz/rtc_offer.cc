// rtc::read_description and rtc::usable_candidate with arbitrary bytes: what comes out is clean, and reading it again
// changes nothing.
#include <algorithm>
#include <cstdint>

#include "base/bytes.h"
#include "base/text.h"
#include "rtc/offer.h"

namespace {

void require(bool holds) {
  if (!holds) __builtin_trap();
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
}

void check_lines(std::string_view sdp) {
  std::size_t candidates = 0;
  require(fp::is_utf8(sdp));
  for (std::string_view line : fp::split(sdp, '\n')) {
    if (line.empty()) continue;
    require(line.ends_with('\r'));
    line.remove_suffix(1);
    require(line.size() >= 2 && line[1] == '=' && !has_control(line));
    if (!line.starts_with("a=candidate")) continue;
    require(fp::rtc::usable_candidate(line));
    ++candidates;
  }
  require(candidates <= fp::rtc::kMaxCandidates);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = fp::as_text({data, size});
  require(!fp::rtc::usable_candidate(text) || !has_control(text));
  const fp::Result<fp::rtc::Description> first = fp::rtc::read_description(text);
  if (!first) {
    require(!first.error().text.empty() && !has_control(first.error().text));
    return 0;
  }
  require(first->media.size() <= fp::rtc::kMaxMediaLines);
  check_lines(first->sdp);
  for (const fp::rtc::Media& media : first->media) {
    require(!media.mid.empty() && media.formats.size() <= 128);
    const std::optional<int> payload = fp::rtc::payload_type(media, fp::rtc::Codec::H264);
    require(!payload || (*payload >= 0 && *payload <= 127));
  }
  (void)first->video(true);
  (void)first->data();
  // With CR it may have grown over the limit.
  if (first->sdp.size() > fp::rtc::kMaxSdpBytes) return 0;
  const fp::Result<fp::rtc::Description> again = fp::rtc::read_description(first->sdp);
  require(again && again->sdp == first->sdp && again->media.size() == first->media.size());
  return 0;
}
