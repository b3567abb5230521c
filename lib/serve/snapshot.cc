#include "serve/snapshot.h"

#include "base/text.h"

namespace fp {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 10s;
constexpr std::size_t kMostDetectionsBytes = 4096;  // design, section 1: as a response header

// The capture time tells a restarted source's sequence 5 from the one before.
std::string etag_of(const Frame& frame) {
  return "\"" + std::to_string(frame.sequence) + "-" + std::to_string(frame.captured.time_since_epoch().count()) + "\"";
}

}  // namespace

bool satisfies(const Camera& camera, const PacketPtr& packet, const SnapshotWish& wish, WallTime now) {
  if (!packet || !camera.fresh()) return false;
  if (wish.max_age && now - packet->frame().captured > *wish.max_age) return false;
  return !wish.after || packet->frame().sequence > *wish.after;
}

http::Response snapshot_response(const Camera& camera, const Packet& packet, const SnapshotWish& wish) {
  const Frame& frame = packet.frame();
  http::Response response;
  const std::string etag = etag_of(frame);
  response.headers.emplace_back("ETag", etag);
  const auto age = std::chrono::duration_cast<std::chrono::seconds>(camera.frame_age()).count();
  response.headers.emplace_back("Age", std::to_string(age));
  for (const std::string_view known : split(wish.known_etag, ',')) {
    if (trim(known) == etag || trim(known) == "*") {
      response.status = 304;
      return response;
    }
  }
  const std::string lines = x_headers(frame, {.camera = camera.name(), .trace = {}});
  for (const std::string_view line : split(lines, '\n')) {
    const auto colon = line.find(": ");
    if (colon == std::string_view::npos) continue;
    if (equal_ignoring_case(line.substr(0, colon), "X-Detections") && line.size() > kMostDetectionsBytes) continue;
    response.headers.emplace_back(std::string(line.substr(0, colon)), std::string(trim(line.substr(colon + 2))));
  }
  response.content_type = "image/jpeg";
  response.blob = frame.jpeg;
  return response;
}

http::Response no_snapshot(const Camera& camera) {
  std::string text = "camera " + camera.name() + ": ";
  const std::string reason = camera.reason();
  text += reason.empty() ? "no frame that is as fresh as asked for came in time" : reason;
  http::Response response = http::error_response(503, text);
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

SnapshotWaiter::SnapshotWaiter(Loop& loop, const Clock& clock, http::Connection& connection, Camera& camera,
                               SnapshotWish wish, Answer answer)
    : clock_(clock),
      connection_(connection),
      watch_(camera),
      wish_(std::move(wish)),
      answer_(std::move(answer)),
      give_up_(loop, [this] {
        answered_ = true;
        answer_(connection_, no_snapshot(watch_.camera()));
      }) {
  camera.hub().attach(*this);
  give_up_.once(kPatience);
}

SnapshotWaiter::~SnapshotWaiter() { watch_.camera().hub().detach(*this); }

void SnapshotWaiter::frame_arrived() {
  const PacketPtr& newest = watch_.camera().hub().newest_frame();
  if (answered_ || !satisfies(watch_.camera(), newest, wish_, clock_.wall())) return;
  answered_ = true;
  give_up_.cancel();
  answer_(connection_, snapshot_response(watch_.camera(), *newest, wish_));
}

void SnapshotWaiter::hub_closed() {
  if (answered_) return;
  answered_ = true;
  give_up_.cancel();
  answer_(connection_, http::error_response(404, "camera " + watch_.camera().name() + " has been removed"));
}

}  // namespace fp
