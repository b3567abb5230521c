#include "serve/events.h"

namespace fp {

EventsViewer::EventsViewer(Loop& loop, http::Connection& connection, std::function<std::string()> figures_json,
                           DetectionBoard& board, std::string camera, http::RightsPtr rights)
    : connection_(connection),
      figures_json_(std::move(figures_json)),
      board_(board),
      camera_(std::move(camera)),
      rights_(std::move(rights)),
      seen_(board.newest()),
      timer_(loop, [this] {
        board_.look_again();
        due_ = true;
        if (ready_) push();
      }) {
  board_.attach(*this);
  timer_.every(std::chrono::seconds(1));
}

EventsViewer::~EventsViewer() { board_.detach(*this); }

void EventsViewer::writable() {
  ready_ = true;
  blocked_ = false;
  push();
}

void EventsViewer::detections_arrived() {
  if (ready_ && !blocked_) push();
}

bool EventsViewer::begin_next() {
  text_.clear();
  at_ = 0;
  if (due_) {
    due_ = false;
    text_ = "event: figures\ndata: " + figures_json_() + "\n\n";
    return true;
  }
  while (const DetectionBoard::Note* note = board_.next(seen_, camera_)) {
    seen_ = note->index;
    if (!http::may_see(rights_, note->camera)) continue;
    text_ = "event: detections\ndata: " + *note->json + "\n\n";
    break;
  }
  return !text_.empty();
}

void EventsViewer::push() {
  while (at_ < text_.size() || begin_next()) {
    const iovec piece{text_.data() + at_, text_.size() - at_};
    const auto sent = connection_.send({&piece, 1});
    if (!sent) return;
    if (*sent == 0) {
      blocked_ = true;
      return connection_.wait_writable();
    }
    at_ += *sent;
  }
}

}  // namespace fp
