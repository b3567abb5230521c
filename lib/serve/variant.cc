#include "serve/variant.h"

#include <algorithm>

namespace fp {
namespace {

using namespace std::chrono_literals;

constexpr auto kQuiet = 10s;

}  // namespace

void VariantLedger::failed(const VariantKey& key, const Error& error) {
  ++totals.failed;
  const SteadyTime now = clock_.steady();
  if (!report_ || (told_ && now - *told_ < kQuiet)) return;
  told_ = now;
  report_(Severity::Warning, "camera " + camera_ + ": frame left out of " + key.name() + ": " + error.text + " (" +
                                 std::to_string(totals.failed) + " so far)");
}

Variant::Variant(const Clock& clock, VariantPool& pool, std::shared_ptr<Hub> source,
                 std::shared_ptr<VariantLedger> ledger, const VariantKey& key)
    : clock_(clock),
      source_(std::move(source)),
      ledger_(std::move(ledger)),
      key_(key),
      hub_(source_->alike()),
      late_timer_(pool.loop(), [this] { convert(); }),
      seat_(pool, key, [this](VariantResult result) { done(std::move(result)); }) {
  source_->attach(*this);
  convert();
}

Variant::~Variant() { source_->detach(*this); }

std::optional<jpeg::Size> Variant::size() const {
  if (!hub_->newest()) return std::nullopt;
  const jpeg::Info& picture = hub_->newest()->frame().picture;
  return jpeg::Size{picture.width_px, picture.height_px};
}

void Variant::join(const Pacer& pacer) {
  pacers_.push_back(&pacer);
  convert();
}

void Variant::leave(const Pacer& pacer) {
  const auto found = std::find(pacers_.begin(), pacers_.end(), &pacer);
  if (found != pacers_.end()) pacers_.erase(found);
}

// As the viewers themselves would do it (StreamViewer::frame_arrived): what none of them is due to get is not made.
void Variant::frame_arrived() {
  const SteadyTime now = clock_.steady();
  SteadyTime late = SteadyTime::max();
  for (const Pacer* pacer : pacers_) {
    if (pacer->due(now)) return convert();
    late = std::min(late, pacer->late_at(now));
  }
  if (pacers_.empty()) return convert();
  // The last frame of all is shown late rather than never.
  if (!late_timer_.active()) late_timer_.once(std::max<std::chrono::nanoseconds>(late - now, 0ns));
}

void Variant::hub_closed() {
  closed_ = true;
  late_timer_.cancel();
  seat_.forget();
  hub_->close();
}

void Variant::hub_cleared() {
  cleared_ = taken_;
  late_timer_.cancel();
  seat_.forget();
  hub_->clear();
}

void Variant::convert() {
  late_timer_.cancel();
  const PacketPtr& newest = source_->newest();
  if (closed_ || !newest || newest->origin() <= taken_) return;
  taken_ = newest->origin();
  if (repeat(*newest)) return;
  last_put_ = newest->frame().jpeg;
  if (seat_.put({newest->frame_ptr(), newest->origin(), newest == source_->newest_frame()})) {
    ++figures_.superseded;
    ++ledger_->totals.superseded;
  }
}

// A camera that has stopped has its last frame shown again each second: that needs no thread. While the picture itself
// is on its way, or when it could not be converted, there is nothing to repeat.
bool Variant::repeat(const Packet& packet) {
  const Frame& frame = packet.frame();
  if (frame.signal != Signal::Held || frame.jpeg.data() != last_put_.data()) return false;
  if (seat_.busy() || !last_converted_ || frame.jpeg.data() != last_source_.data()) return true;
  auto held = std::make_shared<Frame>(frame);
  held->jpeg = last_converted_->jpeg;
  held->picture = last_converted_->picture;
  held->extra = last_converted_->extra;
  emit(std::move(held), {packet.frame_ptr(), packet.origin(), &packet == source_->newest_frame().get()});
  return true;
}

void Variant::done(VariantResult result) {
  if (closed_ || result.job.origin <= cleared_) return;
  if (!result.outcome) {
    ++figures_.failed;
    return ledger_->failed(key_, result.outcome.error());
  }
  if (result.outcome->how == jpeg::Converter::How::Encoded) {
    for (VariantFigures* figures : {&figures_, &ledger_->totals}) {
      ++figures->encoded;
      figures->encode_time += result.took;
    }
  }
  last_source_ = result.job.frame->jpeg;
  last_converted_ = result.outcome->frame;
  emit(std::move(result.outcome->frame), result.job);
}

void Variant::emit(FramePtr frame, const VariantJob& job) {
  if (job.published) {
    hub_->publish(std::move(frame), job.origin);
  } else {
    hub_->show(std::move(frame), job.origin);
  }
}

}  // namespace fp
