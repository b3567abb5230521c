// The newest frame of one camera, and who watches it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/histogram.h"
#include "frame/frame.h"
#include "hub/packet.h"
#include "hub/rate.h"

namespace fp {

/// Is told of each new frame. Takes it or leaves it: a viewer that is busy fetches the newest when it has time.
class Subscriber {
 public:
  /// Called by the hub, in turn with the others. May detach itself or others.
  virtual void frame_arrived() = 0;
  /// There will be no more: the camera has been removed. May detach itself or others.
  virtual void hub_closed() {}
  /// What was shown is no longer to be, and nothing takes its place yet.
  virtual void hub_cleared() {}

 protected:
  ~Subscriber() = default;
};

/// One slot for the newest frame, one producer, many viewers. Nothing queues: a viewer that asks gets the newest. One
/// thread. Memory: one packet, and those that viewers have begun.
class Hub {
 public:
  struct Figures {
    std::uint64_t frames = 0;  ///< live ones
    std::uint64_t bytes = 0;
    Histogram age;  ///< of live frames on arrival
  };

  /// `camera` goes into X-Camera; `next_headers` is what stands between two frames in advance framing.
  Hub(std::string camera, std::string next_headers, const Clock& clock)
      : camera_(std::move(camera)), next_headers_(std::move(next_headers)), clock_(clock) {}
  Hub(const Hub&) = delete;
  Hub& operator=(const Hub&) = delete;

  /// The newest frame, for all. A card is shown to viewers, and is not counted as a frame. `origin` is for a hub that
  /// is fed from another one: the packet's index there; it never goes down.
  void publish(FramePtr frame, std::optional<std::uint64_t> origin = std::nullopt);
  /// For viewers only, neither counted nor kept as newest_frame(): a card of ours, or the last frame again.
  void show(FramePtr frame, std::optional<std::uint64_t> origin = std::nullopt);
  /// Viewers that come see nothing until the next frame or card.
  void clear();
  /// Tells all subscribers that nothing will come any more.
  void close();
  /// Notes a hop in X-Trace of every frame (--trace).
  void trace(TraceHop hop) { trace_ = std::move(hop); }
  /// A hub without frames that marks them as this one does.
  [[nodiscard]] std::unique_ptr<Hub> alike() const;

  /// What viewers are to see: the newest frame or card; nullptr before the first, or after clear().
  [[nodiscard]] const PacketPtr& newest() const { return newest_; }
  /// The newest frame that is not a card; nullptr before the first.
  [[nodiscard]] const PacketPtr& newest_frame() const { return newest_frame_; }
  /// The highest sequence number from before the source last began to count anew; 0: it never has.
  [[nodiscard]] std::uint64_t highest_before() const { return highest_before_; }
  /// When newest_frame() arrived.
  [[nodiscard]] SteadyTime arrived() const { return arrived_; }

  void attach(Subscriber& subscriber);
  void detach(Subscriber& subscriber);
  [[nodiscard]] std::size_t viewers() const { return viewers_; }

  [[nodiscard]] const std::string& camera() const { return camera_; }
  [[nodiscard]] const Figures& figures() const { return figures_; }
  [[nodiscard]] RateMeter& rate() { return rate_; }
  [[nodiscard]] Relay& relay() { return relay_; }

 private:
  void emit(FramePtr frame, std::optional<std::uint64_t> origin);
  void tell(void (Subscriber::*what)());

  const std::string camera_;
  const std::string next_headers_;
  const Clock& clock_;
  std::optional<TraceHop> trace_;
  PacketPtr newest_;
  PacketPtr newest_frame_;
  SteadyTime arrived_{};
  std::uint64_t highest_before_ = 0;
  std::uint64_t index_ = 0;
  std::vector<Subscriber*> subscribers_;  // nullptr: detached while they are being told
  std::size_t viewers_ = 0;
  std::size_t first_ = 0;  // who is told first
  int telling_ = 0;        // how deep: whoever is told may publish
  Figures figures_;
  RateMeter rate_;
  Relay relay_;
};

}  // namespace fp
