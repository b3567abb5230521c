#include "mqtt/subscriber.h"

#include "mqtt/received.h"

namespace fp::mqtt {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMostCameras = 1024;
constexpr std::size_t kHeaderRoom = 128u << 10;  // topic, properties and the headers of a frame
// A frame that is older than the one before by more than this is of a source whose clock was set, not a late one.
constexpr auto kLate = 60s;

std::string filter_of(const Subscriber::Options& options, const std::string& name) {
  const std::string topic = options.url.topic(name, "frame");
  return options.share.empty() ? topic : "$share/" + options.share + "/" + topic;
}

}  // namespace

Subscriber::Subscriber(Options options, const Clock& clock, Report report)
    : options_(std::move(options)), clock_(clock), skip_reporter_(options_.url.text(), std::move(report)) {}

Result<std::unique_ptr<Subscriber>> Subscriber::open(Options options, const Clock& clock, Report report) {
  auto made = std::make_unique<Subscriber>(std::move(options), clock, report);
  const Options& given = made->options_;
  Client::Options wanted;
  wanted.url = given.url;
  wanted.protocol = given.protocol;
  wanted.tls = given.tls;
  wanted.subscription_qos = given.qos;
  wanted.max_packet_bytes = given.max_frame_bytes + kHeaderRoom;
  for (const std::string& name : given.url.names) wanted.subscriptions.push_back(filter_of(given, name));
  wanted.receive = [subscriber = made.get()](const Incoming& message) { subscriber->receive(message); };
  auto link = Link::make(wanted, report);
  if (!link) return fail(std::move(link).error());
  made->link_ = std::move(*link);
  made->link_->start();
  return made;
}

Wait Subscriber::wait() const { return {arrived_.fd(), false, std::nullopt, 0}; }

void Subscriber::receive(const Incoming& message) {
  const WallTime now = clock_.wall();
  Skips skips;
  const auto name = name_in(message.topic, options_.url.prefix, "frame");
  std::optional<Received> received;
  if (name) received = read_payload(message.payload, now, options_.max_frame_bytes, skips);

  const std::lock_guard lock(mutex_);
  figures_.bytes += message.payload.size();
  figures_.skips += skips;
  skip_reporter_.update(figures_.skips, clock_.steady());
  if (!name || (cameras_.size() >= kMostCameras && !cameras_.contains(*name))) {
    ++figures_.foreign;
    return;
  }
  if (!received) return;
  ++figures_.frames;
  const std::string key(*name);
  Camera& camera = cameras_[key];
  Frame& frame = received->frame;
  const bool again = camera.seen > 0 && received->dated && camera.dated && frame.captured <= camera.captured &&
                     camera.captured - frame.captured < kLate &&
                     (message.retained || !received->numbered || frame.sequence <= camera.sequence);
  // A kept frame without a time, behind others, is one of those or older.
  if (again || (message.retained && !received->dated && camera.seen > 0)) {
    ++figures_.late;
    return;
  }
  if (!received->numbered) frame.sequence = camera.count++;
  frame.camera = key;
  if (message.retained && frame.signal == Signal::Live && (!received->dated || now - frame.captured > options_.fresh)) {
    frame.signal = Signal::Held;
  }
  ++camera.seen;
  camera.captured = frame.captured;
  camera.sequence = frame.sequence;
  camera.dated = received->dated;
  keep(camera, key, std::move(frame));
}

void Subscriber::keep(Camera& camera, const std::string& name, Frame frame) {
  if (camera.waiting) {
    ++figures_.superseded;
    waiting_bytes_ -= camera.waiting->jpeg.size();
  } else {
    camera.turn = turns_.insert(turns_.end(), name);
  }
  waiting_bytes_ += frame.jpeg.size();
  camera.waiting = std::make_shared<const Frame>(std::move(frame));
  while (waiting_bytes_ > options_.max_waiting_bytes && turns_.size() > 1) drop_oldest();
  arrived_.raise();
}

void Subscriber::drop_oldest() {
  Camera& camera = cameras_.find(turns_.front())->second;
  ++figures_.superseded;
  waiting_bytes_ -= camera.waiting->jpeg.size();
  camera.waiting.reset();
  turns_.pop_front();
}

FramePtr Subscriber::advance() {
  const std::lock_guard lock(mutex_);
  if (turns_.empty()) {
    arrived_.lower();
    return nullptr;
  }
  Camera& camera = cameras_.find(turns_.front())->second;
  turns_.pop_front();
  if (turns_.empty()) arrived_.lower();
  FramePtr frame = std::move(camera.waiting);
  waiting_bytes_ -= frame->jpeg.size();
  return frame;
}

std::uint64_t Subscriber::superseded() const {
  const std::lock_guard lock(mutex_);
  return figures_.superseded;
}

Subscriber::Figures Subscriber::figures() const {
  const std::lock_guard lock(mutex_);
  return figures_;
}

std::string Subscriber::describe() const {
  const std::lock_guard lock(mutex_);
  std::string text = std::to_string(figures_.frames) + " frames of " + std::to_string(cameras_.size()) + " cameras, " +
                     std::to_string(figures_.superseded) + " dropped for newer ones";
  if (figures_.late > 0) text += ", " + std::to_string(figures_.late) + " came too late";
  if (figures_.foreign > 0) text += ", " + std::to_string(figures_.foreign) + " of no camera";
  if (const std::string skipped = figures_.skips.describe(); !skipped.empty()) text += ", skipped " + skipped;
  const std::string trouble = link_ ? link_->trouble() : "";
  return trouble.empty() ? text : text + "; not connected: " + trouble;
}

}  // namespace fp::mqtt
