#include "serve/viewer.h"

#include <algorithm>
#include <utility>

namespace fp {
namespace {

using namespace std::chrono_literals;

// From so many viewers of a camera on, pages handed on by tee and splice cost less than a copy into each socket.
constexpr std::size_t kManyViewers = 4;

}  // namespace

void Sending::begin(PacketPtr packet, Packet::Range range) {
  packet_ = std::move(packet);
  range_ = range;
  at_ = range.begin;
}

// Hands the socket the packet's pages; false when the peer is gone. What the socket does not take at once goes later,
// as a copy: a slow viewer costs that much, and holds no pipe.
bool Sending::push_pages(http::Connection& connection, Relay& relay) {
  const int pages = relay.load(*packet_, range_);
  if (pages < 0) return true;
  while (at_ < range_.end) {
    const auto sent = connection.send_pipe(pages, range_.end - at_);
    if (!sent || *sent == 0) {
      relay.discard();
      return sent.has_value();
    }
    at_ += *sent;
  }
  return true;
}

Sending::Step Sending::push(http::Connection& connection, Hub& hub) {
  if (at_ == range_.begin && hub.viewers() >= kManyViewers && !push_pages(connection, hub.relay())) return Step::Gone;
  while (at_ < range_.end) {
    const auto sent = connection.send(packet_->pieces(at_, range_.end));
    if (!sent) return Step::Gone;
    if (*sent == 0) return Step::Blocked;
    at_ += *sent;
  }
  packet_.reset();
  return Step::Done;
}

ViewerList::Entry::Entry(ViewerList& list) : list_(list), id_(list.next_id_++) { list.entries_.push_back(this); }
ViewerList::Entry::~Entry() { std::erase(list_.entries_, this); }

StreamViewer::StreamViewer(Loop& loop, const Clock& clock, http::Connection& connection, std::unique_ptr<Feed> feed,
                           ViewerList& list, FramingMode mode, double fps, std::optional<AutoQuality> automatic)
    : Entry(list),
      clock_(clock),
      connection_(connection),
      feed_(std::move(feed)),
      mode_(mode),
      pacer_(fps),
      automatic_(std::move(automatic)),
      late_timer_(loop, [this] {
        if (!sending_.active()) take_newest();
      }) {
  feed_->attach(*this, pacer_);
}

StreamViewer::~StreamViewer() = default;

void StreamViewer::drop(std::uint64_t frames) {
  dropped_ += frames;
  list_.totals().dropped += frames;
}

void StreamViewer::writable() {
  ready_ = true;
  if (!sending_.active()) {
    take_newest();
  } else if (sending_.untouched() && feed_->newer_than(last_origin_)) {
    drop(1);
    take_newest();
  } else {
    push();
  }
}

void StreamViewer::frame_arrived() {
  judge();
  if (!ready_ || sending_.active() || (finishing_ && !awaits_last_)) return;
  const SteadyTime now = clock_.steady();
  if (pacer_.due(now)) {
    take_newest();
  } else if (!late_timer_.active()) {
    // If nothing newer comes this one is shown all the same: a camera's last frame must not get lost.
    late_timer_.once(pacer_.late_at(now) - now);
  }
}

void StreamViewer::hub_closed() {
  finishing_ = true;
  if (!sending_.active()) connection_.close(http::Connection::CloseReason::Done);
}

void StreamViewer::judge() {
  if (!automatic_) return;
  const auto change = automatic_->judge(feed_->unchanged().figures().frames);
  if (change) feed_->camera().report(Severity::Debug, "viewer " + std::to_string(id()) + ": " + *change);
}

// Between two frames. Where there is no room for one more variant it stays as it is, and tries again with the next.
void StreamViewer::follow_level() {
  if (!automatic_ || automatic_->key() == feed_->key() || !feed_->choose(automatic_->key())) return;
  last_index_ = 0;
  automatic_->moved();
}

void StreamViewer::take_newest() {
  if (!sending_.active()) follow_level();
  const PacketPtr newest = feed_->newer_than(last_origin_);
  if (!newest || (finishing_ && !awaits_last_)) return;
  awaits_last_ = false;
  late_timer_.cancel();
  if (last_index_ != 0 && !pacer_.limited()) drop(newest->index() - last_index_ - 1);
  last_index_ = newest->index();
  last_origin_ = newest->origin();
  pacer_.passed(clock_.steady());
  if (automatic_) automatic_->begin();
  sending_.begin(newest, mode_ == FramingMode::Length ? newest->length_range() : newest->advance_range());
  push();
}

void StreamViewer::push() {
  switch (sending_.push(connection_, feed_->hub())) {
    case Sending::Step::Gone:
      return;
    case Sending::Step::Blocked:
      connection_.wait_writable();
      return;
    case Sending::Step::Done:
      break;
  }
  ++sent_;
  bytes_ += sending_.size();
  ++list_.totals().sent;
  list_.totals().bytes += sending_.size();
  rate_.add(clock_.steady(), sending_.size());
  if (automatic_) automatic_->taken();
  if (finishing_ && !awaits_last_) {
    connection_.close(http::Connection::CloseReason::Shutdown);
    return;
  }
  // Newer ones came while it was on its way.
  if (feed_->newer_than(last_origin_)) {
    if (pacer_.due(clock_.steady())) {
      if (automatic_) automatic_->begin();
      // Not at once: the socket says when it has room for a frame that is still the newest.
      connection_.wait_writable();
    } else {
      late_timer_.once(pacer_.late_at(clock_.steady()) - clock_.steady());
    }
  }
}

bool StreamViewer::finish() {
  finishing_ = true;
  // The last frame of all may be with the threads still.
  awaits_last_ = feed_->variant() && !feed_->variant()->idle();
  return !sending_.active() && !awaits_last_;
}

ViewerFigures StreamViewer::figures() const {
  ViewerFigures figures;
  figures.id = id();
  figures.camera = feed_->hub().camera();
  figures.kind = "stream";
  figures.peer = connection_.peer();
  figures.seconds = seconds_of(clock_.steady() - connection_.since());
  figures.sent = sent_;
  figures.dropped = dropped_;
  figures.bytes = bytes_;
  figures.fps = rate_.fps(clock_.steady());
  figures.blocked = sending_.active();
  if (feed_->filtered()) figures.filter = feed_->filtered()->filter().name();
  figures.variant = feed_->key().name();
  figures.quality_percent = feed_->key().quality_percent;
  figures.automatic = automatic_.has_value();
  if (const PacketPtr& newest = feed_->hub().newest()) {
    figures.size = jpeg::Size{newest->frame().picture.width_px, newest->frame().picture.height_px};
  }
  return figures;
}

WallViewer::Slot::Slot(WallViewer& owner, Camera& watched)
    : wall(owner), pacer(owner.fps_), feed(watched, owner.pool_, owner.filter_) {
  if (const auto chosen = feed.choose(owner.wanted_key()); !chosen)
    watched.report(Severity::Debug, chosen.error().text);
  feed.attach(*this, pacer);
}

WallViewer::WallViewer(Loop& loop, const Clock& clock, http::Connection& connection, const CameraList& cameras,
                       VariantPool& pool, const VariantKey& key, bool automatic, FilterWish filter,
                       std::vector<std::string> names, ViewerList& list, double fps, FiguresJson figures_json)
    : Entry(list),
      loop_(loop),
      clock_(clock),
      connection_(connection),
      figures_json_(std::move(figures_json)),
      cameras_(cameras),
      pool_(pool),
      key_(key),
      automatic_(automatic),
      filter_(std::move(filter)),
      names_(std::move(names)),
      fps_(fps),
      figures_timer_(loop,
                     [this] {
                       if (placed_ != cameras_.changes()) place_cameras();
                       figures_due_ = true;
                       go_on();
                     }),
      late_timer_(loop, [this] { go_on(); }) {
  if (automatic_) measure_anew();  // the slots ask for the key
  place_cameras();
  figures_timer_.every(1s);
}

// Slots for the cameras there are now. Those that stay keep theirs, with what was counted.
void WallViewer::place_cameras() {
  placed_ = cameras_.changes();
  std::vector<std::shared_ptr<Slot>> slots;
  const auto place = [&](Camera& camera) {
    const auto known =
        std::find_if(slots_.begin(), slots_.end(), [&](const auto& slot) { return &slot->feed.camera() == &camera; });
    slots.push_back(known != slots_.end() ? *known : std::make_shared<Slot>(*this, camera));
  };
  if (names_.empty()) {
    for (const auto& camera : cameras_.all()) place(*camera);
  } else {
    for (const std::string& name : names_) {
      if (Camera* const camera = cameras_.find(name)) place(*camera);
    }
  }
  // A slot may be calling: it goes when it has returned.
  const std::size_t before = slots_.size();
  loop_.defer([gone = std::exchange(slots_, std::move(slots))] {});
  turn_ = 0;
  if (automatic_ && (slots_.size() != before || !measured_)) measure_anew();
}

// What was measured with other cameras says nothing about these.
void WallViewer::measure_anew() {
  measured_.emplace(key_, fps_ * static_cast<double>(std::max<std::size_t>(slots_.size(), 1)), clock_);
}

void WallViewer::judge() {
  if (!measured_) return;
  std::uint64_t frames = 0;
  for (const auto& slot : slots_) frames += slot->feed.unchanged().figures().frames;
  const auto change = measured_->judge(frames);
  if (!change) return;
  measured_->moved();
  if (!slots_.empty()) {
    slots_.front()->feed.camera().report(Severity::Debug, "viewer " + std::to_string(id()) + ": " + *change);
  }
}

WallViewer::~WallViewer() = default;

void WallViewer::writable() {
  ready_ = true;
  go_on();
}

// Sends whatever is next until the socket is full or there is nothing new.
void WallViewer::go_on() {
  if (!ready_) return;
  for (;;) {
    if (text_at_ < text_.size()) {
      const iovec piece{text_.data() + text_at_, text_.size() - text_at_};
      const auto sent = connection_.send({&piece, 1});
      if (!sent) return;
      if (*sent == 0) return connection_.wait_writable();
      text_at_ += *sent;
      bytes_ += *sent;
      continue;
    }
    if (sending_.active()) {
      Slot& slot = *sending_slot_;
      const PacketPtr newest = slot.feed.newer_than(slot.last_origin);
      if (sending_.untouched() && newest) {
        slot.dropped += newest->index() - sending_.index();
        list_.totals().dropped += newest->index() - sending_.index();
        slot.last_index = newest->index();
        slot.last_origin = newest->origin();
        sending_.begin(newest, newest->length_range());
      }
      const Sending::Step step = sending_.push(connection_, slot.feed.hub());
      if (step == Sending::Step::Gone) return;
      if (step == Sending::Step::Blocked) return connection_.wait_writable();
      if (measured_) measured_->taken();
      ++slot.sent;
      bytes_ += sending_.size();
      ++list_.totals().sent;
      list_.totals().bytes += sending_.size();
      rate_.add(clock_.steady(), sending_.size());
      // The last of a camera that has been removed; it may be the one who calls.
      if (sending_slot_.use_count() == 1) loop_.defer([gone = std::exchange(sending_slot_, nullptr)] {});
    }
    if (finishing_) return connection_.close(http::Connection::CloseReason::Shutdown);
    if (!begin_next()) return;
  }
}

// One slot for each camera, in turn: a fast camera takes nothing from a slow one.
bool WallViewer::begin_next() {
  if (figures_due_) {
    figures_due_ = false;
    const std::string json = figures_json_(own_json());
    text_ = "--frame\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(json.size()) + "\r\n\r\n" +
            json + "\r\n";
    text_at_ = 0;
    return true;
  }
  const SteadyTime now = clock_.steady();
  std::optional<SteadyTime> late;
  for (std::size_t i = 1; i <= slots_.size(); ++i) {
    const std::size_t index = (turn_ + i) % slots_.size();
    Slot& slot = *slots_[index];
    // Between two frames of a camera its viewer may go over to another variant.
    if (wanted_key() != slot.feed.key() && slot.feed.choose(wanted_key())) slot.last_index = 0;
    const PacketPtr newest = slot.feed.newer_than(slot.last_origin);
    if (!newest) continue;
    if (!slot.pacer.due(now) && now < slot.pacer.late_at(now)) {
      late = std::min(late.value_or(SteadyTime::max()), slot.pacer.late_at(now));
      continue;
    }
    if (slot.last_index != 0 && !slot.pacer.limited()) {
      slot.dropped += newest->index() - slot.last_index - 1;
      list_.totals().dropped += newest->index() - slot.last_index - 1;
    }
    slot.last_index = newest->index();
    slot.last_origin = newest->origin();
    slot.pacer.passed(now);
    turn_ = index;
    sending_slot_ = slots_[index];
    if (measured_) measured_->begin();
    sending_.begin(newest, newest->length_range());
    return true;
  }
  if (late) late_timer_.once(*late - now);
  return false;
}

bool WallViewer::finish() {
  finishing_ = true;
  return !sending_.active() && text_at_ >= text_.size();
}

std::string WallViewer::own_json() const {
  std::string cameras;
  for (const auto& slot : slots_) {
    cameras += (cameras.empty() ? "\"" : ",\"") + slot->feed.camera().name() +
               "\":{\"sent\":" + std::to_string(slot->sent) + ",\"dropped\":" + std::to_string(slot->dropped) + "}";
  }
  return "{\"bytes\":" + std::to_string(bytes_) + ",\"cameras\":{" + cameras + "}}";
}

ViewerFigures WallViewer::figures() const {
  ViewerFigures figures;
  figures.id = id();
  figures.camera = "*";
  figures.kind = "wall";
  figures.peer = connection_.peer();
  figures.seconds = seconds_of(clock_.steady() - connection_.since());
  for (const auto& slot : slots_) {
    figures.sent += slot->sent;
    figures.dropped += slot->dropped;
  }
  figures.bytes = bytes_;
  figures.fps = rate_.fps(clock_.steady());
  figures.blocked = sending_.active();
  if (filter_.filter != nullptr) figures.filter = filter_.filter->name();
  figures.variant = wanted_key().name();
  figures.quality_percent = wanted_key().quality_percent;
  figures.automatic = automatic_;
  return figures;
}

}  // namespace fp
