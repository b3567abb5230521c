#include "serve/addition.h"

#include "base/text.h"

namespace fp {
namespace {

using namespace std::chrono_literals;

constexpr auto kCheck = 50ms;
constexpr auto kPatience = 10s;

}  // namespace

http::Response added_response(const std::string& name) {
  return http::json_response(200, "{\"status\":\"added\",\"name\":\"" + json_escape(name) + "\"}");
}

Addition::Addition(Loop& loop, http::Connection& connection, CameraList& cameras, std::shared_ptr<Camera> camera,
                   std::size_t& pending, Answer answer)
    : connection_(connection),
      cameras_(cameras),
      camera_(std::move(camera)),
      watch_(std::make_unique<Camera::Watch>(*camera_)),
      pending_(pending),
      answer_(std::move(answer)),
      checks_left_(static_cast<int>(kPatience / kCheck)),
      timer_(loop, [this] { check(); }) {
  ++pending_;
  camera_->hub().attach(*this);
  timer_.every(kCheck);
}

Addition::~Addition() {
  --pending_;
  camera_->hub().detach(*this);
  if (!put_) cameras_.bury(camera_);
}

void Addition::frame_arrived() {
  const PacketPtr& newest = camera_->hub().newest_frame();
  if (answered_ || !newest || newest->frame().signal != Signal::Live) return;
  if (cameras_.find(camera_->name()) == nullptr && cameras_.all().size() >= CameraList::kMostCameras) {
    return refuse("no more cameras: there are enough");
  }
  answered_ = true;
  timer_.cancel();
  camera_->hub().detach(*this);
  watch_.reset();  // it has the viewers of the camera that it becomes, and none of its own
  put_ = true;
  cameras_.put(camera_);
  answer_(connection_, added_response(camera_->name()));
}

void Addition::check() {
  if (answered_) return;
  if (camera_->lost() > 0 || camera_->ended() || camera_->could_not_open()) return refuse(camera_->trouble());
  if (--checks_left_ <= 0) refuse("no frame within 10 s");
}

void Addition::refuse(const std::string& reason) {
  answered_ = true;
  timer_.cancel();
  const std::string& source = camera_->options().source.endpoint.text;
  std::string text = camera_->name() + ": ";
  if (reason.find(source) == std::string::npos) text += source + ": ";
  text += reason.empty() ? "it ended before a frame came" : reason;
  answer_(connection_, http::error_response(502, text));
}

}  // namespace fp
