// A camera's pictures as a filter makes them, for all who want them so.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "frame/pacer.h"
#include "hub/hub.h"
#include "serve/filter.h"
#include "serve/variants.h"

namespace fp {

/// What a filter made of a camera's frame.
struct FilterRun {
  FramePtr frame;
  std::chrono::nanoseconds took{0};
  bool looked = false;  ///< it has X-Detections that the camera's frame did not have
};
using FilterRunResult = tl::expected<FilterRun, FilterError>;

/// Asks a filter about the newest frame of a camera while somebody wants frames, one question at a time, and shows the
/// answers in a hub of its own. When it fails and has given nothing for longer than `stale` (0: never), it shows a card
/// that says why: a picture that is old must not pass for a live one. Cards of the camera, and the last frame again
/// when none is coming, are shown as the camera's hub shows them; of the last frame its filtered picture, when there is
/// one. Packets keep the origin that they have there. Lives as long as somebody holds it. One thread.
class FilteredCamera final : public Subscriber, public std::enable_shared_from_this<FilteredCamera> {
 public:
  /// Shares `source`, the camera's hub, and whatever owns it. `overlay` as FilterOrder has it. The filter lives longer.
  FilteredCamera(const Clock& clock, std::shared_ptr<Hub> source, Filter& filter, std::string overlay,
                 std::chrono::milliseconds stale, Report report);
  FilteredCamera(const FilteredCamera&) = delete;
  FilteredCamera& operator=(const FilteredCamera&) = delete;
  ~FilteredCamera();

  [[nodiscard]] Hub& hub() const { return *hub_; }
  [[nodiscard]] const Filter& filter() const { return filter_; }
  [[nodiscard]] const std::string& overlay() const { return overlay_; }
  /// Its pictures in another quality or size. Errors: those of CameraVariants::get().
  [[nodiscard]] Result<std::shared_ptr<Variant>> variant(VariantPool& pool, const VariantKey& key);

  /// A viewer comes, for frames that its pacer lets pass; without any, nothing is asked but for Once.
  void join(const Pacer& pacer);
  void leave(const Pacer& pacer);

  /// Somebody who wants one frame. Not told any more once destroyed.
  class Once {
   public:
    using Told = std::function<void(const FilterRunResult&)>;
    /// `told` is called once, from the loop, with the run on a frame whose packet has an index above `beyond`. One that
    /// was captured before `not_before` is passed over for the next one, once: it was on its way when it was asked for;
    /// a clock that is behind is no reason to wait for ever.
    Once(FilteredCamera& camera, std::uint64_t beyond, std::optional<WallTime> not_before, Told told);
    Once(const Once&) = delete;
    Once& operator=(const Once&) = delete;
    ~Once();

   private:
    friend class FilteredCamera;
    std::shared_ptr<FilteredCamera> camera_;
    [[nodiscard]] bool takes(std::uint64_t origin, WallTime captured);
    std::uint64_t beyond_;
    std::optional<WallTime> not_before_;
    std::uint64_t passed_over_ = 0;  // the origin of the frame that was; 0: none was
    Told told_;                      // empty: has been
  };

  void frame_arrived() override;
  void hub_closed() override;
  void hub_cleared() override;

 private:
  void consider();
  [[nodiscard]] bool wanted();
  [[nodiscard]] FramePtr fetch();
  void done(FilterResult result);
  void tell(const FilterRunResult& result, std::uint64_t origin);
  void pass_on(const Packet& packet);
  void shown();
  void show_failure(const FilterError& error);

  const Clock& clock_;
  const std::shared_ptr<Hub> source_;
  Filter& filter_;
  const std::string overlay_;
  const std::chrono::milliseconds stale_;
  const std::unique_ptr<Hub> hub_;
  CameraVariants variants_;
  std::vector<const Pacer*> pacers_;
  std::list<Once*> once_;
  std::unique_ptr<Filter::Question> question_;
  std::uint64_t taken_ = 0;  // the origin of the last frame that was asked about
  WallTime taken_captured_{};
  std::uint64_t shown_ = 0;  // up to this origin nothing is shown any more
  bool closed_ = false;
  FramePtr asked_;         // that frame, and
  FramePtr answered_;      // what became of it; nullptr: nothing yet
  SteadyTime shown_at_;    // when a picture was, last
  std::string card_text_;  // what our card says; "": another picture is shown
  Timer late_timer_;
};

/// The filtered pictures of one camera that somebody wants.
class CameraFilters {
 public:
  CameraFilters(const Clock& clock, std::chrono::milliseconds stale, Report report)
      : clock_(clock), stale_(stale), report_(std::move(report)) {}
  /// Found or made.
  [[nodiscard]] std::shared_ptr<FilteredCamera> get(const std::shared_ptr<Hub>& source, Filter& filter,
                                                    const std::string& overlay);
  [[nodiscard]] std::vector<std::shared_ptr<FilteredCamera>> all() const;

 private:
  const Clock& clock_;
  const std::chrono::milliseconds stale_;
  const Report report_;
  std::map<std::pair<const Filter*, std::string>, std::weak_ptr<FilteredCamera>> filtered_;
};

}  // namespace fp
