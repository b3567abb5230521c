// Frames of cameras from a broker.
#pragma once

#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "base/event.h"
#include "frame/producer.h"
#include "frame/skips.h"
#include "mqtt/link.h"

namespace fp::mqtt {

/// The newest frame of each camera, in the order in which they became due. A frame that is older than the last one of
/// its camera (the broker had kept it, or delivers it twice) goes no further. What the broker had kept is marked as
/// held, unless its own time says that it is fresh.
///
/// Memory: one frame of each camera, `max_waiting_bytes` together, beyond which the oldest go; 1024 cameras, further
/// ones are dropped and counted; libmosquitto holds one message, of up to 256 MiB where the broker speaks 3.1.1 alone.
/// One thread, besides the client's.
class Subscriber final : public Producer {
 public:
  struct Options {
    Url url;
    Client::Speak protocol = Client::Speak::Auto;
    TlsFiles tls;
    int qos = 0;
    std::string share;                      ///< the group that shares the frames; "": none
    std::chrono::milliseconds fresh{5000};  ///< how old a kept frame may be to count as live
    std::size_t max_frame_bytes = 32u << 20;
    std::size_t max_waiting_bytes = 128u << 20;
  };
  struct Figures {
    std::uint64_t frames = 0;      ///< whole ones that came
    std::uint64_t superseded = 0;  ///< of those, dropped because a newer one of the same camera had come
    std::uint64_t late = 0;        ///< older than what had come before
    std::uint64_t foreign = 0;     ///< of topics that are no camera's, or of too many cameras
    std::uint64_t bytes = 0;
    Skips skips;
  };

  /// `clock` must live as long. Errors: those of Client::make().
  [[nodiscard]] static Result<std::unique_ptr<Subscriber>> open(Options options, const Clock& clock, Report report);

  [[nodiscard]] Wait wait() const override;
  [[nodiscard]] FramePtr advance() override;
  [[nodiscard]] bool ended() const override { return false; }
  [[nodiscard]] std::uint64_t superseded() const override;
  [[nodiscard]] Figures figures() const;
  /// For the terminal and systemd: "12 frames of 2 cameras", and why it is not connected.
  [[nodiscard]] std::string describe() const;

  /// What the client calls; for tests.
  void receive(const Incoming& message);

  Subscriber(Options options, const Clock& clock, Report report);  ///< not connected: open() does it

 private:
  struct Camera {
    WallTime captured{};
    std::uint64_t sequence = 0;
    bool dated = false;
    std::uint64_t count = 0;  ///< of those without a sequence number of their own
    std::uint64_t seen = 0;   ///< frames
    FramePtr waiting;
    std::list<std::string>::iterator turn;  ///< while one waits
  };
  void keep(Camera& camera, const std::string& name, Frame frame);
  void drop_oldest();

  const Options options_;
  const Clock& clock_;
  Event arrived_;
  mutable std::mutex mutex_;
  std::map<std::string, Camera, std::less<>> cameras_;
  std::list<std::string> turns_;  // names of those that wait
  std::size_t waiting_bytes_ = 0;
  Figures figures_;
  SkipReporter skip_reporter_;  // of receive()
  std::unique_ptr<Link> link_;  // last: its threads use the rest
};

}  // namespace fp::mqtt
