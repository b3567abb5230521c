#include "serve/routes.h"

#include <algorithm>

#include "base/text.h"
#include "serve/events.h"
#include "serve/snapshot.h"

namespace fp {
namespace {

using http::Connection;
using http::Request;
using http::Response;

// A query parameter, or nothing when it is not there. A value that cannot be read is the caller's to refuse.
std::optional<std::string> query(const Request& request, const std::string& name) {
  const auto found = request.query.find(name);
  if (found == request.query.end()) return std::nullopt;
  return found->second;
}

struct BadQuery {
  std::string text;
};

double read_fps(const Request& request) {
  const auto text = query(request, "fps");
  if (!text) return 0;
  const auto fps = parse_double(*text);
  if (!fps || *fps <= 0 || *fps > 1000) throw BadQuery{"fps must be a number above 0 and at most 1000"};
  return *fps;
}

FramingMode read_framing(const Request& request) {
  if (const auto text = query(request, "framing")) {
    if (*text == "advance") return FramingMode::Advance;
    if (*text == "length") return FramingMode::Length;
    throw BadQuery{"framing must be advance or length"};
  }
  return http::prefers_image(request.header("Accept")) ? FramingMode::Advance : FramingMode::Length;
}

}  // namespace

Routes::Routes(Loop& loop, const Clock& clock, const std::vector<std::unique_ptr<Camera>>& cameras,
               RouteOptions options, std::string advance_boundary, const std::string& version)
    : loop_(loop),
      clock_(clock),
      cameras_(cameras),
      options_(std::move(options)),
      advance_boundary_(std::move(advance_boundary)),
      figures_(cameras, viewers_, server_, clock, version) {}

const std::vector<Routes::Route>& Routes::table() {
  static const std::vector<Route> kTable = {
      {"/", &Routes::root, false},
      {"/stream", &Routes::stream, true},
      {"/video", &Routes::stream, true},
      {"/mjpeg", &Routes::stream, true},
      {"/api/camera/stream", &Routes::stream, true},
      {"/snapshot", &Routes::snapshot, true},
      {"/api/camera/snapshot", &Routes::snapshot, true},
      {"/api/camera/cameras", &Routes::camera_names, false},
      {"/wall", &Routes::wall, false},
      {"/events", &Routes::events, true},
      {"/state", &Routes::state, false},
      {"/metrics", &Routes::metrics, false},
      {"/healthz", &Routes::health, false},
  };
  return kTable;
}

Camera* Routes::find(std::string_view name) const {
  const auto found =
      std::find_if(cameras_.begin(), cameras_.end(), [&](const auto& camera) { return camera->name() == name; });
  return found == cameras_.end() ? nullptr : found->get();
}

Response Routes::with_common(Response response) const {
  response.headers.emplace_back("Cache-Control", "no-store");
  response.headers.emplace_back("X-Accel-Buffering", "no");
  if (!options_.allow_origin.empty()) {
    response.headers.emplace_back("Access-Control-Allow-Origin", options_.allow_origin);
    response.headers.emplace_back("Access-Control-Expose-Headers",
                                  "Age, ETag, X-Camera, X-Detections, X-Sequence, X-Signal, X-Timestamp, X-Trace");
  }
  return response;
}

void Routes::answer(Connection& connection, Response response) const {
  connection.respond(with_common(std::move(response)));
}

void Routes::handle(Connection& connection, const Request& request) {
  // Another name than ours would let any web page read a camera on 127.0.0.1, by pointing its own name there.
  const auto host = request.header("Host");
  if (host && !http::is_safe_host(*host, options_.allowed_hosts)) {
    return answer(connection,
                  http::error_response(421, "this server does not answer to the name '" + printable(*host, 80) +
                                                "' (start it with --allow-host NAME to allow it)"));
  }
  Camera* camera = cameras_.front().get();
  const Route* found = nullptr;
  for (const Route& route : table()) {
    if (request.path == route.path || (request.path == std::string(route.path) + "/" && route.path != "/")) {
      found = &route;
      break;
    }
    const std::string prefix = std::string(route.path) + "/";
    if (!route.by_camera || !request.path.starts_with(prefix)) continue;
    std::string_view name = std::string_view(request.path).substr(prefix.size());
    if (name.ends_with('/')) name.remove_suffix(1);
    if (name.find('/') != std::string_view::npos) continue;
    camera = find(name);
    if (camera == nullptr) {
      return answer(connection, http::error_response(404, "no camera '" + printable(name, 80) + "' here"));
    }
    found = &route;
    break;
  }
  const auto asset = options_.assets.find(request.path);
  if (found == nullptr && asset == options_.assets.end()) {
    return answer(connection, http::error_response(404, "nothing here: see / for the viewer"));
  }
  if (request.method == "OPTIONS") {
    Response response;
    response.status = 204;
    response.headers.emplace_back("Allow", "GET, HEAD, OPTIONS");
    if (!options_.allow_origin.empty()) {
      response.headers.emplace_back("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS");
      response.headers.emplace_back("Access-Control-Allow-Headers", "*");
    }
    return answer(connection, std::move(response));
  }
  if (request.method != "GET" && request.method != "HEAD") {
    Response response = http::error_response(405, request.method + " is not possible here");
    response.headers.emplace_back("Allow", "GET, HEAD, OPTIONS");
    return answer(connection, std::move(response));
  }
  try {
    if (found == nullptr) {
      Response response;
      response.content_type = asset->second.content_type;
      response.text = std::string(asset->second.bytes);
      return answer(connection, std::move(response));
    }
    (this->*found->handler)(connection, request, camera);
  } catch (const BadQuery& bad) {
    answer(connection, http::error_response(400, bad.text));
  }
}

// `/?action=stream` and `/?action=snapshot` are what mjpg-streamer's clients ask for.
void Routes::root(Connection& connection, const Request& request, Camera* camera) {
  const auto action = query(request, "action");
  if (action == "stream") return stream(connection, request, camera);
  if (action == "snapshot") return snapshot(connection, request, camera);
  const auto page = options_.assets.find("/");
  if (page == options_.assets.end())
    return answer(connection, http::error_response(404, "no viewer page in this build"));
  Response response;
  response.content_type = page->second.content_type;
  response.text = std::string(page->second.bytes);
  response.headers.emplace_back("Content-Security-Policy",
                                "default-src 'self'; img-src 'self' blob: data:; frame-ancestors 'self'");
  answer(connection, std::move(response));
}

void Routes::stream(Connection& connection, const Request& request, Camera* camera) {
  const double fps = read_fps(request);
  const FramingMode mode = read_framing(request);
  Response head;
  const bool advance = mode == FramingMode::Advance;
  head.content_type = "multipart/x-mixed-replace; boundary=" + (advance ? advance_boundary_ : std::string(kBoundary));
  head.headers.emplace_back("Vary", "Accept");
  connection.stream(with_common(std::move(head)), advance ? advance_headers(advance_boundary_) : "",
                    std::make_unique<StreamViewer>(loop_, clock_, connection, *camera, viewers_, mode, fps));
}

void Routes::snapshot(Connection& connection, const Request& request, Camera* camera) {
  SnapshotWish wish;
  if (const auto text = query(request, "max_age")) {
    const auto ms = parse_integer<std::uint32_t>(*text);
    if (!ms) throw BadQuery{"max_age must be a number of milliseconds"};
    wish.max_age = std::chrono::milliseconds(*ms);
  }
  if (const auto text = query(request, "after")) {
    wish.after = parse_integer<std::uint64_t>(*text);
    if (!wish.after) throw BadQuery{"after must be a sequence number"};
  }
  wish.known_etag = std::string(request.header("If-None-Match").value_or(""));
  const PacketPtr& newest = camera->hub().newest_frame();
  if (satisfies(*camera, newest, wish, clock_.wall())) {
    return answer(connection, snapshot_response(*camera, *newest, wish));
  }
  const bool waits = wish.max_age || wish.after || camera->status() == CameraStatus::Idle;
  if (!waits) return answer(connection, no_snapshot(*camera));
  connection.wait(
      std::make_unique<SnapshotWaiter>(loop_, clock_, connection, *camera, std::move(wish),
                                       [this](Connection& to, Response response) { answer(to, std::move(response)); }));
}

void Routes::wall(Connection& connection, const Request& request, Camera* /*camera*/) {
  const double fps = read_fps(request);
  std::vector<Camera*> cameras;
  if (const auto names = query(request, "cameras")) {
    for (const std::string_view name : split(*names, ',')) {
      Camera* const camera = find(name);
      if (camera == nullptr) {
        return answer(connection, http::error_response(404, "no camera '" + printable(name, 80) + "' here"));
      }
      if (std::find(cameras.begin(), cameras.end(), camera) == cameras.end()) cameras.push_back(camera);
    }
  } else {
    for (const auto& camera : cameras_) cameras.push_back(camera.get());
  }
  Response head;
  // Not x-mixed-replace: WebKit refuses to fetch() that.
  head.content_type = "multipart/mixed; boundary=" + std::string(kBoundary);
  connection.stream(
      with_common(std::move(head)), "",
      std::make_unique<WallViewer>(loop_, clock_, connection, cameras, viewers_, fps,
                                   [this](const std::string& viewer) { return figures_.brief_json(nullptr, viewer); }));
}

void Routes::events(Connection& connection, const Request& request, Camera* camera) {
  const bool one = request.path != "/events" && request.path != "/events/";
  Response head;
  head.content_type = "text/event-stream";
  const Camera* const only = one ? camera : nullptr;
  connection.stream(with_common(std::move(head)), "", std::make_unique<EventsViewer>(loop_, connection, [this, only] {
                      return figures_.brief_json(only, "");
                    }));
}

void Routes::state(Connection& connection, const Request& /*request*/, Camera* /*camera*/) {
  answer(connection, http::json_response(200, figures_.state_json()));
}

void Routes::metrics(Connection& connection, const Request& /*request*/, Camera* /*camera*/) {
  Response response;
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  response.text = figures_.metrics();
  answer(connection, std::move(response));
}

void Routes::health(Connection& connection, const Request& /*request*/, Camera* /*camera*/) {
  std::string failing;
  for (const auto& camera : cameras_) {
    // Nobody watches it, so it has nothing to show: that is how it should be.
    if (camera->fresh() || camera->status() == CameraStatus::Idle) continue;
    const std::string reason = camera->reason();
    failing += (failing.empty() ? "" : "; ") + camera->name() + ": " + (reason.empty() ? "no fresh frame" : reason);
  }
  if (failing.empty()) return answer(connection, http::json_response(200, "{\"status\":\"ok\"}"));
  answer(connection, http::error_response(503, failing));
}

void Routes::camera_names(Connection& connection, const Request& /*request*/, Camera* /*camera*/) {
  std::string names;
  for (const auto& camera : cameras_) names += (names.empty() ? "\"" : ",\"") + camera->name() + "\"";
  answer(connection, http::json_response(200, "{\"cameras\":[" + names + "]}"));
}

}  // namespace fp
