// Server-sent events: the figures, as they come.
#pragma once

#include <functional>
#include <string>

#include "http/connection.h"
#include "loop/loop.h"

namespace fp {

/// Sends `event: figures` once a second (HTML standard, section 9.2). A reader that is slow gets the newest figures,
/// never older ones.
class EventsViewer final : public http::Body {
 public:
  EventsViewer(Loop& loop, http::Connection& connection, std::function<std::string()> figures_json);
  void writable() override;
  bool finish() override { return at_ >= text_.size(); }

 private:
  void push();
  http::Connection& connection_;
  std::function<std::string()> figures_json_;
  std::string text_;
  std::size_t at_ = 0;
  bool due_ = true;
  bool ready_ = false;
  Timer timer_;
};

}  // namespace fp
