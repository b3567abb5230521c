#include "serve/routes.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "http/metrics.h"
#include "serve/addition.h"
#include "serve/events.h"
#include "serve/health.h"
#include "serve/query.h"
#include "serve/snapshot.h"

namespace fp {
namespace {

using http::Connection;
using http::Request;
using http::Response;

// All of it, passwords too: another one is a mended one.
bool same_source(const Source& one, const Source& other) {
  return one.endpoint.kind == other.endpoint.kind && one.endpoint.address == other.endpoint.address &&
         one.endpoint.port == other.endpoint.port && one.secret == other.secret;
}

constexpr std::size_t kMostAdditions = 4;  // at once: each may be a child process

double read_fps(const Request& request) {
  const auto text = query(request, "fps");
  if (!text) return 0;
  const auto fps = parse_double(*text);
  if (!fps || *fps < 0.001 || *fps > 1000) throw BadQuery{"fps must be a number from 0.001 to 1000"};
  return *fps;
}

// `quality`, `width` and `height`: the pictures that a viewer asks for.
struct PictureWish {
  VariantKey key;
  bool automatic = false;  // quality=auto: the key has the size alone
};

int read_number(const Request& request, const std::string& name, int least, int most, const std::string& what) {
  const auto text = query(request, name);
  if (!text) return 0;
  const auto number = parse_integer<int>(*text);
  if (!number || *number < least || *number > most) throw BadQuery{name + " must be " + what};
  return *number;
}

PictureWish read_picture(const Request& request) {
  const std::string pixels = "a number of pixels from " + std::to_string(VariantKey::kLeastSide) + " to " +
                             std::to_string(VariantKey::kMostSide);
  PictureWish wish;
  wish.key.width_px = read_number(request, "width", VariantKey::kLeastSide, VariantKey::kMostSide, pixels);
  wish.key.height_px = read_number(request, "height", VariantKey::kLeastSide, VariantKey::kMostSide, pixels);
  wish.automatic = query(request, "quality") == "auto";
  if (!wish.automatic) wish.key.quality_percent = read_number(request, "quality", 1, 100, "1 to 100, or auto");
  return wish;
}

Response no_variant(const Error& error) {
  Response response = http::error_response(503, error.text);
  response.headers.emplace_back("Retry-After", "5");
  return response;
}

// mjpg-streamer numbers its inputs: snapshot_1 is the snapshot of the second one. Cuts that off, and returns it.
std::optional<std::size_t> cut_number(std::string& action) {
  const auto line = action.rfind('_');
  if (line == std::string::npos) return std::nullopt;
  const auto number = parse_integer<std::size_t>(std::string_view(action).substr(line + 1));
  if (number) action.resize(line);
  return number;
}

// The page may ask the webrtc-serve programs, too. They stand there with 'self', which no default goes for then.
std::string connect_policy(const WebrtcLinks& links) {
  std::set<std::string> origins;
  for (const auto& [camera, page] : links) {
    const std::string origin = page.substr(0, page.find('/', page.find("://") + 3));
    origins.insert({origin, "ws" + origin.substr(std::string_view("http").size())});
  }
  std::string policy = "; connect-src 'self'";
  for (const std::string& origin : origins) policy += " " + origin;
  return policy;
}

http::SiteOptions site_options(const RouteOptions& options) {
  http::SiteOptions site = options.site;
  if (!options.webrtc.empty()) site.page_policy += connect_policy(options.webrtc);
  site.exposed_headers = "Age, ETag, X-Camera, X-Detections, X-Sequence, X-Signal, X-Timestamp, X-Trace";
  return site;
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

Routes::Routes(Loop& loop, const Clock& clock, CameraList& cameras, const FilterList& filters, RouteOptions options,
               std::string advance_boundary, const std::string& version)
    : loop_(loop),
      clock_(clock),
      cameras_(cameras),
      filters_(filters),
      pool_(loop),
      board_(cameras),
      fit_(clock),
      options_(std::move(options)),
      site_(site_options(options_)),
      advance_boundary_(std::move(advance_boundary)),
      figures_(cameras, filters, viewers_, server_, clock, version,
               {.control = !options_.read_only,
                .can_add = !options_.read_only && !options_.allowed_sources.empty(),
                .webrtc = options_.webrtc}) {
  for (const auto& filter : filters_.all()) {
    filter->tell([this, name = filter->name()](const Frame& frame) { board_.post(frame.camera, name, frame); });
  }
}

const std::vector<Routes::Route>& Routes::table() {
  static const std::vector<Route> kTable = {
      {"/", &Routes::root, Name::None, kRead},
      {"/stream", &Routes::stream, Name::Camera, kRead},
      {"/video", &Routes::stream, Name::Camera, kRead},
      {"/mjpeg", &Routes::stream, Name::Camera, kRead},
      {"/api/camera/stream", &Routes::stream, Name::Camera, kRead},
      {"/snapshot", &Routes::snapshot, Name::Camera, kRead},
      {"/api/camera/snapshot", &Routes::snapshot, Name::Camera, kRead},
      {"/api/camera/start", &Routes::start, Name::None, kPost},
      {"/api/camera/stop", &Routes::stop, Name::None, kPost},
      {"/api/camera/cameras", &Routes::camera_names, Name::None, kRead},
      {"/api/camera/cameras", &Routes::change_camera, Name::Any, kPost | kDelete},
      {"/detect_once", &Routes::detect_once, Name::Camera, kRead | kAsk},
      {"/detect_stream", &Routes::detect_stream, Name::Camera, kRead},
      {"/api/fit/stream", &Routes::fit_stream, Name::None, kAsk},
      {"/api/fit/stop-streaming", &Routes::fit_stop, Name::None, kAsk},
      {"/wall", &Routes::wall, Name::None, kRead},
      {"/events", &Routes::events, Name::Camera, kRead},
      {"/state", &Routes::state, Name::None, kRead},
      {"/metrics", &Routes::metrics, Name::None, kRead},
      {"/healthz", &Routes::health, Name::None, kRead},
  };
  return kTable;
}

std::string Routes::names_of(unsigned methods) {
  std::string names;
  if ((methods & kRead) != 0) names = "GET, HEAD";
  if ((methods & (kPost | kAsk)) != 0) names += names.empty() ? "POST" : ", POST";
  if ((methods & kDelete) != 0) names += names.empty() ? "DELETE" : ", DELETE";
  return names;
}

Routes::Match Routes::match(std::string_view path) {
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  for (const Route& route : table()) {
    if (path == route.path && route.name != Name::Any) return {&route, {}};
    if (route.name == Name::None || !path.starts_with(route.path)) continue;
    const std::string_view rest = path.substr(route.path.size());
    if (rest.size() > 1 && rest.front() == '/' && rest.find('/', 1) == std::string_view::npos) {
      return {&route, rest.substr(1)};
    }
  }
  return {};
}

// Nothing: there is none of that name. Of a name that is not for them they do not hear whether there is one.
Camera* Routes::find_for(const Request& request, std::string_view name) const {
  if (!http::may_see(request.rights, name)) throw NotForThem{"camera '" + printable(name, 80) + "'"};
  return cameras_.find(name);
}

// The first of those they may see; nothing: there is no camera at all.
Camera* Routes::first_for(const Request& request) const {
  for (const auto& camera : cameras_.all()) {
    if (http::may_see(request.rights, camera->name())) return camera.get();
  }
  if (!cameras_.all().empty()) throw NotForThem{"a camera"};
  return nullptr;
}

// In the order of the list, and then those that are not there yet. Never empty.
std::vector<std::string> Routes::names_for(const Request& request) const {
  std::vector<std::string> names;
  for (const auto& camera : cameras_.all()) {
    if (http::may_see(request.rights, camera->name())) names.push_back(camera->name());
  }
  for (const std::string& name : request.rights->cameras) {
    if (cameras_.find(name) == nullptr) names.push_back(name);
  }
  if (names.empty()) throw NotForThem{"a camera"};
  return names;
}

// `?camera=NAME`, else the first.
Camera* Routes::named(const Request& request) const {
  const auto name = query(request, "camera");
  Camera* const camera = name ? find_for(request, *name) : first_for(request);
  if (camera == nullptr) throw NoCamera{name.value_or("")};
  return camera;
}

void Routes::answer(Connection& connection, const Request& request, Response response) const {
  connection.respond(site_.finished(std::move(response), request));
}

bool Routes::refuse_change(Connection& connection, const Request& request) const {
  if (options_.read_only) {
    answer(connection, request, http::error_response(403, "nothing can be changed here (--read-only)"));
    return true;
  }
  if (refuse_page(connection, request)) return true;
  if (http::may_change(request.rights)) return false;
  answer(connection, request, options_.forbid(connection, request, "changing anything"));
  return true;
}

bool Routes::refuse_page(Connection& connection, const Request& request) const {
  auto refusal = site_.refuse_page(request);
  if (refusal) answer(connection, request, std::move(*refusal));
  return refusal.has_value();
}

void Routes::handle(Connection& connection, const Request& request) {
  if (auto refusal = site_.refuse_host(request)) return answer(connection, request, std::move(*refusal));
  const Match found = match(request.path);
  if (found.route == nullptr) {
    auto file = site_.asset(request);
    return answer(connection, request,
                  file ? std::move(*file) : http::error_response(404, "nothing here: see / for the viewer"));
  }
  const unsigned methods = found.route->methods;
  const bool reads = request.method == "GET" || request.method == "HEAD";
  const bool asks = request.method == "POST" && (methods & kAsk) != 0;
  const bool fits = (reads && (methods & kRead) != 0) || asks || (request.method == "POST" && (methods & kPost) != 0) ||
                    (request.method == "DELETE" && (methods & kDelete) != 0);
  if (!fits) return answer(connection, request, site_.options(request, names_of(methods)));
  if (asks && refuse_page(connection, request)) return;
  if (asks && !http::may_ask(request.rights)) {
    return answer(connection, request, options_.forbid(connection, request, "asking filters"));
  }
  if (!reads && !asks && refuse_change(connection, request)) return;
  const bool names_things =
      request.body.find("camera") != std::string::npos || request.body.find("source") != std::string::npos;
  if (!reads && !asks && names_things && request.query.empty()) {
    return answer(
        connection, request,
        http::error_response(400, "parameters belong into the address, as in ?camera=NAME: a body is not read"));
  }
  try {
    Camera* camera = nullptr;
    if (found.route->name == Name::Camera && !asks) {
      camera = found.name.empty() ? first_for(request) : find_for(request, found.name);
      if (camera == nullptr) throw NoCamera{std::string(found.name)};
    }
    (this->*found.route->handler)(connection, request, camera);
  } catch (const BadQuery& bad) {
    answer(connection, request, http::error_response(400, bad.text));
  } catch (const NotForThem& thing) {
    answer(connection, request, options_.forbid(connection, request, thing.what));
  } catch (const NoFilter& none) {
    answer(connection, request, http::error_response(404, none.text));
  } catch (const NoCamera& none) {
    const std::string text =
        none.name.empty() ? "no camera here yet" : "no camera '" + printable(none.name, 80) + "' here";
    answer(connection, request, http::error_response(404, text));
  }
}

// `/?action=stream` and `/?action=snapshot` are what mjpg-streamer's clients ask for.
void Routes::root(Connection& connection, const Request& request, Camera* /*camera*/) {
  std::string action = query(request, "action").value_or("");
  const auto number = cut_number(action);
  if (action == "stream" || action == "snapshot") {
    Camera* camera = nullptr;
    if (!number) camera = first_for(request);
    if (number && *number < cameras_.all().size()) camera = find_for(request, cameras_.all()[*number]->name());
    if (camera == nullptr) throw NoCamera{number ? std::to_string(*number) : ""};
    return action == "stream" ? stream(connection, request, camera) : snapshot(connection, request, camera);
  }
  auto page = site_.asset(request);
  answer(connection, request, page ? std::move(*page) : http::error_response(404, "no viewer page in this build"));
}

void Routes::stream(Connection& connection, const Request& request, Camera* camera) {
  stream_of(connection, request, *camera, filter_wish(request, /*always=*/false));
}

void Routes::stream_of(Connection& connection, const Request& request, Camera& camera, const FilterWish& filter) {
  const double fps = read_fps(request);
  const FramingMode mode = read_framing(request);
  const PictureWish wish = read_picture(request);
  auto feed = std::make_unique<Feed>(camera, pool_, filter);
  std::optional<AutoQuality> automatic;
  if (wish.automatic) automatic.emplace(wish.key, fps, clock_);
  if (const auto chosen = feed->choose(automatic ? automatic->key() : wish.key); !chosen) {
    return answer(connection, request, no_variant(chosen.error()));
  }
  Response head;
  const bool advance = mode == FramingMode::Advance;
  head.content_type = "multipart/x-mixed-replace; boundary=" + (advance ? advance_boundary_ : std::string(kBoundary));
  head.headers.emplace_back("Vary", "Accept");
  connection.stream(site_.finished(std::move(head), request), advance ? advance_headers(advance_boundary_) : "",
                    std::make_unique<StreamViewer>(loop_, clock_, connection, std::move(feed), viewers_, mode, fps,
                                                   std::move(automatic)));
}

void Routes::snapshot(Connection& connection, const Request& request, Camera* camera) {
  if (query(request, "filter")) return filtered_snapshot(connection, request, *camera);
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
  // The last frame of a source that sleeps is of when it was awake.
  if (newest && camera->status() == CameraStatus::Idle) wish.beyond = newest->index();
  if (satisfies(*camera, newest, wish, clock_.wall())) {
    return answer(connection, request, snapshot_response(*camera, *newest, wish));
  }
  const bool waits = wish.max_age || wish.after || camera->status() == CameraStatus::Idle;
  if (!waits) return answer(connection, request, no_snapshot(*camera));
  connection.wait(
      std::make_unique<SnapshotWaiter>(loop_, clock_, connection, *camera, std::move(wish),
                                       [this, origin = site_.cors_origin(request)](Connection& to, Response response) {
                                         to.respond(site_.finished(std::move(response), origin));
                                       }));
}

void Routes::wall(Connection& connection, const Request& request, Camera* /*camera*/) {
  const double fps = read_fps(request);
  const PictureWish wish = read_picture(request);
  const FilterWish filter = filter_wish(request, /*always=*/false);
  std::vector<std::string> names;
  if (const auto list = query(request, "cameras")) {
    for (const std::string_view name : split(*list, ',')) {
      if (find_for(request, name) == nullptr) throw NoCamera{std::string(name)};
      if (std::find(names.begin(), names.end(), name) == names.end()) names.emplace_back(name);
    }
  }
  if (names.empty() && !http::may_see_all(request.rights)) names = names_for(request);
  // Made here, where they can be refused; the viewer finds them.
  std::vector<std::shared_ptr<Variant>> variants;
  for (const auto& camera : cameras_.all()) {
    const bool shown = names.empty() || std::find(names.begin(), names.end(), camera->name()) != names.end();
    if (!shown || wish.key.nothing()) continue;
    auto variant = filter.filter != nullptr ? camera->filtered(*filter.filter, filter.overlay)->variant(pool_, wish.key)
                                            : camera->variant(pool_, wish.key);
    if (!variant) return answer(connection, request, no_variant(variant.error()));
    variants.push_back(std::move(*variant));
  }
  Response head;
  // Not x-mixed-replace: WebKit refuses to fetch() that.
  head.content_type = "multipart/mixed; boundary=" + std::string(kBoundary);
  connection.stream(site_.finished(std::move(head), request), "",
                    std::make_unique<WallViewer>(loop_, clock_, connection, cameras_, pool_, wish.key, wish.automatic,
                                                 filter, std::move(names), viewers_, fps,
                                                 [this, rights = request.rights](const std::string& viewer) {
                                                   return figures_.brief_json("", viewer, rights);
                                                 }));
}

void Routes::events(Connection& connection, const Request& request, Camera* /*camera*/) {
  Response head;
  head.content_type = "text/event-stream";
  // A removed camera's name may be another one's later, its address too.
  const std::string only(match(request.path).name);
  connection.stream(
      site_.finished(std::move(head), request), "",
      std::make_unique<EventsViewer>(
          loop_, connection, [this, only, rights = request.rights] { return figures_.brief_json(only, "", rights); },
          board_, only, request.rights));
}

void Routes::state(Connection& connection, const Request& request, Camera* /*camera*/) {
  answer(connection, request, http::json_response(200, figures_.state_json(request.rights)));
}

void Routes::metrics(Connection& connection, const Request& request, Camera* /*camera*/) {
  std::string text = figures_.metrics(request.rights);
  if (options_.add_metrics) options_.add_metrics(text);
  answer(connection, request, http::metrics_response(std::move(text)));
}

void Routes::health(Connection& connection, const Request& request, Camera* /*camera*/) {
  answer(connection, request, health_response(cameras_, http::may_see_all(request.rights)));
}

void Routes::camera_names(Connection& connection, const Request& request, Camera* /*camera*/) {
  std::string names;
  for (const auto& camera : cameras_.all()) {
    if (!http::may_see(request.rights, camera->name())) continue;
    names += (names.empty() ? "\"" : ",\"") + camera->name() + "\"";
  }
  answer(connection, request, http::json_response(200, "{\"cameras\":[" + names + "]}"));
}

void Routes::start(Connection& connection, const Request& request, Camera* /*camera*/) {
  Camera* const camera = named(request);
  try {
    camera->set_stopped(false);
  } catch (const Failure& failure) {
    return answer(connection, request, http::error_response(502, failure.text));
  }
  answer(connection, request, http::json_response(200, "{\"status\":\"started\"}"));
}

void Routes::stop(Connection& connection, const Request& request, Camera* /*camera*/) {
  named(request)->set_stopped(true);
  answer(connection, request, http::json_response(200, "{\"status\":\"stopped\"}"));
}

void Routes::change_camera(Connection& connection, const Request& request, Camera* /*camera*/) {
  const std::string name(match(request.path).name);
  if (!is_plain_name(name)) throw BadQuery{"a camera's name is letters, digits, - and _, at most 64 of them"};
  if (request.method == "POST") return add_camera(connection, request, name);
  if (options_.allowed_sources.empty()) {
    return answer(
        connection, request,
        http::error_response(403, "cameras cannot be removed here (mjpeg-serve --allow-source GLOB allows it)"));
  }
  cameras_.remove(name);
  answer(connection, request, http::json_response(200, R"({"status":"removed","name":")" + name + "\"}"));
}

void Routes::add_camera(Connection& connection, const Request& request, const std::string& name) {
  const std::string text = query(request, "source").value_or("0");
  if (const auto refusal = refuse_source(text, options_.allowed_sources)) {
    return answer(connection, request, http::error_response(403, *refusal));
  }
  auto source = parse_source(text, options_.camgrab);
  if (!source) throw BadQuery{source.error().text};
  // What an allowed address redirects to must be allowed, too.
  source->http.may_follow = [globs = options_.allowed_sources](const http::Url& to) {
    return !refuse_source((to.secure ? "https://" : "http://") + to.authority() + "/", globs);
  };
  // What is there already is not opened a second time: a device would be busy.
  if (Camera* const same = cameras_.find(name);
      same != nullptr && same_source(same->options().source, *source) && same->fresh()) {
    return answer(connection, request, added_response(name));
  }
  if (cameras_.find(name) == nullptr && cameras_.all().size() >= CameraList::kMostCameras) {
    return answer(connection, request, http::error_response(503, "no more cameras: there are enough"));
  }
  if (additions_ >= kMostAdditions) {
    return answer(connection, request, http::error_response(503, "other cameras are being added: try again"));
  }
  try {
    auto camera = cameras_.open({name, std::move(*source), options_.on_demand});
    connection.wait(
        std::make_unique<Addition>(loop_, connection, cameras_, std::move(camera), additions_,
                                   [this, origin = site_.cors_origin(request)](Connection& to, Response response) {
                                     to.respond(site_.finished(std::move(response), origin));
                                   }));
  } catch (const Failure& failure) {
    answer(connection, request, http::error_response(502, failure.text));
  }
}

}  // namespace fp
