// Server-sent events: the figures and the detections, as they come.
#pragma once

#include <functional>
#include <string>

#include "http/access.h"
#include "http/connection.h"
#include "loop/loop.h"
#include "serve/detection_board.h"

namespace fp {

/// Sends `event: figures` once a second and `event: detections` for frames in which something was detected (HTML
/// standard, section 9.2). A reader that is slow gets the newest figures, and of each camera the newest detections,
/// never older ones.
class EventsViewer final : public http::Body, public DetectionBoard::Reader {
 public:
  /// `camera`: detections of this one only, or of all: "", that `rights` let see. The board lives longer.
  EventsViewer(Loop& loop, http::Connection& connection, std::function<std::string()> figures_json,
               DetectionBoard& board, std::string camera, http::RightsPtr rights);
  EventsViewer(const EventsViewer&) = delete;
  EventsViewer& operator=(const EventsViewer&) = delete;
  ~EventsViewer() override;
  void writable() override;
  bool finish() override { return at_ >= text_.size(); }
  void detections_arrived() override;

 private:
  void push();
  bool begin_next();
  http::Connection& connection_;
  std::function<std::string()> figures_json_;
  DetectionBoard& board_;
  const std::string camera_;
  const http::RightsPtr rights_;
  std::uint64_t seen_;  // of the board's notes
  std::string text_;
  std::size_t at_ = 0;
  bool due_ = true;
  bool ready_ = false;
  bool blocked_ = false;
  Timer timer_;
};

}  // namespace fp
