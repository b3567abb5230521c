// A camera that a page wants to add: on trial until its first frame.
#pragma once

#include <functional>
#include <memory>

#include "http/connection.h"
#include "hub/hub.h"
#include "loop/loop.h"
#include "serve/camera_list.h"

namespace fp {

/// Waits for the first frame of a camera that is not in the list yet. Then puts it there and answers; when its source
/// fails, or shows nothing within ten seconds, answers with the reason, and nothing is left of it.
class Addition final : public http::Body, public Subscriber {
 public:
  using Answer = std::function<void(http::Connection&, http::Response)>;
  /// `pending` counts the additions under way.
  Addition(Loop& loop, http::Connection& connection, CameraList& cameras, std::shared_ptr<Camera> camera,
           std::size_t& pending, Answer answer);
  ~Addition() override;
  void writable() override {}
  bool finish() override { return true; }
  void frame_arrived() override;

 private:
  void check();
  void refuse(const std::string& reason);

  http::Connection& connection_;
  CameraList& cameras_;
  std::shared_ptr<Camera> camera_;
  std::unique_ptr<Camera::Watch> watch_;
  std::size_t& pending_;
  Answer answer_;
  bool answered_ = false;
  bool put_ = false;  // in the list
  int checks_left_;
  Timer timer_;
};

/// {"status":"added","name":"..."}
[[nodiscard]] http::Response added_response(const std::string& name);

}  // namespace fp
