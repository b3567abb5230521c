#include "serve/camera.h"

#include <ctime>

#include <algorithm>
#include <array>

#include "jpeg/hygiene.h"
#include "serve/card_frame.h"

namespace fp {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostClosing = 3;  // children that are told to end and have not
// An on-demand source that has not shown anything by then gets a card.
constexpr auto kStarting = 1s;

std::string local_time(WallTime time) {
  const std::time_t seconds = std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
  std::tm local{};
  ::localtime_r(&seconds, &local);
  std::array<char, 40> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S", &local);
  return text.data();
}

}  // namespace

const char* name_of(CameraStatus status) {
  switch (status) {
    case CameraStatus::Live:
      return "live";
    case CameraStatus::Waiting:
      return "waiting";
    case CameraStatus::Stalled:
      return "stalled";
    case CameraStatus::Reconnecting:
      return "reconnecting";
    case CameraStatus::Idle:
      return "idle";
    case CameraStatus::Stopped:
      return "stopped";
  }
  return "";
}

Camera::Camera(Loop& loop, const Clock& clock, CameraOptions camera, const ServeOptions& options,
               std::string next_headers, Report report, std::function<void()> changed)
    : clock_(clock),
      camera_(std::move(camera)),
      options_(options),
      report_(std::move(report)),
      changed_(std::move(changed)),
      hub_(camera_.name, std::move(next_headers), clock),
      variants_(clock, camera_.name, report_),
      filters_(clock, options_.stale, report_),
      watch_(loop, [this](int) { turn(); }),
      timer_(loop, [this] { turn(); }),
      idle_timer_(loop, [this] { stop(); }),
      check_timer_(loop, [this] { check(); }) {
  if (options_.trace) hub_.trace(*options_.trace);
  if (!camera_.on_demand) start();
  check_timer_.every(500ms);
  show_card();
}

Camera::~Camera() {
  watch_.watch(-1, 0);
  if (input_) input_->close(500ms);
  for (const auto& input : closing_) input->close(0ms);
}

Result<std::shared_ptr<Variant>> Camera::variant(VariantPool& pool, const VariantKey& key) {
  // The variant keeps the hub that it reads, and so all of the camera.
  return variants_.get(pool, std::shared_ptr<Hub>(shared_from_this(), &hub_), key);
}

std::shared_ptr<FilteredCamera> Camera::filtered(Filter& filter, const std::string& overlay) {
  return filters_.get(std::shared_ptr<Hub>(shared_from_this(), &hub_), filter, overlay);
}

void Camera::start() {
  idle_timer_.cancel();
  if (input_) return;
  Input::Options options;
  options.max_frame_bytes = options_.max_frame_bytes;
  options.http = camera_.source.http;
  options.frame_timeout = camera_.source.frame_timeout;
  if (camera_.source.by_camgrab) {
    options.exec_input = camera_.source.secret;
    options.exec_errors = [](const std::string& line) { return line; };
  }
  auto input = Input::open(camera_.source.endpoint, std::move(options), clock_, report_);
  if (!input) throw failure_of(std::move(input).error().in("camera " + camera_.name));
  input_ = std::make_unique<Input>(std::move(*input));
  started_ = clock_.steady();
  usual_interval_ = 0ns;
  trouble_.clear();
  arm();
}

void Camera::stop() {
  if (!input_) return;
  watch_.watch(-1, 0);
  timer_.cancel();
  figures_before_.superseded += input_->figures().superseded;
  figures_before_.opened += input_->figures().opened;
  figures_before_.lost += input_->figures().lost;
  skips_before_ += input_->skips();
  input_->begin_close();
  closing_.push_back(std::move(input_));
  show_card();
}

void Camera::set_stopped(bool stopped) {
  if (stopped == stopped_) return;
  if (!stopped && closing_.size() >= kMostClosing) {
    throw Failure{Exit::Unavailable, "camera " + camera_.name + ": what it ran has not ended yet: try again"};
  }
  if (stopped) {
    stopped_ = true;
    idle_timer_.cancel();
    if (camera_.source.own()) stop();
  } else {
    if (!camera_.on_demand || watchers_ > 0) start();
    stopped_ = false;
  }
  show_card();
}

void Camera::take_source(Camera& other) {
  stop();
  camera_.source = other.camera_.source;
  camera_.on_demand = other.camera_.on_demand;
  stopped_ = false;
  other.watch_.watch(-1, 0);
  other.timer_.cancel();
  input_ = std::move(other.input_);
  started_ = other.started_;
  usual_interval_ = 0ns;
  card_text_.clear();
  if (!input_) return show_card();
  arm();
  if (other.hub_.newest_frame()) hub_.publish(other.hub_.newest_frame()->frame_ptr());
  if (camera_.on_demand && watchers_ == 0) idle_timer_.once(options_.idle);
}

void Camera::retire() {
  retired_ = true;
  idle_timer_.cancel();
  stop();
  hub_.close();
}

void Camera::arm() {
  const Producer::Wait wait = input_->wait();
  watch_.watch(wait.fd, wait.write ? IoWatch::kWrite : IoWatch::kRead, /*reopened=*/wait.generation != generation_);
  generation_ = wait.generation;
  if (wait.until) {
    timer_.once(std::max<std::chrono::nanoseconds>(*wait.until - clock_.steady(), 0ns));
  } else {
    timer_.cancel();
  }
}

void Camera::turn() {
  FramePtr frame = input_->advance();
  if (frame && stopped_) {
    ++ignored_;
  } else if (frame) {
    if (jpeg::lacks_huffman_tables(frame->picture)) {
      // As a source would have done it: Safari paints nothing without.
      Frame whole = *frame;
      whole.jpeg = jpeg::with_huffman_tables(frame->jpeg, frame->picture);
      frame = std::make_shared<const Frame>(std::move(whole));
    }
    if (frame->signal != Signal::Card) {
      card_text_.clear();
      // A pause is no interval: it would hide a stall for as long again.
      if (hub_.newest_frame()) {
        const auto interval = std::min<std::chrono::nanoseconds>(clock_.steady() - hub_.arrived(), 60s);
        if (hub_.arrived() >= started_) usual_interval_ += (interval - usual_interval_) / 8;
      }
    }
    hub_.publish(std::move(frame));
  }
  if (!input_) return;  // a viewer's doing
  arm();
  if (input_->ended()) {
    watch_.watch(-1, 0);
    timer_.cancel();
    if (changed_) changed_();
  }
}

void Camera::check() {
  std::erase_if(closing_, [](const auto& input) { return input->closed(); });
  try_again();
  show_last_again();
  show_card();
}

// It could be opened or not. Watched, it is tried again now and then; else its next viewer does.
void Camera::could_not_start(const std::string& why) {
  if (report_ && trouble_ != why) report_(Severity::Warning, why);
  trouble_ = why;
  started_ = clock_.steady();
  show_card();
}

void Camera::try_again() {
  if (trouble_.empty() || input_ || stopped_ || retired_ || watchers_ == 0 || clock_.steady() - started_ < 2s) return;
  try {
    start();
  } catch (const Failure& failure) {
    could_not_start(failure.text);
  }
}

// So that viewers know that the connection lives and the picture does not; when it has grown stale they get a card.
void Camera::show_last_again() {
  if (!input_ || status() == CameraStatus::Live || options_.stale.count() == 0 || !fresh()) return;
  const SteadyTime now = clock_.steady();
  if (now - shown_again_ < 900ms) return;
  shown_again_ = now;
  card_text_.clear();  // it is covered now
  auto held = std::make_shared<Frame>(hub_.newest_frame()->frame());
  held->signal = Signal::Held;
  hub_.show(std::move(held));
}

CameraStatus Camera::status() const {
  if (stopped_) return CameraStatus::Stopped;
  if (!input_) return trouble_.empty() || watchers_ == 0 ? CameraStatus::Idle : CameraStatus::Reconnecting;
  if (input_->ended()) return hub_.newest_frame() ? CameraStatus::Stalled : CameraStatus::Waiting;
  if (input_->state() != Input::State::Open) {
    const bool before = input_->figures().opened > 0 || !input_->endpoint().listens();
    return before ? CameraStatus::Reconnecting : CameraStatus::Waiting;
  }
  if (!hub_.newest_frame()) return CameraStatus::Waiting;
  if (hub_.newest_frame()->frame().signal != Signal::Live || !fresh()) return CameraStatus::Stalled;
  // Three seconds without a frame are a stall, but for a camera that is slow anyway.
  const auto since = clock_.steady() - hub_.arrived();
  return since > std::max<std::chrono::nanoseconds>(3s, 4 * usual_interval_) ? CameraStatus::Stalled
                                                                             : CameraStatus::Live;
}

std::string Camera::reason() const {
  if (ended()) return "the input has ended";
  switch (status()) {
    case CameraStatus::Live:
      return "";
    case CameraStatus::Idle:
      return "starts with its first viewer";
    case CameraStatus::Stopped:
      return "has been stopped";
    case CameraStatus::Reconnecting:
      return trouble();
    case CameraStatus::Waiting:
      return input_->state() == Input::State::Open ? "waiting for the first frame" : input_->trouble();
    case CameraStatus::Stalled:
      return "no new frame since " + local_time(hub_.newest_frame()->frame().captured);
  }
  return "";
}

bool Camera::fresh() const {
  const PacketPtr& newest = hub_.newest_frame();
  if (stopped_ || !newest || newest->frame().signal != Signal::Live) return false;
  if (options_.stale.count() == 0) return true;
  return frame_age() <= options_.stale && clock_.steady() - hub_.arrived() <= options_.stale;
}

std::chrono::nanoseconds Camera::frame_age() const {
  const auto age = clock_.wall() - hub_.newest_frame()->frame().captured;
  return std::max<std::chrono::nanoseconds>(age, 0ns);
}

std::uint64_t Camera::superseded() const {
  return figures_before_.superseded + (input_ ? input_->figures().superseded : 0);
}
std::uint64_t Camera::opened() const { return figures_before_.opened + (input_ ? input_->figures().opened : 0); }
std::uint64_t Camera::lost() const { return figures_before_.lost + (input_ ? input_->figures().lost : 0); }
Skips Camera::skips() const {
  Skips all = skips_before_;
  if (input_) all += input_->skips();
  return all;
}

// A picture that is old must not pass for a live one: <img> has no other way to tell.
void Camera::show_card() {
  const PacketPtr& newest = hub_.newest_frame();
  std::string title = "NO SIGNAL";
  std::string line;
  if (stopped_) {
    title = "STOPPED";
  } else if (!input_ && !trouble_.empty() && watchers_ > 0) {
    title = "NOT CONNECTED";
  } else if (!input_) {
    // Nobody looks. Whoever comes gets the first frame, which is not far: a card would only be in its way.
    hub_.clear();
    card_text_.clear();
    return;
  } else {
    const bool held = newest && newest->frame().signal == Signal::Held;
    if (newest && (held || fresh())) return;
    if (camera_.on_demand && clock_.steady() - started_ < kStarting) return;
    if (!newest) {
      title = input_->state() == Input::State::Open ? "WAITING FOR THE FIRST FRAME" : "NOT CONNECTED";
    } else {
      line = "LAST FRAME " + local_time(newest->frame().captured);
    }
  }
  if (card_text_ == title + line) return;
  card_text_ = title + line;
  const std::vector<std::string> lines = line.empty() ? std::vector{camera_.name} : std::vector{camera_.name, line};
  if (auto card = card_frame(encoder_, newest ? &newest->frame() : nullptr, title, lines, clock_.wall())) {
    hub_.show(std::move(card));
  }
}

Camera::Watch::Watch(Camera& camera) : camera_(camera.shared_from_this()) {
  ++camera.watchers_;
  if (camera.input_) {
    camera.idle_timer_.cancel();
    return;
  }
  if (camera.stopped_ || camera.retired_) return;
  try {
    camera.start();
  } catch (const Failure& failure) {
    camera.could_not_start(failure.text);
  }
}

Camera::Watch::~Watch() {
  if (--camera_->watchers_ == 0 && camera_->camera_.on_demand) camera_->idle_timer_.once(camera_->options_.idle);
}

}  // namespace fp
