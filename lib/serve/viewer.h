// Whoever watches: a stream of one camera, or the wall of several.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "frame/pacer.h"
#include "http/connection.h"
#include "hub/hub.h"
#include "hub/rate.h"
#include "loop/loop.h"
#include "serve/auto_quality.h"
#include "serve/camera_list.h"
#include "serve/feed.h"
#include "serve/multipart.h"

namespace fp {

/// The part of a packet that is on its way to one connection.
class Sending {
 public:
  enum class Step { Done, Blocked, Gone };

  void begin(PacketPtr packet, Packet::Range range);
  [[nodiscard]] bool active() const { return packet_ != nullptr; }
  /// Not a byte has gone: it may still give way to a newer packet.
  [[nodiscard]] bool untouched() const { return active() && at_ == range_.begin; }
  [[nodiscard]] std::uint64_t index() const { return packet_->index(); }
  [[nodiscard]] std::size_t size() const { return range_.end - range_.begin; }
  /// Sends what the socket takes: the pages themselves when many watch the same camera, else copies.
  Step push(http::Connection& connection, Hub& hub);

 private:
  bool push_pages(http::Connection& connection, Relay& relay);
  PacketPtr packet_;
  Packet::Range range_;
  std::size_t at_ = 0;
};

struct ViewerFigures {
  std::uint64_t id = 0;
  std::string camera;  ///< or "*" for a wall
  std::string kind;    ///< "stream" or "wall"
  std::string peer;
  double seconds = 0;
  std::uint64_t sent = 0;
  std::uint64_t dropped = 0;  ///< came while the viewer had not taken the one before
  std::uint64_t bytes = 0;
  double fps = 0;
  bool blocked = false;
  std::string filter;              ///< its name; "": none
  std::string variant;             ///< VariantKey::name(); "": as the camera's pictures come
  bool automatic = false;          ///< quality=auto
  int quality_percent = 0;         ///< of its variant; 0: not asked for
  std::optional<jpeg::Size> size;  ///< of what it gets now; nothing for a wall, and before the first frame
};

/// What viewers share with the server, and what it counts when they have gone.
class ViewerList {
 public:
  struct Totals {
    std::uint64_t sent = 0;
    std::uint64_t dropped = 0;
    std::uint64_t bytes = 0;
  };
  class Entry {
   public:
    explicit Entry(ViewerList& list);
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    virtual ~Entry();
    [[nodiscard]] virtual ViewerFigures figures() const = 0;
    [[nodiscard]] std::uint64_t id() const { return id_; }

   protected:
    ViewerList& list_;

   private:
    std::uint64_t id_;
  };
  [[nodiscard]] const std::vector<Entry*>& entries() const { return entries_; }
  [[nodiscard]] Totals& totals() { return totals_; }
  [[nodiscard]] const Totals& totals() const { return totals_; }

 private:
  std::vector<Entry*> entries_;
  std::uint64_t next_id_ = 1;
  Totals totals_;
};

/// One viewer of one camera. Busy with a frame it takes no other; free again, it takes the newest. With AutoQuality it
/// goes from one variant to another, between two frames, and never to an older one.
class StreamViewer final : public http::Body, public Subscriber, public ViewerList::Entry {
 public:
  StreamViewer(Loop& loop, const Clock& clock, http::Connection& connection, std::unique_ptr<Feed> feed,
               ViewerList& list, FramingMode mode, double fps, std::optional<AutoQuality> automatic);
  ~StreamViewer() override;

  void writable() override;
  bool finish() override;
  void frame_arrived() override;
  void hub_closed() override;
  [[nodiscard]] ViewerFigures figures() const override;

 private:
  void take_newest();
  void push();
  void judge();
  void follow_level();
  void drop(std::uint64_t frames);

  const Clock& clock_;
  http::Connection& connection_;
  const std::unique_ptr<Feed> feed_;
  const FramingMode mode_;
  Pacer pacer_;
  std::optional<AutoQuality> automatic_;
  Sending sending_;
  bool ready_ = false;  // the head is out
  bool finishing_ = false;
  bool awaits_last_ = false;       // and then it closes
  std::uint64_t last_index_ = 0;   // in the hub that it watches; 0: it has had nothing from it yet
  std::uint64_t last_origin_ = 0;  // in the camera's
  std::uint64_t dropped_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t bytes_ = 0;
  mutable RateMeter rate_;
  Timer late_timer_;
};

/// Several cameras over one connection: one slot for each, in turn, and figures once a second in between.
class WallViewer final : public http::Body, public ViewerList::Entry {
 public:
  /// `figures` gives the JSON of the server's figures; the viewer's own go in as `"viewer":{...}`.
  using FiguresJson = std::function<std::string(const std::string& viewer_json)>;
  /// `names`: which cameras, in their order; none: all that there are, also those that come later.
  /// `filter`: whose frames, of every camera. `key`: in which quality and size; `automatic`: the quality of all follows
  /// how fast this viewer takes the frames of all. A camera that has no room for one more variant is shown as it comes.
  WallViewer(Loop& loop, const Clock& clock, http::Connection& connection, const CameraList& cameras, VariantPool& pool,
             const VariantKey& key, bool automatic, FilterWish filter, std::vector<std::string> names, ViewerList& list,
             double fps, FiguresJson figures_json);
  ~WallViewer() override;

  void writable() override;
  bool finish() override;
  [[nodiscard]] ViewerFigures figures() const override;

 private:
  struct Slot final : public Subscriber {
    Slot(WallViewer& owner, Camera& watched);
    ~Slot() = default;
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;
    void frame_arrived() override {
      wall.judge();
      wall.go_on();
    }
    void hub_closed() override { wall.place_cameras(); }
    WallViewer& wall;
    Pacer pacer;
    std::uint64_t last_index = 0;
    std::uint64_t last_origin = 0;
    std::uint64_t sent = 0;
    std::uint64_t dropped = 0;
    Feed feed;  // the first to go: it tells the slot
  };
  void place_cameras();
  void measure_anew();
  void judge();
  [[nodiscard]] VariantKey wanted_key() const { return measured_ ? measured_->key() : key_; }
  void go_on();
  bool begin_next();
  [[nodiscard]] std::string own_json() const;

  Loop& loop_;
  const Clock& clock_;
  http::Connection& connection_;
  FiguresJson figures_json_;
  const CameraList& cameras_;
  VariantPool& pool_;
  const VariantKey key_;
  const bool automatic_;
  const FilterWish filter_;
  std::optional<AutoQuality> measured_;  // of all slots together, while automatic_
  const std::vector<std::string> names_;
  const double fps_;
  std::uint64_t placed_ = 0;  // what cameras_.changes() said then
  std::vector<std::shared_ptr<Slot>> slots_;
  std::size_t turn_ = 0;
  Sending sending_;
  std::shared_ptr<Slot> sending_slot_;  // whose frame that is, though its camera may have gone
  std::string text_;                    // a figures part on its way
  std::size_t text_at_ = 0;
  bool figures_due_ = true;
  bool ready_ = false;
  bool finishing_ = false;
  std::uint64_t bytes_ = 0;
  mutable RateMeter rate_;
  Timer figures_timer_;
  Timer late_timer_;
};

}  // namespace fp
