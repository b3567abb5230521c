#include "tool/server.h"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "base/text.h"
#include "cli/version.h"
#include "serve/body_limits.h"
#include "tool/assets.h"

namespace fp::tool {
namespace {

using namespace std::chrono_literals;

ServeOptions serve_options(const ServerOptions& options, const cli::Common& common) {
  ServeOptions serve = options.serve;
  serve.max_frame_bytes = common.max_frame_bytes;
  if (common.trace) serve.trace = TraceHop{options.tool, /*source=*/false};
  return serve;
}

RouteOptions route_options(const ServerOptions& options, WebProgram& program) {
  RouteOptions routes;
  routes.site = program.site_options();
  routes.site.assets = viewer_assets();
  routes.webrtc = options.webrtc;
  routes.allowed_sources = options.allow_source;
  routes.read_only = options.read_only;
  routes.on_demand = options.on_demand;
  routes.camgrab = find_camgrab();
  routes.forbid = [&program](const http::Connection& connection, const http::Request& request,
                             const std::string& what) { return program.gate().forbid(connection, request, what); };
  routes.add_metrics = [&program](std::string& out) { program.gate().add_metrics(out); };
  return routes;
}

std::vector<FilterOptions> filter_options(const ServerOptions& options, const ServeOptions& serve) {
  std::vector<FilterOptions> filters;
  for (const std::string& text : options.filters) {
    const auto equals = text.find('=');
    FilterOptions filter;
    filter.name = text.substr(0, equals);
    if (equals == std::string::npos || !is_plain_name(filter.name) || trim(text.substr(equals + 1)).empty()) {
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

}  // namespace

void add_server_options(CLI::App& app, ServerOptions& options, bool with_sources) {
  add_listen_options(app, options.web, /*show_default=*/with_sources);
  cli::add_duration(app, "--stale", options.serve.stale,
                    "A frame older than this is no picture any more: snapshots and health fail, viewers get a card; "
                    "0s: never",
                    0ms, 24h);
  cli::add_duration(app, "--idle", options.serve.idle, "How long an on-demand source runs on after its last viewer",
                    0ms, 24h);
  add_stall_option(app, options.web);
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
  add_page_options(app, options.web);
}

Server::Server(const ServerOptions& options, const cli::Common& common, const std::vector<CameraOptions>& cameras)
    : program_(options.web, common),
      serve_options_(serve_options(options, common)),
      can_add_(!options.allow_source.empty() && !options.read_only),
      advance_boundary_(make_advance_boundary()),
      cameras_(program_.loop(), program_.clock(), serve_options_, advance_headers(advance_boundary_), cli::reporter(),
               [this] { source_ended(); }) {
  for (const FilterOptions& filter : filter_options(options, serve_options_)) {
    filters_.add(std::make_unique<Filter>(program_.loop(), program_.clock(), filter, cli::reporter()));
  }
  for (const CameraOptions& camera : cameras) cameras_.put(cameras_.open(camera));
  routes_.emplace(program_.loop(), program_.clock(), cameras_, filters_, route_options(options, program_),
                  advance_boundary_, cli::kVersion);
  WebProgram::Service service;
  service.handle = [this](http::Connection& connection, const http::Request& request) {
    routes_->handle(connection, request);
  };
  service.body_limit = [bytes = serve_options_.max_frame_bytes](const http::Request& request) {
    return body_limit(request, bytes);
  };
  service.exposed = "anybody who can reach it can watch";
  service.figures = [this] { return figures(); };
  service.status = [this] { return status(); };
  program_.serve(std::move(service));
  routes_->set_server(program_.server());
}

Exit Server::run() {
  program_.run();
  std::uint64_t frames = 0;
  for (const auto& camera : cameras_.all()) frames += camera->hub().figures().frames;
  if (all_ended_ && frames == 0) {
    throw Failure{Exit::NoInput, "the input ended before the first frame (is there a producer in front of the pipe?)"};
  }
  if (all_ended_) spdlog::info("the input has ended");
  return Exit::Done;
}

void Server::source_ended() {
  const auto& all = cameras_.all();
  const bool ended = std::all_of(all.begin(), all.end(), [](const auto& camera) { return camera->ended(); });
  if (!ended || all.empty() || can_add_ || program_.stopping()) return;
  all_ended_ = true;
  program_.loop().defer([this] { program_.stop(); });
}

cli::Heartbeat::Figures Server::figures() const {
  cli::Heartbeat::Figures figures;
  for (const auto& camera : cameras_.all()) {
    figures.frames += camera->hub().figures().frames;
    figures.bytes += camera->hub().figures().bytes;
    if (camera->hub().newest_frame()) figures.age = std::max(figures.age.value_or(0ns), camera->frame_age());
  }
  figures.dropped = routes_->viewers().totals().dropped;
  return figures;
}

std::string Server::status() const {
  return fmt::format("{} cameras, {} viewers, {} frames in, {} out", cameras_.all().size(),
                     routes_->viewers().entries().size(), figures().frames, routes_->viewers().totals().sent);
}

}  // namespace fp::tool
