#include "webrtc-serve/program.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include "cli/version.h"
#include "webrtc-serve/assets.h"

namespace fp::webrtc_serve {
namespace {

ServeOptions serve_options(const Options& options, const cli::Common& common) {
  ServeOptions serve;
  serve.stale = options.stale;
  serve.max_frame_bytes = common.max_frame_bytes;
  return serve;
}

CameraOptions camera_options(const cli::Common& common) {
  auto source = parse_source(common.input, find_camgrab());
  if (!source) throw Failure{Exit::Usage, "--input " + source.error().text};
  if (source->endpoint.kind == Endpoint::Kind::Standard && ::isatty(STDIN_FILENO) != 0) {
    throw Failure{Exit::Usage,
                  "standard input is a terminal: pipe frames in, as in 'camgrab test | webrtc-serve', or name an "
                  "--input"};
  }
  CameraOptions camera;
  camera.name = "camera";
  camera.source = std::move(*source);
  return camera;
}

Sessions::Limits limits(const Options& options) {
  return {options.max_viewers, options.max_viewers_per_address, options.address_limit_given};
}

http::SiteOptions site_options(const tool::WebProgram& program) {
  http::SiteOptions site = program.site_options();
  site.assets = webrtc_serve_assets();
  site.exposed_headers = "Location, ETag, Link, Accept-Patch";
  site.request_headers = "Authorization, Content-Type, If-Match";
  return site;
}

}  // namespace

Program::Program(const Options& options, const cli::Common& common)
    : encoder_options_(encoder_options(options)),
      program_(options.web, common),
      ice_(options.ice, program_.listeners()),
      serve_options_(serve_options(options, common)),
      engine_(program_.loop(), cli::reporter()),
      encoder_(engine_, encoder_options_),
      cameras_(program_.loop(), program_.clock(), serve_options_, "", cli::reporter(), [this] { source_ended(); }),
      camera_(cameras_.open(camera_options(common))),
      feed_(program_.loop(), program_.clock(), camera_->hub(), encoder_),
      sessions_(engine_, encoder_, *camera_, program_.clock(), ice_, limits(options)),
      settings_(encoder_, encoder_options_, sessions_, ice_, options.read_only),
      figures_(cameras_, filters_, sessions_.list(), server_, program_.clock(), cli::kVersion,
               {.control = false, .can_add = false}),
      webrtc_figures_(figures_, sessions_, encoder_, engine_),
      routes_({program_.loop(), program_.clock(), cameras_, sessions_, encoder_, ice_, settings_, webrtc_figures_,
               program_.gate()},
              site_options(program_)) {
  cameras_.put(camera_);
  tool::WebProgram::Service service;
  service.handle = [this](http::Connection& connection, const http::Request& request) {
    routes_.handle(connection, request);
  };
  service.exposed = "anybody who can reach it can watch";
  service.figures = [this] { return heartbeat(); };
  service.status = [this] { return status(); };
  service.stopping = [this] { sessions_.end_all(Leave::Stopped); };
  program_.serve(std::move(service));
  server_ = &program_.server();
}

Exit Program::run() {
  program_.run();
  sessions_.end_all(Leave::Stopped);
  if (!ended_) return Exit::Done;
  if (camera_->hub().figures().frames == 0) {
    throw Failure{Exit::NoInput, "the input ended before the first frame (is there a producer in front of the pipe?)"};
  }
  spdlog::info("the input has ended");
  return Exit::Done;
}

void Program::source_ended() {
  if (!camera_->ended() || program_.stopping()) return;
  ended_ = true;
  program_.loop().defer([this] { program_.stop(); });
}

cli::Heartbeat::Figures Program::heartbeat() {
  sessions_.end_barred();
  sessions_.account();
  cli::Heartbeat::Figures figures;
  figures.frames = camera_->hub().figures().frames;
  figures.bytes = camera_->hub().figures().bytes;
  if (camera_->hub().newest_frame()) figures.age = camera_->frame_age();
  figures.dropped = sessions_.list().totals().dropped;
  return figures;
}

std::string Program::status() const {
  const rtc::Encoder::Figures encoder = encoder_.figures();
  return fmt::format("{} viewers, {} frames in, {} encoded, {} kbit/s {}", sessions_.connected(),
                     camera_->hub().figures().frames, encoder.encoded, encoder_.bitrate_kbps(),
                     name_of(encoder_.codec()));
}

}  // namespace fp::webrtc_serve
