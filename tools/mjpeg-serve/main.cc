// mjpeg-serve: frames to browsers and programs over HTTP.
#include <netinet/in.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/log.h"
#include "cli/notify.h"
#include "cli/version.h"
#include "mjpeg-serve/assets.h"
#include "mjpeg-serve/listen.h"
#include "serve/routes.h"

namespace {

using namespace fp;
using namespace std::chrono_literals;

struct Options {
  std::vector<std::string> cameras;
  std::vector<std::string> listen;
  std::vector<std::string> allow_host;
  std::string allow_origin;
  bool on_demand = false;
  std::uint64_t max_connections = 4096;
  std::uint64_t max_connections_per_address = 2048;
  std::chrono::milliseconds stall_timeout{15'000};
  ServeOptions serve;
};

bool is_camera_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_';
  });
}

// "NAME=SPEC", "NAME=SPEC,on-demand".
CameraOptions parse_camera(const std::string& text, bool on_demand) {
  const auto equals = text.find('=');
  CameraOptions camera;
  camera.name = text.substr(0, equals);
  if (equals == std::string::npos || !is_camera_name(camera.name)) {
    throw Failure{Exit::Usage, "--camera " + text + ": write NAME=SPEC, a NAME of letters, digits, - and _"};
  }
  std::string spec = text.substr(equals + 1);
  constexpr std::string_view kOnDemand = ",on-demand";
  camera.on_demand = on_demand;
  if (spec.ends_with(kOnDemand)) {
    spec.resize(spec.size() - kOnDemand.size());
    camera.on_demand = true;
  }
  auto endpoint = parse_endpoint(spec, Direction::In);
  if (!endpoint) throw Failure{Exit::Usage, "--camera " + camera.name + "=" + endpoint.error().text};
  camera.endpoint = std::move(*endpoint);
  return camera;
}

std::vector<CameraOptions> parse_cameras(const Options& options, const cli::Common& common, bool input_given) {
  std::vector<CameraOptions> cameras;
  if (options.cameras.empty() || input_given) {
    cameras.push_back(parse_camera("camera=" + common.input, options.on_demand && common.input != "-"));
  }
  for (const std::string& text : options.cameras) cameras.push_back(parse_camera(text, options.on_demand));
  bool standard = false;
  for (auto camera = cameras.begin(); camera != cameras.end(); ++camera) {
    const std::string& name = camera->name;
    const auto same = [&](const CameraOptions& other) { return other.name == name; };
    if (std::any_of(cameras.begin(), camera, same)) throw Failure{Exit::Usage, "two cameras are called " + name};
    const auto kind = camera->endpoint.kind;
    if (kind != Endpoint::Kind::Standard && kind != Endpoint::Kind::Fd) continue;
    if (camera->on_demand) {
      throw Failure{Exit::Usage, "camera " + name + ": " + camera->endpoint.text +
                                     " cannot be started again, so it cannot be on-demand (exec:COMMAND can)"};
    }
    if (kind != Endpoint::Kind::Standard) continue;
    if (std::exchange(standard, true)) throw Failure{Exit::Usage, "two cameras read standard input"};
    if (::isatty(STDIN_FILENO) != 0) {
      throw Failure{Exit::Usage,
                    "standard input is a terminal: pipe frames in, as in 'camgrab test | mjpeg-serve', or name a "
                    "--camera"};
    }
  }
  return cameras;
}

// A thousand viewers are a thousand descriptors.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

class Program {
 public:
  Program(const Options& options, const cli::Common& common, const std::vector<CameraOptions>& cameras)
      : advance_boundary_(make_advance_boundary()),
        signal_watch_(loop_, [this](int) { stop(); }),
        beat_timer_(loop_, [this] { beat(); }),
        heartbeat_(common.watchdog_frames) {
    serve_options_ = options.serve;
    serve_options_.max_frame_bytes = common.max_frame_bytes;
    if (common.trace) serve_options_.trace = TraceHop{"mjpeg-serve", /*source=*/false};

    // Listeners first: a port that is taken should not start a camera.
    auto listeners = open_listeners(options.listen, cli::activated_sockets());
    for (const CameraOptions& camera : cameras) {
      cameras_.push_back(std::make_unique<Camera>(loop_, clock_, camera, serve_options_,
                                                  advance_headers(advance_boundary_), cli::reporter(),
                                                  [this] { source_ended(); }));
    }
    RouteOptions routes;
    routes.allowed_hosts = http::own_host_names();
    for (const std::string& host : options.allow_host) routes.allowed_hosts.push_back(lower(host));
    routes.allow_origin = options.allow_origin;
    routes.assets = viewer_assets();
    routes_.emplace(loop_, clock_, cameras_, std::move(routes), advance_boundary_, cli::kVersion);

    http::Server::Options server;
    server.max_connections = options.max_connections;
    server.max_connections_per_address = options.max_connections_per_address;
    server.connection.stall_time = options.stall_timeout;
    server_.emplace(
        loop_, clock_, server,
        [this](http::Connection& connection, const http::Request& request) { routes_->handle(connection, request); },
        cli::reporter());
    routes_->set_server(*server_);
    for (Listener& listener : listeners) {
      spdlog::info("{}", listener.text);
      if (listener.beyond_loopback) {
        spdlog::warn(
            "{} can be reached from other machines, and there is no password: anybody who can reach it can watch",
            listener.address);
      }
      if (!listener.unix_path.empty()) unix_paths_.push_back(listener.unix_path);
      server_->listen(std::move(listener.socket));
    }
    signal_watch_.watch(signal_.fd(), IoWatch::kRead);
    beat_timer_.every(250ms);
  }

  ~Program() {
    for (const std::string& path : unix_paths_) ::unlink(path.c_str());
  }

  Exit run() {
    cli::notify_ready();
    loop_.run();
    cli::show_progress("");
    // The server goes first: its connections hold on to cameras.
    server_.reset();
    std::uint64_t frames = 0;
    for (const auto& camera : cameras_) frames += camera->hub().figures().frames;
    if (all_ended_ && frames == 0) {
      throw Failure{Exit::NoInput,
                    "the input ended before the first frame (is there a producer in front of the pipe?)"};
    }
    if (all_ended_) spdlog::info("the input has ended");
    return Exit::Done;
  }

 private:
  void stop() {
    if (std::exchange(stopping_, true)) return;
    signal_watch_.watch(-1, 0);
    cli::notify_stopping();
    // Viewers get the rest of the frame that is on its way to them.
    server_->shut_down(800ms, [this] { loop_.stop(); });
  }

  void source_ended() {
    all_ended_ = std::all_of(cameras_.begin(), cameras_.end(), [](const auto& camera) { return camera->ended(); });
    if (!all_ended_ || stopping_) return;
    loop_.defer([this] { stop(); });
  }

  void beat() {
    cli::Heartbeat::Figures figures;
    for (const auto& camera : cameras_) {
      figures.frames += camera->hub().figures().frames;
      figures.bytes += camera->hub().figures().bytes;
      if (camera->hub().newest_frame()) figures.age = std::max(figures.age.value_or(0ns), camera->frame_age());
    }
    figures.dropped = routes_->viewers().totals().dropped;
    const auto line = [&] {
      return fmt::format("{} cameras, {} viewers, {} frames in, {} out", cameras_.size(),
                         routes_->viewers().entries().size(), figures.frames, routes_->viewers().totals().sent);
    };
    heartbeat_.beat(clock_.steady(), figures, "the first frame", line);
  }

  const cli::StopSignal signal_;
  const SystemClock clock_;
  Loop loop_;
  ServeOptions serve_options_;
  const std::string advance_boundary_;
  std::vector<std::unique_ptr<Camera>> cameras_;
  std::optional<Routes> routes_;
  std::optional<http::Server> server_;
  std::vector<std::string> unix_paths_;
  IoWatch signal_watch_;
  Timer beat_timer_;
  cli::Heartbeat heartbeat_;
  bool stopping_ = false;
  bool all_ended_ = false;
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Serve frames over HTTP to any number of browsers and programs; everybody gets the newest.\n\n"
      "camgrab test | mjpeg-serve                 then open http://127.0.0.1:8000/\n"
      "mjpeg-serve --camera door=unix:/run/framepipe/door.sock --camera yard=tcp:pi:9000",
      "mjpeg-serve"};
  Options options;
  cli::Common common;
  app.add_option("-c,--camera", options.cameras,
                 "A camera: NAME=SPEC, or NAME=SPEC,on-demand; any number of times. Without one, --input is the camera "
                 "'camera'")
      ->type_name("NAME=SPEC")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("-l,--listen", options.listen,
                 "Where to listen: ADDR:PORT, :PORT (all addresses) or unix:PATH; any number of times [127.0.0.1:8000]")
      ->type_name("ADDR")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  cli::add_duration(app, "--stale", options.serve.stale,
                    "A frame older than this is no picture any more: snapshots and health fail, viewers get a card; "
                    "0s: never",
                    0ms, 24h);
  app.add_flag("--on-demand", options.on_demand,
               "Start every camera's source with its first viewer, stop it after its last");
  cli::add_duration(app, "--idle", options.serve.idle, "How long an on-demand source runs on after its last viewer",
                    0ms, 24h);
  cli::add_duration(app, "--stall-timeout", options.stall_timeout, "Close a viewer that takes not a byte for so long",
                    1s, 1h);
  app.add_option("--allow-host", options.allow_host,
                 "Answer to this name, too, in the Host header; any number of times")
      ->type_name("NAME")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_option("--allow-origin", options.allow_origin,
                 "Let pages of this origin (or *) read pictures and figures (CORS)")
      ->type_name("ORIGIN");
  cli::add_number(app, "--max-connections", options.max_connections, "Turn away further connections", 1, 1'000'000);
  cli::add_number(app, "--max-connections-per-address", options.max_connections_per_address,
                  "Turn away further connections of one address", 1, 1'000'000);
  app.add_flag("--trace", common.trace, "Note in X-Trace when this tool had each frame");
  cli::add_input(app, common);
  cli::add_common(app, common);
  if (const auto code = cli::parse(app, argc, argv)) return *code;
  cli::start(app, common);
  return cli::run("mjpeg-serve", [&] {
    raise_descriptor_limit();
    const bool input_given = app.get_option("--input")->count() > 0;
    const std::vector<CameraOptions> cameras = parse_cameras(options, common, input_given);
    return Program(options, common, cameras).run();
  });
}
