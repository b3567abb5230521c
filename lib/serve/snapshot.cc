#include "serve/snapshot.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace fp {
namespace {

using namespace std::chrono_literals;

constexpr auto kPatience = 10s;
constexpr std::size_t kMostHeaderBytes = 4096;       // design, section 1: of one, as a response header
constexpr std::size_t kMostHeadersBytes = 8u << 10;  // of all: proxies take no more
// What browsers and proxies obey (X-Accel-Redirect shows any file of nginx): no stranger's frame may say it in our
// name.
constexpr std::array<std::string_view, 14> kOrders = {
    "X-Accel-", "X-Sendfile",  "X-Lighttpd-", "X-LiteSpeed-", "X-Reproxy-",      "X-Frame-",     "X-Content-",
    "X-XSS-",   "X-Forwarded", "X-Real-IP",   "X-Robots-",    "X-DNS-Prefetch-", "X-Permitted-", "X-Download-"};

// The capture time tells a restarted source's sequence 5 from the one before.
std::string etag_of(const Frame& frame) {
  return "\"" + std::to_string(frame.sequence) + "-" + std::to_string(frame.captured.time_since_epoch().count()) + "\"";
}

}  // namespace

bool satisfies(const Camera& camera, const PacketPtr& packet, const SnapshotWish& wish, WallTime now) {
  if (!packet || !camera.fresh()) return false;
  if (wish.max_age && now - packet->frame().captured > *wish.max_age) return false;
  if (wish.beyond && packet->index() <= *wish.beyond) return false;
  const std::uint64_t sequence = packet->frame().sequence;
  if (!wish.after || sequence > *wish.after) return true;
  // The source has begun to count anew since: the number is of a frame before.
  return sequence < *wish.after && *wish.after <= camera.hub().highest_before();
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
  std::size_t bytes = 0;
  for (const std::string_view line : split(lines, '\n')) {
    const auto colon = line.find(": ");
    if (colon == std::string_view::npos || line.size() > kMostHeaderBytes) continue;
    const std::string_view name = line.substr(0, colon);
    const auto orders = [&](std::string_view prefix) { return starts_with_ignoring_case(name, prefix); };
    if (std::any_of(kOrders.begin(), kOrders.end(), orders) || bytes + line.size() > kMostHeadersBytes) continue;
    bytes += line.size();
    response.headers.emplace_back(std::string(name), std::string(trim(line.substr(colon + 2))));
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
