#include "record/player.h"

#include <algorithm>

namespace fp::record {
namespace {

using namespace std::chrono_literals;

// Later than this nobody wants the frames that were missed in a burst.
constexpr auto kLate = 1s;
// Between the last frame and the first, of a recording that is played again and again.
constexpr auto kRound = 40ms;

}  // namespace

Player::Player(std::vector<Recording> recordings, Options options, const Clock& clock, Report report)
    : recordings_(std::move(recordings)), options_(std::move(options)), clock_(&clock), report_(std::move(report)) {}

Result<Player> Player::open(std::vector<Recording> recordings, Options options, const Clock& clock, Report report) {
  Player player(std::move(recordings), options, clock, std::move(report));
  if (auto first = player.first_frame(); !first) {
    return fail(std::move(first).error());
  } else if (*first) {
    if (options.from) player.from_ = options.from->in(**first);
    if (options.to) player.to_ = options.to->in(**first);
  }
  player.read_next();
  if (!player.next_) return malformed("the recordings hold no frame to play");
  player.due_ = clock.steady();
  return player;
}

// When the first frame of all was captured; nothing when there is none. An error only when nothing can be read at all.
Result<std::optional<WallTime>> Player::first_frame() const {
  std::optional<Error> error;
  for (const Recording& recording : recordings_) {
    if (recording.extent) return recording.extent->first;
    auto reader = SegmentReader::open(recording.path, {}, options_.max_frame_bytes, options_.foreign);
    if (!reader) {
      error = std::move(reader).error();
      continue;
    }
    auto first = reader->next();
    if (first && *first) return (*first)->captured;
    if (!first) error = std::move(first).error().in(recording.path);
  }
  if (error) return fail(*error);
  return std::optional<WallTime>();
}

bool Player::outside(const Extent& extent) const {
  return (from_ && extent.last < *from_) || (to_ && extent.first >= *to_);
}

// Where the first frame that is wanted stands.
Place Player::place_of(const std::string& path) const {
  if (!from_) return {};
  const auto index = read_index(path);
  if (!index) return {};
  const auto wanted =
      std::find_if(index->begin(), index->end(), [&](const IndexEntry& e) { return e.captured >= *from_; });
  if (wanted == index->end()) return {};
  return {wanted->offset, static_cast<std::uint64_t>(wanted - index->begin())};
}

// The recording at at_, or one behind it; false when there is none.
bool Player::open_recording() {
  for (; at_ < recordings_.size(); ++at_) {
    const Recording& recording = recordings_[at_];
    if (recording.extent && outside(*recording.extent)) continue;
    auto reader =
        SegmentReader::open(recording.path, place_of(recording.path), options_.max_frame_bytes, options_.foreign);
    if (reader) {
      reader_.emplace(std::move(*reader));
      return true;
    }
    // Whoever keeps the newest only has removed it.
    if (report_) report_(Severity::Warning, reader.error().text + "; going on with the next");
  }
  return false;
}

void Player::close_recording() {
  if (reader_->skips().total() > 0 && report_) {
    report_(Severity::Warning, recordings_[at_].path + ": skipped " + reader_->skips().describe());
  }
  reader_.reset();
  ++at_;
}

// The next frame that is wanted, into next_; false when what is open has no more.
bool Player::read_one() {
  for (;;) {
    auto frame = reader_->next();
    if (!frame) {
      if (report_) report_(Severity::Warning, recordings_[at_].path + ": " + frame.error().text);
      return false;
    }
    if (!*frame) return false;
    if (from_ && (*frame)->captured < *from_) continue;
    if (to_ && (*frame)->captured >= *to_) return false;
    (*frame)->received = (*frame)->captured;
    next_ = std::make_shared<const Frame>(std::move(**frame));
    return true;
  }
}

void Player::read_next() {
  next_ = nullptr;
  new_recording_ = round_ = false;
  for (;;) {
    if (!reader_) {
      new_recording_ = true;
      if (!open_recording()) {
        if (!options_.loop || !gave_frame_) return;
        at_ = 0;
        gave_frame_ = false;
        round_ = true;
        continue;
      }
    }
    if (read_one()) {
      gave_frame_ = true;
      return;
    }
    close_recording();
  }
}

// When next_ is due, `captured` being that of the frame given last.
void Player::schedule(WallTime captured) {
  if (!next_ || options_.speed <= 0) return;
  auto gap = std::max<std::chrono::microseconds>(next_->captured - captured, 0us);
  if (new_recording_) gap = std::min<std::chrono::microseconds>(gap, options_.max_gap);
  if (round_) gap = kRound;
  // X-Timestamp reaches to the year 9999: a longer wait than this would overflow the clock.
  gap = std::min<std::chrono::microseconds>(gap, 24h * 365);
  const auto pause = std::chrono::duration<double, std::micro>(static_cast<double>(gap.count()) / options_.speed);
  due_ += std::chrono::duration_cast<SteadyTime::duration>(pause);
}

Player::Wait Player::wait() const {
  if (!next_) return {};
  return {-1, false, options_.speed <= 0 ? clock_->steady() : due_, 0};
}

FramePtr Player::advance() {
  const SteadyTime now = clock_->steady();
  if (!next_ || (options_.speed > 0 && now < due_)) return nullptr;
  if (now - due_ > kLate) due_ = now;
  FramePtr frame = std::move(next_);
  position_ = frame->captured;
  read_next();
  schedule(position_);
  if (options_.now) {
    Frame stamped = *frame;
    stamped.captured = stamped.received = clock_->wall();
    stamped.sequence = given_;
    frame = std::make_shared<const Frame>(std::move(stamped));
  }
  ++given_;
  return frame;
}

}  // namespace fp::record
