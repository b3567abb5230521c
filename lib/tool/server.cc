#include "tool/server.h"

#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "base/text.h"
#include "cli/log.h"
#include "cli/version.h"
#include "serve/body_limits.h"
#include "tool/assets.h"

namespace fp::tool {
namespace {

using namespace std::chrono_literals;

// A thousand viewers are a thousand descriptors.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

ServeOptions serve_options(const ServerOptions& options, const cli::Common& common) {
  ServeOptions serve = options.serve;
  serve.max_frame_bytes = common.max_frame_bytes;
  if (common.trace) serve.trace = TraceHop{options.tool, /*source=*/false};
  return serve;
}

// One without its scheme would match no page, and nobody would know why.
void check_origin(const std::string& origin) {
  const bool whole = (origin.starts_with("http://") || origin.starts_with("https://")) &&
                     origin.find('/', origin.find("://") + 3) == std::string::npos;
  if (origin == "*" || whole) return;
  throw Failure{Exit::Usage, "--allow-origin " + origin + ": not of the form http://HOST or https://HOST:PORT, or *"};
}

RouteOptions route_options(const ServerOptions& options) {
  for (const std::string& origin : options.allow_origin) check_origin(origin);
  RouteOptions routes;
  routes.allowed_hosts = http::own_host_names();
  for (const std::string& host : options.allow_host) routes.allowed_hosts.push_back(lower(host));
  routes.allowed_origins = options.allow_origin;
  routes.allowed_sources = options.allow_source;
  routes.read_only = options.read_only;
  routes.on_demand = options.on_demand;
  routes.camgrab = find_camgrab();
  routes.assets = viewer_assets();
  return routes;
}

std::vector<FilterOptions> filter_options(const ServerOptions& options, const ServeOptions& serve) {
  std::vector<FilterOptions> filters;
  for (const std::string& text : options.filters) {
    const auto equals = text.find('=');
    FilterOptions filter;
    filter.name = text.substr(0, equals);
    if (equals == std::string::npos || !is_camera_name(filter.name) || trim(text.substr(equals + 1)).empty()) {
      throw Failure{Exit::Usage, "--filter " + text + ": write NAME=COMMAND, a NAME of letters, digits, - and _"};
    }
    filter.command = text.substr(equals + 1);
    filter.timeout = options.filter_timeout;
    filter.max_frame_bytes = serve.max_frame_bytes;
    const auto same = [&](const FilterOptions& other) { return other.name == filter.name; };
    if (std::any_of(filters.begin(), filters.end(), same)) {
      throw Failure{Exit::Usage, "two filters are called " + filter.name};
    }
    filters.push_back(std::move(filter));
  }
  return filters;
}

std::optional<http::TlsContext> tls_context(const http::TlsContext::Files& files) {
  if (files.certificate.empty() && files.key.empty()) return std::nullopt;
  if (files.key.empty()) throw Failure{Exit::Usage, "--tls-cert needs --tls-key FILE, the certificate's key"};
  if (files.certificate.empty()) throw Failure{Exit::Usage, "--tls-key needs --tls-cert FILE, the key's certificate"};
  auto context = http::TlsContext::load(files);
  if (!context) throw failure_of(context.error());
  for (const std::string& warning : context->warnings()) spdlog::warn("{}", warning);
  return std::move(*context);
}

CLI::Option* add_list(CLI::App& app, const std::string& name, std::vector<std::string>& values, const char* type,
                      const std::string& help) {
  return app.add_option(name, values, help)
      ->type_name(type)
      ->expected(1)
      ->allow_extra_args(false)  // what follows is another one's
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

}  // namespace

void add_server_options(CLI::App& app, ServerOptions& options, bool with_sources) {
  add_list(app, "-l,--listen", options.listen, "ADDR",
           std::string("Where to listen: ADDR:PORT, :PORT (all addresses) or unix:PATH; any number of times") +
               (with_sources ? " [127.0.0.1:8000]" : ""));
  app.add_option("--tls-cert", options.tls.certificate,
                 "Speak HTTPS on TCP, with the certificate in this file (PEM, and those between it and an authority "
                 "behind it); SIGHUP reads it again")
      ->type_name("FILE");
  app.add_option("--tls-key", options.tls.key, "The certificate's private key (PEM)")->type_name("FILE");
  cli::add_duration(app, "--stale", options.serve.stale,
                    "A frame older than this is no picture any more: snapshots and health fail, viewers get a card; "
                    "0s: never",
                    0ms, 24h);
  cli::add_duration(app, "--idle", options.serve.idle, "How long an on-demand source runs on after its last viewer",
                    0ms, 24h);
  cli::add_duration(app, "--stall-timeout", options.stall_timeout, "Close a viewer that takes not a byte for so long",
                    1s, 1h);
  if (with_sources) {
    add_list(app, "--filter", options.filters, "NAME=COMMAND",
             "Keep COMMAND running, which reads frames and writes frames, and offer what it makes of them as filter "
             "NAME; any number of times");
    cli::add_duration(app, "--filter-timeout", options.filter_timeout,
                      "How long a filter may take for a frame; then it is started again", 10ms, 1h);
    add_list(app, "--allow-source", options.allow_source, "GLOB",
             "Let pages and programs add cameras whose source matches, and remove cameras: '/dev/video*', "
             "'http://192.168.1.*', test; any number of times");
  }
  app.add_flag("--read-only", options.read_only,
               with_sources ? "Let nobody start, stop, add or remove cameras" : "Let nobody start or stop cameras");
  add_list(app, "--allow-host", options.allow_host, "NAME",
           "Answer to this name, too, in the Host header; any number of times");
  add_list(app, "--allow-origin", options.allow_origin, "ORIGIN",
           "Let pages of this origin read pictures and figures (CORS) and change what can be changed; *: let any page "
           "read; any number of times");
  cli::add_number(app, "--max-connections", options.max_connections, "Turn away further connections", 1, 1'000'000);
  cli::add_number(app, "--max-connections-per-address", options.max_connections_per_address,
                  "Turn away further connections of one address", 1, 1'000'000);
}

Server::Server(const ServerOptions& options, const cli::Common& common, const std::vector<CameraOptions>& cameras)
    : tls_(tls_context(options.tls)),
      serve_options_(serve_options(options, common)),
      can_add_(!options.allow_source.empty() && !options.read_only),
      advance_boundary_(make_advance_boundary()),
      cameras_(loop_, clock_, serve_options_, advance_headers(advance_boundary_), cli::reporter(),
               [this] { source_ended(); }),
      signal_watch_(loop_, [this](int) { stop(); }),
      hangup_watch_(loop_, [this](int) { reload(); }),
      beat_timer_(loop_, [this] { beat(); }),
      heartbeat_(common.watchdog_frames) {
  raise_descriptor_limit();
  // Without TLS there is nothing to read again, and a terminal that is closed ends its programs.
  if (tls_) hangup_.emplace();
  const auto filters = filter_options(options, serve_options_);
  // Listeners first: a port that is taken should not start a camera.
  auto listeners = open_listeners(options.listen, cli::activated_sockets(), tls_.has_value());
  for (const Listener& listener : listeners) {
    if (!listener.unix_path.empty()) socket_files_.paths.push_back(listener.unix_path);
  }
  for (const FilterOptions& filter : filters) {
    filters_.add(std::make_unique<Filter>(loop_, clock_, filter, cli::reporter()));
  }
  for (const CameraOptions& camera : cameras) cameras_.put(cameras_.open(camera));
  routes_.emplace(loop_, clock_, cameras_, filters_, route_options(options), advance_boundary_, cli::kVersion);

  http::Server::Options server;
  server.max_connections = options.max_connections;
  server.max_connections_per_address = options.max_connections_per_address;
  server.connection.stall_time = options.stall_timeout;
  server.connection.body_limit = [bytes = serve_options_.max_frame_bytes](const http::Request& request) {
    return body_limit(request, bytes);
  };
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
    server_->listen(std::move(listener.socket), listener.tls ? &*tls_ : nullptr);
  }
  signal_watch_.watch(signal_.fd(), IoWatch::kRead);
  if (hangup_) hangup_watch_.watch(hangup_->fd(), IoWatch::kRead);
  beat_timer_.every(250ms);
}

Server::SocketFiles::~SocketFiles() {
  for (const std::string& path : paths) ::unlink(path.c_str());
}

Exit Server::run() {
  cli::notify_ready();
  loop_.run();
  cli::show_progress("");
  // The server goes first: its connections hold on to cameras.
  loop_.settle();
  server_.reset();
  loop_.settle();
  std::uint64_t frames = 0;
  for (const auto& camera : cameras_.all()) frames += camera->hub().figures().frames;
  if (all_ended_ && frames == 0) {
    throw Failure{Exit::NoInput, "the input ended before the first frame (is there a producer in front of the pipe?)"};
  }
  if (all_ended_) spdlog::info("the input has ended");
  return Exit::Done;
}

void Server::stop() {
  if (std::exchange(stopping_, true)) return;
  signal_watch_.watch(-1, 0);
  cli::notify_stopping();
  // Viewers get the rest of the frame that is on its way to them.
  server_->shut_down(800ms, [this] { loop_.stop(); });
}

void Server::reload() {
  while (hangup_->take()) {
  }
  if (const auto done = tls_->reload(); !done) {
    spdlog::error("{}: the certificate stays the one that was read before", done.error().text);
    return;
  }
  for (const std::string& warning : tls_->warnings()) spdlog::warn("{}", warning);
  spdlog::info("the certificate was read again: valid until {}", tls_->valid_until());
}

void Server::source_ended() {
  const auto& all = cameras_.all();
  const bool ended = std::all_of(all.begin(), all.end(), [](const auto& camera) { return camera->ended(); });
  if (!ended || all.empty() || can_add_ || stopping_) return;
  all_ended_ = true;
  loop_.defer([this] { stop(); });
}

void Server::beat() {
  cli::Heartbeat::Figures figures;
  for (const auto& camera : cameras_.all()) {
    figures.frames += camera->hub().figures().frames;
    figures.bytes += camera->hub().figures().bytes;
    if (camera->hub().newest_frame()) figures.age = std::max(figures.age.value_or(0ns), camera->frame_age());
  }
  figures.dropped = routes_->viewers().totals().dropped;
  const auto line = [&] {
    return fmt::format("{} cameras, {} viewers, {} frames in, {} out", cameras_.all().size(),
                       routes_->viewers().entries().size(), figures.frames, routes_->viewers().totals().sent);
  };
  heartbeat_.beat(clock_.steady(), figures, "the first frame", line);
}

}  // namespace fp::tool
