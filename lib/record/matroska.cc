#include "record/matroska.h"

#include <algorithm>
#include <bit>
#include <limits>

namespace fp::record::matroska {
namespace {

using namespace std::chrono_literals;

// IDs: RFC 8794 section 11.2 and RFC 9559 section 5.
constexpr std::uint32_t kEbml = 0x1A45DFA3;
constexpr std::uint32_t kVoid = 0xEC;
constexpr std::uint32_t kSegment = 0x18538067;
constexpr std::uint32_t kSeekHead = 0x114D9B74;
constexpr std::uint32_t kInfo = 0x1549A966;
constexpr std::uint32_t kTracks = 0x1654AE6B;
constexpr std::uint32_t kCluster = 0x1F43B675;
constexpr std::uint32_t kCues = 0x1C53BB6B;
constexpr std::uint32_t kTimestamp = 0xE7;
constexpr std::uint32_t kBlockGroup = 0xA0;
constexpr std::uint32_t kBlock = 0xA1;
constexpr std::uint32_t kBlockAdditions = 0x75A1;
constexpr std::uint32_t kBlockMore = 0xA6;
constexpr std::uint32_t kBlockAddId = 0xEE;
constexpr std::uint32_t kBlockAdditional = 0xA5;

constexpr std::string_view kApp = "framepipe";
constexpr std::string_view kUnknownSize("\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF", 8);
// Track 1, at the time of its Cluster, a picture that is not laced.
constexpr std::string_view kBlockHead("\x81\x00\x00\x00", 4);
// Where the Segment's payload begins, from which all positions count: behind the EBML header and its own size.
constexpr std::uint64_t kSegmentAt = 59;
constexpr std::size_t kMostCues = 32'768;
constexpr auto kLongestLast = 1000ms;

std::string big_endian(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = bytes - 1; i >= 0; --i) text += static_cast<char>(value >> (8 * i) & 0xFF);
  return text;
}

std::string id(std::uint32_t value) { return big_endian(value, (std::bit_width(value) + 7) / 8); }

// Always of eight bytes, so that what is written again has the size that it had.
std::string size_of(std::uint64_t bytes) { return big_endian(bytes | 1ull << 56, 8); }

std::string element(std::uint32_t name, std::string_view payload) {
  return id(name) + size_of(payload.size()) + std::string(payload);
}
// Of at most 126 bytes.
std::string small(std::uint32_t name, std::string_view payload) {
  return id(name) + static_cast<char>(0x80 | payload.size()) + std::string(payload);
}
std::string number(std::uint32_t name, std::uint64_t value, int bytes) { return small(name, big_endian(value, bytes)); }

// So many bytes in all that say nothing.
std::string nothing(std::size_t bytes) { return small(kVoid, std::string(bytes - 2, '\0')); }

std::string ebml_header() {
  constexpr std::uint32_t kVersion = 0x4286;
  constexpr std::uint32_t kReadVersion = 0x42F7;
  constexpr std::uint32_t kMaxIdLength = 0x42F2;
  constexpr std::uint32_t kMaxSizeLength = 0x42F3;
  constexpr std::uint32_t kDocType = 0x4282;
  constexpr std::uint32_t kDocTypeVersion = 0x4287;
  constexpr std::uint32_t kDocTypeReadVersion = 0x4285;
  return element(kEbml, number(kVersion, 1, 1) + number(kReadVersion, 1, 1) + number(kMaxIdLength, 4, 1) +
                            number(kMaxSizeLength, 8, 1) + small(kDocType, "matroska") + number(kDocTypeVersion, 4, 1) +
                            number(kDocTypeReadVersion, 2, 1));
}

std::string seek(std::uint32_t name, std::uint64_t position) {
  constexpr std::uint32_t kSeek = 0x4DBB;
  constexpr std::uint32_t kSeekId = 0x53AB;
  constexpr std::uint32_t kSeekPosition = 0x53AC;
  return small(kSeek, small(kSeekId, id(name)) + number(kSeekPosition, position, 8));
}

// Nanoseconds since 2001, of which Matroska has 292 years.
std::uint64_t date_of(WallTime time) {
  constexpr std::chrono::microseconds kEpoch = 978'307'200s;
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max() / 1000;
  const std::int64_t us = std::clamp<std::int64_t>((time.time_since_epoch() - kEpoch).count(), -kMost, kMost);
  return static_cast<std::uint64_t>(us * 1000);
}

std::string application() {
  constexpr std::uint32_t kMuxingApp = 0x4D80;
  constexpr std::uint32_t kWritingApp = 0x5741;
  return small(kMuxingApp, kApp) + small(kWritingApp, kApp);
}

std::string info(WallTime begin, std::optional<std::chrono::milliseconds> duration) {
  constexpr std::uint32_t kTimestampScale = 0x2AD7B1;
  constexpr std::uint32_t kDateUtc = 0x4461;
  constexpr std::uint32_t kDuration = 0x4489;
  constexpr std::size_t kDurationBytes = 2 + 1 + 8;
  const std::string lasts =
      duration ? number(kDuration, std::bit_cast<std::uint64_t>(static_cast<double>(duration->count())), 8)
               : nothing(kDurationBytes);
  return element(kInfo,
                 number(kTimestampScale, 1'000'000, 4) + application() + number(kDateUtc, date_of(begin), 8) + lasts);
}

std::string tracks(std::uint16_t width_px, std::uint16_t height_px) {
  constexpr std::uint32_t kTrackEntry = 0xAE;
  constexpr std::uint32_t kTrackNumber = 0xD7;
  constexpr std::uint32_t kTrackUid = 0x73C5;
  constexpr std::uint32_t kTrackType = 0x83;
  constexpr std::uint32_t kFlagLacing = 0x9C;
  constexpr std::uint32_t kMaxBlockAdditionId = 0x55EE;
  constexpr std::uint32_t kLanguage = 0x22B59C;
  constexpr std::uint32_t kCodecId = 0x86;
  constexpr std::uint32_t kVideo = 0xE0;
  constexpr std::uint32_t kFlagInterlaced = 0x9A;
  constexpr std::uint32_t kPixelWidth = 0xB0;
  constexpr std::uint32_t kPixelHeight = 0xBA;
  const std::string video = number(kFlagInterlaced, 2, 1) +  // not interlaced
                            number(kPixelWidth, width_px, 2) + number(kPixelHeight, height_px, 2);
  return element(kTracks,
                 element(kTrackEntry, number(kTrackNumber, 1, 1) + number(kTrackUid, 1, 1) + number(kTrackType, 1, 1) +
                                          number(kFlagLacing, 0, 1) + number(kMaxBlockAdditionId, 1, 1) +
                                          small(kLanguage, "und") + small(kCodecId, "V_MJPEG") + small(kVideo, video)));
}

// Reads what element() and number() wrote, in turn.
class Pattern {
 public:
  explicit Pattern(ByteView bytes) : rest_(as_text(bytes)) {}
  bool takes(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  std::optional<std::uint64_t> value(std::size_t bytes) {
    if (rest_.size() < bytes) return std::nullopt;
    std::uint64_t value = 0;
    for (const char c : rest_.substr(0, bytes)) value = value << 8 | static_cast<unsigned char>(c);
    rest_.remove_prefix(bytes);
    return value;
  }
  std::optional<std::uint64_t> size() {
    const auto size = value(8);
    return size && *size >> 56 == 1 ? std::optional(*size & ((1ull << 56) - 1)) : std::nullopt;
  }
  [[nodiscard]] std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

std::uint16_t at_least_one(std::uint16_t value) { return std::max<std::uint16_t>(value, 1); }

}  // namespace

Film::Film(const Frame& frame, std::chrono::milliseconds time)
    : begin_(frame.captured - time),
      width_px_(at_least_one(frame.picture.width_px)),
      height_px_(at_least_one(frame.picture.height_px)) {}

bool Film::fits(const Frame& frame) const {
  return at_least_one(frame.picture.width_px) == width_px_ && at_least_one(frame.picture.height_px) == height_px_;
}

std::chrono::milliseconds Film::time_of(const Frame& frame) const {
  const auto time = std::chrono::floor<std::chrono::milliseconds>(frame.captured - begin_);
  return std::max(time, last_ ? *last_ + 1ms : 0ms);
}

void Film::added(std::chrono::milliseconds time, std::uint64_t offset) {
  if (last_) interval_ = std::clamp<std::chrono::milliseconds>(time - *last_, 0ms, kLongestLast);
  last_ = std::max(time, last_.value_or(time));
  const auto time_ms = static_cast<std::uint64_t>(time.count());
  if (!cues_.empty() && time_ms < cues_.back().time_ms + cue_each_ms_) return;
  if (cues_.size() >= kMostCues) {
    cue_each_ms_ *= 2;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < cues_.size(); i += 2) cues_[kept++] = cues_[i];
    cues_.resize(kept);
  }
  cues_.push_back({time_ms, offset});
}

std::string Film::head_with(std::string_view segment_size, std::optional<std::uint64_t> cues_at) const {
  const std::string begin = ebml_header() + id(kSegment) + std::string(segment_size);
  const auto duration = cues_at ? std::optional(last_.value_or(0ms) + interval_) : std::nullopt;
  const std::string information = info(begin_, duration);
  const std::size_t seek_bytes = seek(kInfo, 0).size();
  const std::size_t info_at = element(kSeekHead, std::string(3 * seek_bytes, ' ')).size();
  const std::string seeks = seek(kInfo, info_at) + seek(kTracks, info_at + information.size()) +
                            (cues_at ? seek(kCues, *cues_at - kSegmentAt) : nothing(seek_bytes));
  return begin + element(kSeekHead, seeks) + information + tracks(width_px_, height_px_);
}

std::string Film::head() const { return head_with(kUnknownSize, std::nullopt); }

std::string Film::head(std::uint64_t cues_at, std::uint64_t end) const {
  return head_with(size_of(end - kSegmentAt), cues_at);
}

std::string Film::cues() const {
  constexpr std::uint32_t kCuePoint = 0xBB;
  constexpr std::uint32_t kCueTime = 0xB3;
  constexpr std::uint32_t kCueTrackPositions = 0xB7;
  constexpr std::uint32_t kCueTrack = 0xF7;
  constexpr std::uint32_t kCueClusterPosition = 0xF1;
  std::string points;
  for (const Cue& cue : cues_) {
    points +=
        small(kCuePoint, number(kCueTime, cue.time_ms, 8) +
                             small(kCueTrackPositions,
                                   number(kCueTrack, 1, 1) + number(kCueClusterPosition, cue.offset - kSegmentAt, 8)));
  }
  return element(kCues, points);
}

Around cluster(std::chrono::milliseconds time, std::size_t jpeg_bytes, std::string_view headers) {
  const std::string additions =
      element(kBlockAdditions, element(kBlockMore, number(kBlockAddId, 1, 1) + element(kBlockAdditional, headers)));
  const std::string timestamp = number(kTimestamp, static_cast<std::uint64_t>(time.count()), 8);
  const std::string block = id(kBlock) + size_of(kBlockHead.size() + jpeg_bytes) + std::string(kBlockHead);
  const std::uint64_t group_bytes = block.size() + jpeg_bytes + additions.size();
  const std::string group = id(kBlockGroup) + size_of(group_bytes);
  const std::uint64_t cluster_bytes = timestamp.size() + group.size() + group_bytes;
  return {id(kCluster) + size_of(cluster_bytes) + timestamp + group + block, additions};
}

bool is_ours(ByteView head) {
  const std::string_view text = as_text(head);
  return text.size() >= kHeadBytes && text.starts_with(ebml_header() + id(kSegment)) &&
         text.substr(0, kHeadBytes).find(application()) != std::string_view::npos;
}

std::optional<ClusterHead> parse_cluster_head(ByteView bytes) {
  Pattern pattern(bytes);
  if (!pattern.takes(id(kCluster))) return std::nullopt;
  const auto cluster_bytes = pattern.size();
  if (!cluster_bytes || !pattern.takes(id(kTimestamp) + '\x88')) return std::nullopt;
  const auto time_ms = pattern.value(8);
  if (!time_ms || !pattern.takes(id(kBlockGroup))) return std::nullopt;
  const auto group_bytes = pattern.size();
  if (!group_bytes || !pattern.takes(id(kBlock))) return std::nullopt;
  const auto block_bytes = pattern.size();
  if (!block_bytes || *block_bytes < kBlockHead.size() || !pattern.takes(kBlockHead)) return std::nullopt;
  constexpr std::uint64_t kBlockBegin = 1 + 8;
  constexpr std::uint64_t kGroupBegin = 10 + 1 + 8;
  if (*cluster_bytes != kGroupBegin + *group_bytes || *group_bytes < kBlockBegin + *block_bytes) return std::nullopt;
  const std::uint64_t tail_bytes = *group_bytes - kBlockBegin - *block_bytes;
  constexpr std::uint64_t kLatest = 1ull << 52;  // in microseconds it fits, too
  if (tail_bytes > kMostTailBytes || *time_ms > kLatest) return std::nullopt;
  return ClusterHead{std::chrono::milliseconds(*time_ms), *block_bytes - kBlockHead.size(), tail_bytes};
}

std::optional<std::string_view> parse_tail(ByteView bytes) {
  Pattern pattern(bytes);
  if (!pattern.takes(id(kBlockAdditions)) || !pattern.size()) return std::nullopt;
  if (!pattern.takes(id(kBlockMore)) || !pattern.size()) return std::nullopt;
  if (!pattern.takes(number(kBlockAddId, 1, 1) + id(kBlockAdditional))) return std::nullopt;
  const auto size = pattern.size();
  if (!size || *size != pattern.rest().size()) return std::nullopt;
  return pattern.rest();
}

bool begins_cues(ByteView bytes) { return as_text(bytes).starts_with(id(kCues)); }

}  // namespace fp::record::matroska
