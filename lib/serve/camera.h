// One camera of a server: its source, its hub, and how it fares.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/report.h"
#include "frame/input.h"
#include "hub/hub.h"
#include "jpeg/encoder.h"
#include "loop/loop.h"
#include "serve/filtered.h"
#include "serve/source.h"
#include "serve/variants.h"

namespace fp {

enum class CameraStatus {
  Live,
  Waiting,       ///< open, and no frame has come yet
  Stalled,       ///< frames have stopped coming
  Reconnecting,  ///< the source is being opened again
  Idle,          ///< on demand, and nobody watches
  Stopped,       ///< by set_stopped()
};
[[nodiscard]] const char* name_of(CameraStatus status);

struct CameraOptions {
  std::string name;
  Source source;
  bool on_demand = false;
};

struct ServeOptions {
  std::chrono::milliseconds stale{10'000};  ///< 0: never
  std::chrono::milliseconds idle{10'000};   ///< an on-demand source runs on for so long after its last viewer
  std::size_t max_frame_bytes = StreamParser::kDefaultMaxFrameBytes;
  std::optional<TraceHop> trace;
};

/// Drives a source on the loop and publishes its frames to the hub. While they stop coming, the last one is shown again
/// each second, marked as held; when it has grown stale, and where there is none, a card. Owned by shared pointers: a
/// viewer keeps its camera. One thread.
class Camera : public std::enable_shared_from_this<Camera> {
 public:
  /// Opens the source, unless on demand. Throws Failure when it cannot be. `changed` is called when the source has
  /// ended for good.
  Camera(Loop& loop, const Clock& clock, CameraOptions camera, const ServeOptions& options, std::string next_headers,
         Report report, std::function<void()> changed);
  Camera(const Camera&) = delete;
  Camera& operator=(const Camera&) = delete;
  ~Camera();

  [[nodiscard]] const std::string& name() const { return hub_.camera(); }
  [[nodiscard]] Hub& hub() { return hub_; }
  [[nodiscard]] const Hub& hub() const { return hub_; }
  /// Its pictures in another quality or size, kept by whoever watches them. Errors: those of CameraVariants::get().
  [[nodiscard]] Result<std::shared_ptr<Variant>> variant(VariantPool& pool, const VariantKey& key);
  [[nodiscard]] const CameraVariants& variants() const { return variants_; }
  /// Its pictures as a filter makes them, kept by whoever watches them.
  [[nodiscard]] std::shared_ptr<FilteredCamera> filtered(Filter& filter, const std::string& overlay);
  /// For those who watch it.
  void report(Severity severity, const std::string& text) const {
    if (report_) report_(severity, "camera " + name() + ": " + text);
  }

  /// A viewer comes or goes; anything that needs frames holds one of these.
  class Watch {
   public:
    explicit Watch(Camera& camera);
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    ~Watch();
    [[nodiscard]] Camera& camera() const { return *camera_; }

   private:
    std::shared_ptr<Camera> camera_;
  };

  /// Stopped, a source of our own (a command, a connection) is closed; what others feed (standard input, FIFOs,
  /// listening ends) is read on and thrown away. Viewers stay, and get a card. Throws Failure when a source cannot be
  /// opened again.
  void set_stopped(bool stopped);
  [[nodiscard]] bool stopped() const { return stopped_; }
  /// Goes on with the source of `other`, as it is, in place of its own; `other` is left without one.
  void take_source(Camera& other);
  /// For good: closes the source and tells all who watch.
  void retire();
  /// After retire(): what it ran has ended. Destroyed before that, the camera kills it.
  [[nodiscard]] bool closed() const { return closing_.empty(); }
  [[nodiscard]] const CameraOptions& options() const { return camera_; }

  [[nodiscard]] CameraStatus status() const;
  [[nodiscard]] std::string reason() const;  ///< a sentence for people, or ""
  /// Of the source: why it is not open; or "".
  [[nodiscard]] std::string trouble() const { return input_ ? input_->trouble() : trouble_; }
  /// Its source could not even be begun: trouble() says why.
  [[nodiscard]] bool could_not_open() const { return !input_ && !trouble_.empty(); }
  /// Whether newest_frame() is live and younger than --stale, by its capture time and by its arrival.
  [[nodiscard]] bool fresh() const;
  [[nodiscard]] std::chrono::nanoseconds frame_age() const;  ///< of newest_frame(), never negative
  [[nodiscard]] bool ended() const { return input_ && input_->ended(); }
  [[nodiscard]] std::uint64_t superseded() const;
  /// Frames that came while it was stopped, and were thrown away.
  [[nodiscard]] std::uint64_t ignored() const { return ignored_; }
  [[nodiscard]] Skips skips() const;
  [[nodiscard]] std::uint64_t opened() const;
  /// How often the source was lost or could not be opened.
  [[nodiscard]] std::uint64_t lost() const;
  [[nodiscard]] std::size_t watchers() const { return watchers_; }

 private:
  void start();
  void stop();
  void turn();   // the source has something to do
  void arm();    // waits for what the source waits for
  void check();  // each half second: cards, and children that end
  void could_not_start(const std::string& why);
  void try_again();
  void show_last_again();
  void show_card();

  const Clock& clock_;
  CameraOptions camera_;
  const ServeOptions& options_;
  Report report_;
  std::function<void()> changed_;
  Hub hub_;
  CameraVariants variants_;
  CameraFilters filters_;
  jpeg::Encoder encoder_;
  std::string card_text_;  // what the card that is shown says; "" when a picture is shown
  bool stopped_ = false;
  std::uint64_t ignored_ = 0;
  bool retired_ = false;
  std::string trouble_;  // why there is no input_ though there should be
  SteadyTime started_{};
  SteadyTime shown_again_{};
  std::size_t watchers_ = 0;
  std::chrono::nanoseconds usual_interval_{0};  // between frames

  std::unique_ptr<Input> input_;
  std::uint64_t generation_ = 0;
  std::vector<std::unique_ptr<Input>> closing_;  // told to end, not ended yet
  Input::Figures figures_before_;                // of sources that were closed
  Skips skips_before_;
  IoWatch watch_;
  Timer timer_;
  Timer idle_timer_;
  Timer check_timer_;
};

}  // namespace fp
