#include "serve/events.h"

namespace fp {

EventsViewer::EventsViewer(Loop& loop, http::Connection& connection, std::function<std::string()> figures_json)
    : connection_(connection), figures_json_(std::move(figures_json)), timer_(loop, [this] {
        due_ = true;
        if (ready_) push();
      }) {
  timer_.every(std::chrono::seconds(1));
}

void EventsViewer::writable() {
  ready_ = true;
  push();
}

void EventsViewer::push() {
  for (;;) {
    if (at_ >= text_.size()) {
      if (!due_) return;
      due_ = false;
      text_ = "event: figures\ndata: " + figures_json_() + "\n\n";
      at_ = 0;
    }
    const iovec piece{text_.data() + at_, text_.size() - at_};
    const auto sent = connection_.send({&piece, 1});
    if (!sent) return;
    if (*sent == 0) return connection_.wait_writable();
    at_ += *sent;
  }
}

}  // namespace fp
