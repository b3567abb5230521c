// A camera's pictures in another quality or size, made once for all who want them so.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/report.h"
#include "frame/pacer.h"
#include "hub/hub.h"
#include "loop/loop.h"
#include "serve/variant_key.h"
#include "serve/variant_pool.h"

namespace fp {

struct VariantFigures {
  std::uint64_t encoded = 0;                ///< frames that were decoded and encoded again
  std::uint64_t failed = 0;                 ///< frames that could not be converted, and were dropped
  std::uint64_t superseded = 0;             ///< frames that a newer one replaced before a thread was free
  std::chrono::nanoseconds encode_time{0};  ///< of those that were encoded, together
};

/// What the variants of one camera have done, also those that have gone; and what is said about their failures.
class VariantLedger {
 public:
  VariantLedger(const Clock& clock, std::string camera, Report report)
      : clock_(clock), camera_(std::move(camera)), report_(std::move(report)) {}
  VariantFigures totals;
  /// Says it, unless it has said so in the last ten seconds: a broken camera must not fill the journal.
  void failed(const VariantKey& key, const Error& error);

 private:
  const Clock& clock_;
  const std::string camera_;
  const Report report_;
  std::optional<SteadyTime> told_;
};

/// Converts what its camera's hub shows and shows it in a hub of its own, cards and held frames as what they are. The
/// newest wins: while one frame is at work one more waits. Packets keep the origin that they have in the camera's hub.
/// Lives as long as somebody holds it. One thread.
class Variant final : public Subscriber {
 public:
  /// Shares `source`, and whatever owns it; so it does `ledger`. Throws Failure as VariantPool::Seat.
  Variant(const Clock& clock, VariantPool& pool, std::shared_ptr<Hub> source, std::shared_ptr<VariantLedger> ledger,
          const VariantKey& key);
  Variant(const Variant&) = delete;
  Variant& operator=(const Variant&) = delete;
  ~Variant();

  [[nodiscard]] const VariantKey& key() const { return key_; }
  [[nodiscard]] Hub& hub() const { return *hub_; }
  [[nodiscard]] const VariantFigures& figures() const { return figures_; }
  /// Of its newest frame; nothing before the first.
  [[nodiscard]] std::optional<jpeg::Size> size() const;
  /// Nothing is on its way through the pool.
  [[nodiscard]] bool idle() const { return !seat_.busy(); }

  /// A viewer comes. A frame is converted when one of the viewers' pacers lets it pass; without any, always. Also looks
  /// for a frame that the other viewers let pass by.
  void join(const Pacer& pacer);
  void leave(const Pacer& pacer);

  void frame_arrived() override;
  void hub_closed() override;
  void hub_cleared() override;

 private:
  void convert();  // the source's newest
  void done(VariantResult result);
  void emit(FramePtr frame, const VariantJob& job);
  [[nodiscard]] bool repeat(const Packet& packet);

  const Clock& clock_;
  const std::shared_ptr<Hub> source_;
  const std::shared_ptr<VariantLedger> ledger_;
  const VariantKey key_;
  const std::unique_ptr<Hub> hub_;
  VariantFigures figures_;
  std::vector<const Pacer*> pacers_;
  std::uint64_t taken_ = 0;    // the origin of what was last put into the pool
  std::uint64_t cleared_ = 0;  // what began as this or before is not to be seen any more
  bool closed_ = false;
  // Of the last frame that went into the pool, and of the last that was converted, with what became of that: so a
  // picture that is shown again is known. The two hubs hold them anyway.
  Blob last_put_;
  Blob last_source_;
  FramePtr last_converted_;
  Timer late_timer_;
  VariantPool::Seat seat_;
};

}  // namespace fp
