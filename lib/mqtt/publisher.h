// Frames of one camera to a broker.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/event.h"
#include "frame/output.h"
#include "mqtt/link.h"

namespace fp::mqtt {

/// PREFIX/NAME/frame, /detections and /status. Only live frames go out: the newest, and none while the one before is on
/// its way. Status is "online" while live frames come, "offline" otherwise, when we end, and when the broker loses us
/// (last will). put(), due(), tick() and the rest on one thread.
class Publisher final : public Output {
 public:
  struct Options {
    Url url = {};  ///< with one name
    Client::Speak protocol = Client::Speak::Auto;
    TlsFiles tls = {};
    int qos = 0;
    bool framed = false;  ///< with the stream's headers, as mjpeg-frames(5) has it; else the bare JPEG
    std::chrono::milliseconds retain_every{1000};  ///< how often the broker is to keep one; 0: never
    std::chrono::milliseconds stale{10'000};       ///< offline when no live frame has come for so long; 0: never
    std::string home_assistant = {};               ///< the prefix of its discovery; "": none
    std::string version = {};                      ///< ours, for that
    bool every_frame = false;                      ///< put() waits until the frame before has gone
    std::uint64_t limit = 0;                       ///< gone() after so many; 0: no limit
    std::optional<TraceHop> trace = {};
    int stop_fd = -1;  ///< readable when put() is to wait no longer
  };

  /// `clock` must live as long. Errors: those of Client::make().
  [[nodiscard]] static Result<std::unique_ptr<Publisher>> open(Options options, const Clock& clock, Report report);

  bool put(FramePtr frame) override;
  [[nodiscard]] int gone_fd() const override { return gone_.fd(); }
  void drain() override;
  void finish(std::chrono::milliseconds grace) override;
  [[nodiscard]] Figures figures() const override;
  [[nodiscard]] std::optional<Error> error() const override { return std::nullopt; }
  [[nodiscard]] std::uint16_t port() const override { return 0; }

  /// When tick() has something to do: the camera may have fallen silent.
  [[nodiscard]] std::optional<SteadyTime> due() const;
  void tick(SteadyTime now);
  /// For the terminal and systemd: "12 published, 1 dropped", and why it is not connected.
  [[nodiscard]] std::string describe() const;

 private:
  Publisher(Options options, const Clock& clock);
  void set_online(bool online);
  [[nodiscard]] Bundle bundle_of(const Frame& frame);
  void gone_by_now();
  bool wait_for_room();
  [[nodiscard]] Message status(bool online) const;

  const Options options_;
  const std::string name_;
  const Clock& clock_;
  Event changed_;  // a frame has gone
  Event gone_;
  std::optional<SteadyTime> last_frame_;
  std::optional<SteadyTime> retained_;
  bool online_ = false;
  std::atomic<bool> draining_{false};
  std::unique_ptr<Link> link_;  // last: its threads use the events
};

}  // namespace fp::mqtt
