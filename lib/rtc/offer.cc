#include "rtc/offer.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "base/text.h"

namespace fp::rtc {
namespace {

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }
// token of RFC 8866, 9.
bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return is_alphanumeric(c) || std::string_view("!#$%&'*+-.^_`{|}~").find(c) != std::string_view::npos;
  });
}
// ice-char of RFC 8839, 5.4, `least` to `most` of them.
bool is_ice_text(std::string_view text, std::size_t least, std::size_t most) {
  return text.size() >= least && text.size() <= most &&
         std::ranges::all_of(text, [](char c) { return is_alphanumeric(c) || c == '+' || c == '/'; });
}
// "sha-256 87:52:..." (RFC 8122, 5).
bool is_fingerprint(std::string_view text) {
  const std::vector<std::string_view> words = split(text, ' ');
  if (words.size() != 2 || !is_token(words[0])) return false;
  const std::vector<std::string_view> pairs = split(words[1], ':');
  return pairs.size() >= 16 && pairs.size() <= 64 && std::ranges::all_of(pairs, [](std::string_view pair) {
           return pair.size() == 2 && pair.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
         });
}
bool is_setup(std::string_view text) { return text == "actpass" || text == "active" || text == "passive"; }

bool is_address(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  return inet_pton(AF_INET, text.c_str(), address.data()) == 1 ||
         inet_pton(AF_INET6, text.c_str(), address.data()) == 1;
}

// What a section says, the session's or an m-line's, as far as it matters here.
struct Section {
  std::string ufrag;
  std::string password;
  std::string fingerprint;
  std::string setup;
  std::string direction;
};

struct RtpMap {
  int payload_type = 0;
  std::string encoding;    // "VP8/90000"
  std::string parameters;  // of a=fmtp
};

struct MediaSection {
  Media media;
  Section says;
  std::vector<int> payload_types;
  std::vector<RtpMap> maps;
  bool bundle_only = false;
  bool port_zero = false;
  bool has_sctp_port = false;
};

std::string_view parameter(std::string_view parameters, std::string_view name) {
  for (const std::string_view one : split(parameters, ';')) {
    const auto equals = one.find('=');
    if (equals != std::string_view::npos && equal_ignoring_case(trim(one.substr(0, equals)), name)) {
      return trim(one.substr(equals + 1));
    }
  }
  return {};
}

enum class Fit { None, Plain, Constrained };

// profile-level-id is profile_idc, constraint flags and level in hexadecimal digits (RFC 6184, 8.1); without one it is
// baseline. What has constraint_set1 is constrained baseline.
Fit h264_fit(std::string_view parameters) {
  if (parameter(parameters, "packetization-mode") != "1") return Fit::None;
  const std::string_view id = parameter(parameters, "profile-level-id");
  if (id.empty()) return Fit::Plain;
  unsigned value = 0;
  const auto [rest, error] = std::from_chars(id.data(), id.data() + id.size(), value, 16);
  if (id.size() != 6 || error != std::errc() || rest != id.data() + id.size()) return Fit::None;
  const unsigned profile = value >> 16U;
  const unsigned flags = (value >> 8U) & 0xFFU;
  if (profile != 0x42 || (flags & 0x0FU) != 0) return Fit::None;
  return (flags & 0x40U) != 0 ? Fit::Constrained : Fit::Plain;
}

std::vector<Media::Format> formats_of(const MediaSection& section) {
  std::vector<Media::Format> formats;
  std::vector<Media::Format> plain;
  for (const int payload : section.payload_types) {
    const auto map = std::ranges::find(section.maps, payload, &RtpMap::payload_type);
    if (map == section.maps.end()) continue;
    if (equal_ignoring_case(map->encoding, "VP8/90000")) formats.push_back({payload, Codec::Vp8});
    if (!equal_ignoring_case(map->encoding, "H264/90000")) continue;
    const Fit fit = h264_fit(map->parameters);
    if (fit == Fit::Constrained) formats.push_back({payload, Codec::H264});
    if (fit == Fit::Plain) plain.push_back({payload, Codec::H264});
  }
  formats.insert(formats.end(), plain.begin(), plain.end());
  return formats;
}

class Reader {
 public:
  Result<Description> read(std::string_view sdp);

 private:
  // All of these: nothing, or why the description is refused.
  using Refusal = std::optional<Error>;

  static Error refusal(std::string text) { return {Error::Kind::Malformed, 0, std::move(text)}; }
  [[nodiscard]] std::string line_name() const { return "m-line " + std::to_string(sections_.size()); }
  Refusal line(std::string_view line);
  Refusal origin(std::string_view value);
  Refusal media(std::string_view value);
  Refusal attribute(std::string_view value);
  Refusal session_attribute(std::string_view name, std::string_view value);
  Refusal common_attribute(Section& section, std::string_view name, std::string_view value) const;
  Refusal media_attribute(MediaSection& section, std::string_view name, std::string_view value);
  static RtpMap& map_of(MediaSection& section, int payload);
  Refusal whole();
  Refusal complete(MediaSection& section, const std::string& name) const;
  // False: this candidate is left out.
  bool keep_candidate(std::string_view line);

  std::string sdp_;
  Section session_;
  std::vector<MediaSection> sections_;
  std::vector<std::string> bundled_;
  std::size_t lines_ = 0;
  std::size_t candidates_ = 0;
  bool has_origin_ = false;
};

Result<Description> Reader::read(std::string_view sdp) {
  if (sdp.size() > kMaxSdpBytes) {
    return fail({Error::Kind::TooLarge, 0, "an SDP may have " + std::to_string(kMaxSdpBytes) + " bytes"});
  }
  if (!is_utf8(sdp)) return malformed("the SDP is not UTF-8");
  sdp_.reserve(sdp.size() + 256);
  for (std::string_view one : split(sdp, '\n')) {
    if (one.ends_with('\r')) one.remove_suffix(1);
    if (one.empty()) continue;
    if (Refusal why = line(one)) return fail(std::move(*why));
  }
  if (Refusal why = whole()) return fail(std::move(*why));
  Description description{std::move(sdp_), {}};
  description.media.reserve(sections_.size());
  for (MediaSection& section : sections_) description.media.push_back(std::move(section.media));
  return description;
}

Reader::Refusal Reader::line(std::string_view line) {
  ++lines_;
  if (std::ranges::any_of(line, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; })) {
    return refusal("line " + std::to_string(lines_) + " of the SDP has a control character");
  }
  if (line.size() < 2 || line[0] < 'a' || line[0] > 'z' || line[1] != '=') {
    return refusal("line " + std::to_string(lines_) + R"( of the SDP is not "x=...": )" + printable(line, 40));
  }
  if (lines_ == 1 && line != "v=0") return refusal(R"(an SDP begins with "v=0")");
  const std::string_view value = line.substr(2);
  Refusal why;
  if (line[0] == 'o' && sections_.empty()) why = origin(value);
  if (line[0] == 'm') why = media(value);
  if (line[0] == 'a') why = attribute(value);
  if (why) return why;
  if (line.starts_with("a=candidate") && !keep_candidate(line)) return std::nullopt;
  sdp_.append(line).append("\r\n");
  return std::nullopt;
}

bool Reader::keep_candidate(std::string_view line) { return usable_candidate(line) && ++candidates_ <= kMaxCandidates; }

Reader::Refusal Reader::origin(std::string_view value) {
  const std::vector<std::string_view> words = split(value, ' ');
  const bool whole = words.size() == 6 && std::ranges::none_of(words, &std::string_view::empty);
  if (!whole || has_origin_) return refusal(R"(an SDP needs one "o=NAME ID VERSION IN IP4 ADDRESS")");
  has_origin_ = true;
  return std::nullopt;
}

// "video 9 UDP/TLS/RTP/SAVPF 96 97"
Reader::Refusal Reader::media(std::string_view value) {
  if (sections_.size() == kMaxMediaLines) {
    return Error{Error::Kind::TooLarge, 0, "an SDP may have " + std::to_string(kMaxMediaLines) + " m-lines"};
  }
  MediaSection& section = sections_.emplace_back();
  const std::vector<std::string_view> words = split(value, ' ');
  const std::optional<std::uint16_t> port = words.size() < 4 ? std::nullopt : parse_integer<std::uint16_t>(words[1]);
  if (!port || std::ranges::any_of(words, &std::string_view::empty)) {
    return refusal(line_name() + R"( is not "m=KIND PORT PROTOCOL FORMAT...")");
  }
  section.port_zero = *port == 0;
  if (words[2].ends_with("DTLS/SCTP")) {
    if (words[0] == "application") section.media.kind = Media::Kind::Application;
    return std::nullopt;
  }
  if (words[0] == "video") section.media.kind = Media::Kind::Video;
  if (words[0] == "audio") section.media.kind = Media::Kind::Audio;
  if (words[2].find("RTP/") == std::string_view::npos) section.media.kind = Media::Kind::Other;
  if (section.media.kind == Media::Kind::Other) return std::nullopt;
  for (std::size_t i = 3; i < words.size(); ++i) {
    const std::optional<int> payload = parse_integer<int>(words[i]);
    if (!payload || *payload < 0 || *payload > 127 ||
        std::ranges::find(section.payload_types, *payload) != section.payload_types.end()) {
      return refusal(line_name() +
                     " has a payload type twice, or one that is no number from 0 to 127: " + printable(words[i], 40));
    }
    section.payload_types.push_back(*payload);
  }
  return std::nullopt;
}

Reader::Refusal Reader::attribute(std::string_view value) {
  const auto colon = value.find(':');
  const std::string_view name = value.substr(0, colon);
  const std::string_view rest = colon == std::string_view::npos ? std::string_view{} : value.substr(colon + 1);
  Section& section = sections_.empty() ? session_ : sections_.back().says;
  if (Refusal why = common_attribute(section, name, rest)) return why;
  return sections_.empty() ? session_attribute(name, rest) : media_attribute(sections_.back(), name, rest);
}

Reader::Refusal Reader::session_attribute(std::string_view name, std::string_view value) {
  if (name != "group" || !value.starts_with("BUNDLE")) return std::nullopt;
  if (!bundled_.empty()) return refusal("the SDP has two BUNDLE groups");
  for (const std::string_view mid : split(value.substr(std::string_view("BUNDLE").size()), ' ')) {
    if (!mid.empty()) bundled_.emplace_back(mid);
  }
  return std::nullopt;
}

Reader::Refusal Reader::common_attribute(Section& section, std::string_view name, std::string_view value) const {
  const std::string where = sections_.empty() ? "the SDP" : line_name();
  struct Known {
    std::string_view name;
    std::string Section::*field;
    bool (*valid)(std::string_view);
  };
  static constexpr std::array<Known, 4> kKnown = {{
      {"ice-ufrag", &Section::ufrag, [](std::string_view text) { return is_ice_text(text, 4, 256); }},
      {"ice-pwd", &Section::password, [](std::string_view text) { return is_ice_text(text, 22, 256); }},
      {"fingerprint", &Section::fingerprint, is_fingerprint},
      {"setup", &Section::setup, is_setup},
  }};
  for (const Known& known : kKnown) {
    if (name != known.name) continue;
    if (!known.valid(value)) return refusal(where + " has an a=" + std::string(name) + " that cannot be read");
    std::string& field = section.*known.field;
    // Several fingerprints are several hash functions (RFC 8122, 5); the rest stands once.
    if (!field.empty() && name != "fingerprint") return refusal(where + " has a=" + std::string(name) + " twice");
    field = value;
  }
  for (const std::string_view direction : {"sendrecv", "sendonly", "recvonly", "inactive"}) {
    if (name != direction) continue;
    if (!section.direction.empty()) return refusal(where + " has two directions");
    section.direction = direction;
  }
  return std::nullopt;
}

RtpMap& Reader::map_of(MediaSection& section, int payload) {
  const auto found = std::ranges::find(section.maps, payload, &RtpMap::payload_type);
  return found == section.maps.end() ? section.maps.emplace_back(RtpMap{payload, {}, {}}) : *found;
}

Reader::Refusal Reader::media_attribute(MediaSection& section, std::string_view name, std::string_view value) {
  if (name == "mid") {
    // RFC 8843, 5; webrtcbin holds each name against a list that is parted by spaces.
    if (!is_token(value) || value.size() > 64 || !section.media.mid.empty()) {
      return refusal(line_name() + " has an a=mid that cannot be read, or two");
    }
    section.media.mid = value;
  } else if (name == "bundle-only") {
    section.bundle_only = true;
  } else if (name == "sctp-port" || name == "sctpmap") {
    const std::optional<std::uint16_t> port = parse_integer<std::uint16_t>(value.substr(0, value.find(' ')));
    if (!port || *port == 0) return refusal(line_name() + " has an a=" + std::string(name) + " that cannot be read");
    section.has_sctp_port = true;
  } else if (name == "ssrc") {
    const std::optional<std::uint32_t> ssrc = parse_integer<std::uint32_t>(value.substr(0, value.find(' ')));
    if (!ssrc || *ssrc == 0) return refusal(line_name() + " has an a=ssrc that cannot be read");
  } else if (name == "rtpmap" || name == "fmtp") {
    const auto space = value.find(' ');
    const std::optional<int> payload = parse_integer<int>(value.substr(0, space));
    // Those of formats that the m-line does not have are no use, and would be remembered for nothing.
    if (!payload || space == std::string_view::npos ||
        std::ranges::find(section.payload_types, *payload) == section.payload_types.end()) {
      return std::nullopt;
    }
    RtpMap& map = map_of(section, *payload);
    (name == "rtpmap" ? map.encoding : map.parameters) = trim(value.substr(space + 1));
  }
  return std::nullopt;
}

Reader::Refusal Reader::whole() {
  if (lines_ == 0) return refusal("the SDP is empty");
  if (!has_origin_) return refusal("the SDP has no o= line");
  for (std::size_t i = 0; i < sections_.size(); ++i) {
    if (Refusal why = complete(sections_[i], "m-line " + std::to_string(i + 1))) return why;
    for (std::size_t other = 0; other < i; ++other) {
      if (sections_[other].media.mid == sections_[i].media.mid) {
        return refusal("m-line " + std::to_string(i + 1) + " has the a=mid of another one");
      }
    }
  }
  for (const std::string& mid : bundled_) {
    if (std::ranges::none_of(sections_, [&](const MediaSection& section) { return section.media.mid == mid; })) {
      return refusal("the BUNDLE group has a mid that no m-line has: " + printable(mid, 40));
    }
  }
  return std::nullopt;
}

Reader::Refusal Reader::complete(MediaSection& section, const std::string& name) const {
  Media& media = section.media;
  if (media.mid.empty()) return refusal(name + " has no a=mid");
  const std::array<std::pair<const char*, std::string Section::*>, 4> needed = {{
      {"ice-ufrag", &Section::ufrag},
      {"ice-pwd", &Section::password},
      {"fingerprint", &Section::fingerprint},
      {"setup", &Section::setup},
  }};
  for (const auto& [attribute, field] : needed) {
    if ((section.says.*field).empty() && (session_.*field).empty()) return refusal(name + " has no a=" + attribute);
  }
  if (media.kind == Media::Kind::Application && !section.has_sctp_port) {
    return refusal(name + " has no a=sctp-port");
  }
  media.rejected = section.port_zero && !section.bundle_only;
  const std::string& direction = section.says.direction.empty() ? session_.direction : section.says.direction;
  media.sends = direction.empty() || direction == "sendrecv" || direction == "sendonly";
  media.receives = direction.empty() || direction == "sendrecv" || direction == "recvonly";
  if (media.kind == Media::Kind::Video) media.formats = formats_of(section);
  return std::nullopt;
}

}  // namespace

const Media* Description::video(bool receives) const {
  const auto found = std::ranges::find_if(media, [&](const Media& one) {
    return one.kind == Media::Kind::Video && !one.rejected && (receives ? one.receives : one.sends);
  });
  return found == media.end() ? nullptr : &*found;
}

const Media* Description::data() const {
  const auto found = std::ranges::find_if(
      media, [](const Media& one) { return one.kind == Media::Kind::Application && !one.rejected; });
  return found == media.end() ? nullptr : &*found;
}

std::optional<int> payload_type(const Media& media, Codec codec) {
  const auto found = std::ranges::find(media.formats, codec, &Media::Format::codec);
  if (found == media.formats.end()) return std::nullopt;
  return found->payload_type;
}

Result<Description> read_description(std::string_view sdp) { return Reader().read(sdp); }

bool usable_candidate(std::string_view candidate) {
  if (candidate.size() > kMaxCandidateBytes || !is_utf8(candidate)) return false;
  if (std::ranges::any_of(candidate, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; })) {
    return false;
  }
  if (candidate.starts_with("a=")) candidate.remove_prefix(2);
  constexpr std::string_view kBegin = "candidate:";
  if (!candidate.starts_with(kBegin)) return false;
  candidate.remove_prefix(kBegin.size());

  // FOUNDATION COMPONENT TRANSPORT PRIORITY ADDRESS PORT typ TYPE [raddr ADDRESS rport PORT] [NAME VALUE]...
  const std::vector<std::string_view> words = split(candidate, ' ');
  if (words.size() < 8 || words.size() % 2 != 0 || !is_ice_text(words[0], 1, 32)) return false;
  // RTCP has no component of its own with webrtcbin.
  if (words[1] != "1") return false;
  if (!equal_ignoring_case(words[2], "udp") && !equal_ignoring_case(words[2], "tcp")) return false;
  const std::optional<std::uint32_t> priority = parse_integer<std::uint32_t>(words[3]);
  if (!priority || *priority == 0 || *priority > 0x7FFFFFFFU) return false;
  if (!is_address(std::string(words[4])) || !parse_integer<std::uint16_t>(words[5])) return false;
  constexpr std::array<std::string_view, 4> kTypes = {"host", "srflx", "prflx", "relay"};
  if (words[6] != "typ" || std::ranges::find(kTypes, words[7]) == kTypes.end()) return false;
  bool has_tcp_type = false;
  for (std::size_t i = 8; i < words.size(); i += 2) {
    if (words[i].empty()) return false;
    if (words[i] == "raddr" && !is_address(std::string(words[i + 1]))) return false;
    if (words[i] == "rport" && !parse_integer<std::uint16_t>(words[i + 1])) return false;
    has_tcp_type |= words[i] == "tcptype";
  }
  // RFC 6544, 4.5; libnice looks at it without asking whether it is there.
  return has_tcp_type || !equal_ignoring_case(words[2], "tcp");
}

std::string empty_answer() { return "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"; }

}  // namespace fp::rtc
