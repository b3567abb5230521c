#include "webrtc-ingest/program.h"

#include <spdlog/spdlog.h>

#include "cli/log.h"
#include "cli/version.h"
#include "rtc/ingest.h"
#include "tool/run.h"
#include "webrtc-ingest/assets.h"

namespace fp::ingest {
namespace {

using namespace std::chrono_literals;

class RtcSender final : public Sender {
 public:
  RtcSender(rtc::Engine& engine, const rtc::IngestOptions& options, rtc::IngestEvents events)
      : ingest_(engine, options, std::move(events)) {}
  Result<Done> take_offer(std::string_view sdp) override { return ingest_.take_offer(sdp); }
  void take_candidate(const rtc::Candidate& candidate) override { ingest_.take_candidate(candidate); }
  bool send_text(const std::string& text) override { return ingest_.send_text(text); }
  [[nodiscard]] rtc::Ingest::Figures figures() const override { return ingest_.figures(); }

 private:
  rtc::Ingest ingest_;
};

// Frames to standard output by default; with a child its lines are what is wanted.
std::unique_ptr<Output> open_output(const Options& options, const cli::Common& common) {
  if (!options.exec.empty() && !options.output_given) return nullptr;
  return tool::open_output(common, {"webrtc-ingest", /*source=*/true});
}

RouteOptions route_options(const Options& options, std::size_t max_frame_bytes, const tool::WebProgram& program,
                           const tool::Ice& ice) {
  RouteOptions routes;
  routes.site = program.site_options();
  routes.site.assets = ingest_assets();
  routes.mode = options.mode;
  routes.max_frame_bytes = max_frame_bytes;
  routes.ice_urls = ice.public_urls();
  return routes;
}

// No browser opens a camera for a page that came in the clear from another machine.
void warn_of_plain_http(const tool::WebProgram& program) {
  for (const Listener& listener : program.listeners()) {
    if (!listener.beyond_loopback || listener.tls) continue;
    spdlog::warn(
        "{}: browsers open no camera for a page without https: give --tls-cert and --tls-key (framepipe-dev-cert "
        "makes them), or stand behind a proxy that has them",
        listener.address);
  }
}

}  // namespace

Program::Program(const Options& options, const cli::Common& common)
    : options_(options),
      max_frame_bytes_(common.max_frame_bytes),
      program_(options.web, common),
      ice_(options.ice, program_.listeners()),
      output_(open_output(options, common)),
      engine_(program_.loop(), cli::reporter()),
      pngs_(program_.loop()),
      site_{program_.loop(),
            program_.clock(),
            nullptr,
            [this](const FramePtr& frame) { put(frame); },
            [this](rtc::IngestEvents events) { return open_sender(std::move(events)); },
            pngs_,
            latencies_,
            cli::reporter()},
      sessions_(site_, {static_cast<std::size_t>(options.max_sessions),
                        static_cast<std::size_t>(options.max_sessions_per_address)}),
      told_{program_.clock(), sessions_, latencies_, nullptr, nullptr, cli::kVersion, program_.clock().steady()},
      gone_watch_(program_.loop(), [this](int) {
        gone_watch_.watch(-1, 0);
        program_.stop();
      }) {
  if (!options.exec.empty()) {
    pool_.emplace(program_.loop(), program_.clock(), ChildOptions{options.exec, options.exec_timeout},
                  static_cast<std::size_t>(options.warm), cli::reporter());
    site_.pool = &*pool_;
    told_.pool = &*pool_;
  }
  routes_.emplace(sessions_, told_, program_.gate(), route_options(options, max_frame_bytes_, program_, ice_));
  warn_of_plain_http(program_);
  tool::WebProgram::Service service;
  service.handle = [this](http::Connection& connection, const http::Request& request) {
    routes_->handle(connection, request);
  };
  service.exposed = "anybody who can reach it can send pictures";
  service.figures = [this] {
    const Counts counts = sessions_.counts();
    cli::Heartbeat::Figures figures;
    figures.frames = counts.frames;
    figures.bytes = counts.bytes;
    figures.dropped = output_ ? output_->figures().dropped : 0;
    if (captured_) figures.age = program_.clock().wall() - *captured_;
    return figures;
  };
  service.status = [this] { return status_line(told_); };
  service.waiting_for = "a page";
  program_.serve(std::move(service));
  told_.server = &program_.server();
  if (output_) gone_watch_.watch(output_->gone_fd(), IoWatch::kRead);
}

std::unique_ptr<Sender> Program::open_sender(rtc::IngestEvents events) {
  rtc::IngestOptions options;
  options.peer.ice = ice_.options();
  options.max_frame_bytes = max_frame_bytes_;
  options.quality_percent = options_.quality_percent;
  return std::make_unique<RtcSender>(engine_, options, std::move(events));
}

void Program::put(const FramePtr& frame) {
  captured_ = frame->captured;
  // When nobody will read any more gone_watch_ ends the program.
  if (output_) (void)output_->put(frame);
}

Exit Program::run() {
  program_.run();
  told_.server = nullptr;
  if (!output_) return Exit::Done;
  output_->finish(500ms);
  if (const auto error = output_->error()) throw failure_of(*error);
  return Exit::Done;
}

}  // namespace fp::ingest
