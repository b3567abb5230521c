#include "serve/filtered.h"

#include <algorithm>

#include "serve/card_frame.h"
#include "serve/detections_of.h"

namespace fp {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t kLongestReason = 60;   // characters: more would be too small to be read
constexpr auto kAskAgain = 100ms;            // after a question that had no turn, when no frame comes before
constexpr std::uint64_t kEverybody = ~0ULL;  // above the origin of any frame: whoever waits is told

}  // namespace

FilteredCamera::FilteredCamera(const Clock& clock, std::shared_ptr<Hub> source, Filter& filter, std::string overlay,
                               std::chrono::milliseconds stale, Report report)
    : clock_(clock),
      source_(std::move(source)),
      filter_(filter),
      overlay_(std::move(overlay)),
      stale_(stale),
      hub_(source_->alike()),
      variants_(clock, source_->camera(), std::move(report)),
      shown_at_(clock.steady()),
      late_timer_(filter.loop(), [this] { consider(); }) {
  source_->attach(*this);
  if (source_->newest() && source_->newest() != source_->newest_frame()) pass_on(*source_->newest());
}

FilteredCamera::~FilteredCamera() { source_->detach(*this); }

Result<std::shared_ptr<Variant>> FilteredCamera::variant(VariantPool& pool, const VariantKey& key) {
  return variants_.get(pool, std::shared_ptr<Hub>(shared_from_this(), hub_.get()), key);
}

void FilteredCamera::join(const Pacer& pacer) {
  pacers_.push_back(&pacer);
  consider();
}

void FilteredCamera::leave(const Pacer& pacer) {
  const auto found = std::find(pacers_.begin(), pacers_.end(), &pacer);
  if (found != pacers_.end()) pacers_.erase(found);
}

void FilteredCamera::frame_arrived() {
  const PacketPtr& newest = source_->newest();
  if (!newest) return;
  // What the camera's own hub only shows is no new frame; a card that came from elsewhere is none either.
  if (newest != source_->newest_frame() || newest->frame().signal == Signal::Card) {
    pass_on(*newest);
  } else {
    consider();
  }
}

void FilteredCamera::hub_closed() {
  closed_ = true;
  late_timer_.cancel();
  question_.reset();
  hub_->close();
  tell(tl::unexpected(FilterError{FilterError::Kind::NoFrame, "camera " + hub_->camera() + " has been removed"}),
       kEverybody);
}

void FilteredCamera::hub_cleared() {
  shown_ = std::max(shown_, taken_);
  hub_->clear();
}

// Nothing is asked of the filter for it.
void FilteredCamera::pass_on(const Packet& packet) {
  const Frame& frame = packet.frame();
  const bool again = frame.signal == Signal::Held && asked_ && frame.jpeg.data() == asked_->jpeg.data();
  if (again && question_) return;  // its filtered picture is not far
  shown_ = packet.origin();
  shown();
  if (!again || !answered_) return hub_->show(packet.frame_ptr(), packet.origin());
  auto held = std::make_shared<Frame>(*answered_);
  held->signal = Signal::Held;
  hub_->show(std::move(held), packet.origin());
}

void FilteredCamera::shown() {
  shown_at_ = clock_.steady();
  card_text_.clear();
}

void FilteredCamera::show_failure(const FilterError& error) {
  const PacketPtr& newest = source_->newest_frame();
  if (pacers_.empty() || stale_.count() == 0 || clock_.steady() - shown_at_ <= stale_) return;
  // The camera has a card of its own, or no new frame since the last that was shown.
  if (!newest || newest != source_->newest() || newest->origin() <= shown_) return;
  const std::string prefix = "filter " + filter_.name() + ": ";
  const std::string why = error.text.starts_with(prefix) ? error.text.substr(prefix.size()) : error.text;
  if (card_text_ == why) return;
  jpeg::Encoder encoder;
  const std::vector<std::string> lines = {hub_->camera(), why.substr(0, kLongestReason)};
  auto card = card_frame(encoder, &newest->frame(), "FILTER " + filter_.name(), lines, clock_.wall());
  if (!card) return;
  card_text_ = why;
  // In place of a frame that they have not seen; what is made of the next one covers it.
  hub_->show(std::move(card), newest->origin());
}

// Whether anybody would take the newest frame now; when that is later, looks again then.
bool FilteredCamera::wanted() {
  const std::uint64_t origin = source_->newest_frame()->origin();
  const WallTime captured = source_->newest_frame()->frame().captured;
  const auto takes = [&](Once* once) { return once->takes(origin, captured); };
  if (std::any_of(once_.begin(), once_.end(), takes)) return true;
  if (origin <= taken_) return false;
  const SteadyTime now = clock_.steady();
  SteadyTime late = SteadyTime::max();
  for (const Pacer* pacer : pacers_) {
    if (pacer->due(now)) return true;
    late = std::min(late, pacer->late_at(now));
  }
  if (!pacers_.empty() && !late_timer_.active()) late_timer_.once(std::max<std::chrono::nanoseconds>(late - now, 1ms));
  return false;
}

void FilteredCamera::consider() {
  if (closed_ || question_ || !source_->newest_frame() || !wanted()) return;
  late_timer_.cancel();
  question_ = filter_.ask([this] { return fetch(); }, {.gate_open = std::nullopt, .overlay = overlay_},
                          [this](FilterResult result) { done(std::move(result)); });
}

FramePtr FilteredCamera::fetch() {
  const PacketPtr& newest = source_->newest_frame();
  taken_ = newest->origin();
  taken_captured_ = newest->frame().captured;
  asked_ = newest->frame_ptr();
  answered_.reset();
  if (newest->frame().camera == hub_->camera()) return newest->frame_ptr();
  auto named = std::make_shared<Frame>(newest->frame());
  named->camera = hub_->camera();
  return named;
}

void FilteredCamera::done(FilterResult result) {
  // What is told may let go of the last hold on this.
  const auto self = shared_from_this();
  const std::unique_ptr<Filter::Question> question = std::move(question_);
  if (!result) {
    show_failure(result.error());
    tell(tl::unexpected(result.error()), question->begun() ? taken_ : kEverybody);
  } else {
    auto frame = std::make_shared<Frame>(**result);
    frame->camera = hub_->camera();
    answered_ = std::move(frame);
    filter_.worked_on(*answered_);
    const FilterRun run{answered_, question->took(), adds_detections(*answered_, *asked_)};
    if (taken_ > shown_) {
      shown_ = taken_;
      shown();
      hub_->publish(answered_, taken_);
    }
    tell(run, taken_);
  }
  // The next one would be refused as this one was: at once it would be asked, and refused, without end.
  const bool refused = !result && !question->begun();
  if (!refused) return consider();
  if (!closed_ && !question_) late_timer_.once(kAskAgain);
}

// Those whose wish a frame of this origin fulfils.
void FilteredCamera::tell(const FilterRunResult& result, std::uint64_t origin) {
  for (;;) {
    const auto next =
        std::find_if(once_.begin(), once_.end(), [&](Once* once) { return once->takes(origin, taken_captured_); });
    if (next == once_.end()) return;
    Once& once = **next;
    once_.erase(next);
    const Once::Told told = std::exchange(once.told_, nullptr);
    told(result);  // may destroy any of them
  }
}

FilteredCamera::Once::Once(FilteredCamera& camera, std::uint64_t beyond, std::optional<WallTime> not_before, Told told)
    : camera_(camera.shared_from_this()), beyond_(beyond), not_before_(not_before), told_(std::move(told)) {
  camera_->once_.push_back(this);
  camera_->consider();
}

bool FilteredCamera::Once::takes(std::uint64_t origin, WallTime captured) {
  if (origin <= beyond_) return false;
  if (origin == kEverybody || !not_before_ || captured >= *not_before_) return true;
  if (passed_over_ == 0) passed_over_ = origin;
  return origin > passed_over_;
}

FilteredCamera::Once::~Once() { std::erase(camera_->once_, this); }

std::shared_ptr<FilteredCamera> CameraFilters::get(const std::shared_ptr<Hub>& source, Filter& filter,
                                                   const std::string& overlay) {
  std::erase_if(filtered_, [](const auto& entry) { return entry.second.expired(); });
  auto& known = filtered_[{&filter, overlay}];
  if (auto filtered = known.lock()) return filtered;
  auto filtered = std::make_shared<FilteredCamera>(clock_, source, filter, overlay, stale_, report_);
  known = filtered;
  return filtered;
}

std::vector<std::shared_ptr<FilteredCamera>> CameraFilters::all() const {
  std::vector<std::shared_ptr<FilteredCamera>> all;
  all.reserve(filtered_.size());
  for (const auto& [key, filtered] : filtered_) {
    if (auto one = filtered.lock()) all.push_back(std::move(one));
  }
  return all;
}

}  // namespace fp
