// /detect_once: what a filter makes of one frame, a camera's newest or one that was posted.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "http/connection.h"
#include "http/message.h"
#include "loop/loop.h"
#include "serve/camera.h"
#include "serve/filter_list.h"

namespace fp {

enum class DetectForm { Json, Picture };
/// The picture when an Accept header names image/jpeg or image/*: what an <img> or a program asks for.
[[nodiscard]] DetectForm detect_form(std::optional<std::string_view> accept);

/// The answer, or 422 when the filter says that it could not work on the picture. One that has not looked (its gate is
/// closed) has found nothing, not even that nothing is there: "looked":false in place of "objects". `camera`: "" for
/// one that was posted.
[[nodiscard]] http::Response detect_response(const std::string& camera, const std::string& filter, const FilterRun& run,
                                             WallTime now, DetectForm form);
/// 503 or 504 with Retry-After.
[[nodiscard]] http::Response detect_error(const FilterError& error);
/// A JPEG that somebody sent, as a frame of no camera. Errors: Malformed.
[[nodiscard]] Result<FramePtr> posted_frame(ByteView body, WallTime now);

/// Waits for a run on a frame that came after it was asked for; where none comes, on the newest if it is fresh.
class DetectOnce final : public http::Body {
 public:
  using Answer = std::function<void(http::Connection&, http::Response)>;
  DetectOnce(const Clock& clock, http::Connection& connection, Camera& camera, const FilterWish& wish, DetectForm form,
             Answer answer);
  void writable() override {}
  bool finish() override { return true; }
  bool leaves_with_input() const override { return true; }  // a filter has more to do

 private:
  void waited();
  void ask(std::uint64_t beyond, std::optional<WallTime> not_before);
  void respond(http::Response response);

  const Clock& clock_;
  http::Connection& connection_;
  const bool slept_;  // the camera, until it was asked for
  Camera::Watch watch_;
  const std::shared_ptr<FilteredCamera> filtered_;
  const DetectForm form_;
  const Answer answer_;
  std::uint64_t newest_then_;  // the index of the newest packet when it was asked for
  bool answered_ = false;
  std::unique_ptr<FilteredCamera::Once> once_;
  Timer wait_;
};

/// Asks about one frame.
class DetectPosted final : public http::Body {
 public:
  DetectPosted(const Clock& clock, http::Connection& connection, const FramePtr& frame, const FilterWish& wish,
               DetectForm form, DetectOnce::Answer answer);
  void writable() override {}
  bool finish() override { return true; }
  bool leaves_with_input() const override { return true; }  // a filter has more to do

 private:
  const Clock& clock_;
  http::Connection& connection_;
  const std::string filter_;
  const DetectForm form_;
  const DetectOnce::Answer answer_;
  std::unique_ptr<Filter::Question> question_;
};

}  // namespace fp
