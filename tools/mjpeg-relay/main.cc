// mjpeg-relay: frames of HTTP cameras and servers, to standard output or to viewers of its own.
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/secret_url.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/credentials.h"
#include "cli/version.h"
#include "source/no_signal.h"
#include "tool/run.h"
#include "tool/server.h"

namespace {

using namespace fp;
using namespace std::chrono_literals;

struct Options {
  std::vector<std::string> upstreams;
  bool always = false;
  std::chrono::milliseconds timeout{10'000};
  std::string no_signal = "hold";
  std::string credentials_file;
  std::string ca_file;
  bool insecure = false;
  tool::ServerOptions server;
};

struct Upstream {
  std::string name;  // "" when none was given
  CameraOptions camera;
};

// "NAME=URL" or "URL".
Upstream parse_upstream(const std::string& text, const Options& options, const cli::Credentials& credentials) {
  Upstream upstream;
  std::string url = text;
  const auto equals = text.find('=');
  if (equals != std::string::npos && is_plain_name(text.substr(0, equals))) {
    upstream.name = text.substr(0, equals);
    url = text.substr(equals + 1);
  }
  const std::string shown = http::is_http_url(url) ? without_secret(url).text : url;
  if (url.find("://") == std::string::npos && url.find(':') == url.rfind(':') && !url.starts_with("tcp:") &&
      !url.starts_with("unix:") && !url.starts_with("exec:")) {
    throw Failure{Exit::Usage, "'" + shown + "' is no URL: write http://" + shown};
  }
  if (!http::is_http_url(url)) {
    throw Failure{Exit::Usage, "'" + shown +
                                   "' is no http:// or https:// URL (a SPEC such as tcp:HOST:PORT is read by " +
                                   "mjpeg-serve --camera NAME=SPEC)"};
  }
  auto endpoint = parse_endpoint(url, Direction::In);
  if (!endpoint) throw Failure{Exit::Usage, endpoint.error().text};
  CameraOptions& camera = upstream.camera;
  camera.name = upstream.name.empty() ? "camera" : upstream.name;
  camera.source.endpoint = std::move(*endpoint);
  camera.source.http.ca_file = options.ca_file;
  camera.source.http.insecure = options.insecure;
  if (const std::string& secret = credentials.of(camera.name); !secret.empty()) {
    const auto colon = secret.find(':');
    camera.source.http.credentials = {secret.substr(0, colon), secret.substr(colon + 1)};
  }
  camera.source.http.credentials_hint = "http://USER:PASSWORD@HOST/... or --credentials FILE";
  camera.source.http.certificate_hint = "--ca FILE trusts the certificates in FILE, --insecure any";
  camera.source.http.user_agent = std::string("mjpeg-relay/") + cli::kVersion;
  camera.source.frame_timeout = options.timeout;
  camera.on_demand = !options.always;
  return upstream;
}

std::vector<Upstream> parse_upstreams(const Options& options) {
  const cli::Credentials credentials = cli::read_credentials(options.credentials_file, "MJPEG_RELAY_CREDENTIALS");
  std::vector<Upstream> upstreams;
  for (const std::string& text : options.upstreams) {
    Upstream upstream = parse_upstream(text, options, credentials);
    const auto same = [&](const Upstream& other) { return other.camera.name == upstream.camera.name; };
    if (std::any_of(upstreams.begin(), upstreams.end(), same)) {
      throw Failure{Exit::Usage, "two upstreams are called " + upstream.camera.name + ": write NAME=URL"};
    }
    upstreams.push_back(std::move(upstream));
  }
  return upstreams;
}

NoSignal::Policy policy_of(const std::string& text) {
  if (text == "card") return NoSignal::Policy::Card;
  return text == "none" ? NoSignal::Policy::None : NoSignal::Policy::Hold;
}

// One upstream to --output.
Exit relay_to_output(const Options& options, const cli::Common& common, const Upstream& upstream) {
  const cli::StopSignal stop;
  const SystemClock clock;
  const auto output = tool::open_output(common, {"mjpeg-relay", /*source=*/false});
  const Source& source = upstream.camera.source;
  Input::Options wanted;
  wanted.max_frame_bytes = common.max_frame_bytes;
  wanted.every_frame = common.every_frame;
  wanted.http = source.http;
  wanted.frame_timeout = source.frame_timeout;
  auto input = Input::open(source.endpoint, std::move(wanted), clock, cli::reporter());
  if (!input) throw failure_of(input.error());
  NoSignal no_signal(policy_of(options.no_signal), clock);
  tool::Steps steps;
  steps.frame = [&](FramePtr frame) -> FramePtr {
    if (!upstream.name.empty() && frame->camera != upstream.name) {
      Frame named = *frame;
      named.camera = upstream.name;
      frame = std::make_shared<const Frame>(std::move(named));
    }
    if (frame->signal == Signal::Live) no_signal.seen(frame);
    return frame;
  };
  steps.due = [&] { return std::optional(no_signal.due()); };
  steps.tick = [&](SteadyTime) { return no_signal.tick(input->trouble()); };
  steps.waiting_for = "the first frame of " + source.endpoint.text;
  return tool::run(*input, *output, stop, common, clock, steps);
}

// Connects only while somebody watches, once for all who do.
Exit relay_to_viewers(const Options& options, const cli::Common& common, const std::vector<Upstream>& upstreams) {
  std::vector<CameraOptions> cameras;
  cameras.reserve(upstreams.size());
  for (const Upstream& upstream : upstreams) cameras.push_back(upstream.camera);
  return tool::Server(options.server, common, cameras).run();
}

// Wrong from the beginning, and not only when it is needed.
void check_authorities(const std::string& file) {
  if (!file.empty() && ::access(file.c_str(), R_OK) != 0) throw failure_of(io_error("--ca " + file));
}

Exit relay(const Options& options, const cli::Common& common, bool output_given) {
  const bool serves = !options.server.web.listen.empty() || std::getenv("LISTEN_FDS") != nullptr;
  if (options.upstreams.empty()) {
    throw Failure{Exit::Usage, "no URL (mjpeg-relay http://cam.local/stream | mjpeg-serve)"};
  }
  const std::vector<Upstream> upstreams = parse_upstreams(options);
  check_authorities(options.ca_file);
  if (serves && output_given) throw Failure{Exit::Usage, "--output and --listen do not go together: choose one"};
  if (serves) return relay_to_viewers(options, common, upstreams);
  if (options.server.web.access.given()) {
    throw Failure{Exit::Usage, "--auth, --token and --grant are for viewers: they need --listen"};
  }
  if (upstreams.size() > 1) {
    throw Failure{Exit::Usage, "several upstreams need --listen: a stream of frames holds one camera"};
  }
  return relay_to_output(options, common, upstreams.front());
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Read frames of an HTTP camera or server, and pass them on unchanged: to standard output, or with --listen to "
      "viewers, for whom it connects only while they watch, and once for all of them.\n\n"
      "mjpeg-relay http://cam.local/stream | mjpeg-serve\n"
      "mjpeg-relay --listen :9001 door=http://10.0.0.7/video yard=https://10.0.0.8/mjpg",
      "mjpeg-relay"};
  Options options;
  options.server.serve.idle = 3s;
  cli::Common common;
  app.add_option("upstream", options.upstreams,
                 "A URL, http:// or https://; with --listen any number of them, by NAME=URL")
      ->type_name("[NAME=]URL");
  cli::add_duration(app, "--timeout", options.timeout, "Connect again when no frame comes for so long; 0s: never", 0ms,
                    24h);
  cli::add_choice(app, "--no-signal", options.no_signal,
                  "What to write each second while there is no picture: the last one, a card that says why, nothing",
                  {"hold", "card", "none"});
  app.add_option("--credentials", options.credentials_file, "A file with USER:PASSWORD, or lines NAME=USER:PASSWORD")
      ->type_name("FILE");
  app.add_option("--ca", options.ca_file, "Trust the certificates that those in this file (PEM) have signed")
      ->type_name("FILE");
  app.add_flag("--insecure", options.insecure,
               "Take any certificate: whoever is on the way can see and change pictures");
  app.add_flag("--always", options.always, "With --listen: stay connected also while nobody watches");
  tool::add_server_options(app, options.server, /*with_sources=*/false);
  cli::add_bytes(app, "--max-frame-bytes", common.max_frame_bytes, "Skip frames larger than this", 1024, 1u << 30);
  cli::add_output(app, common);
  cli::add_common(app, common);
  if (const auto code = cli::parse(app, argc, argv)) return *code;
  cli::start(app, common);
  const bool output_given = app.get_option("--output")->count() > 0;
  return cli::run("mjpeg-relay", [&] {
    if (const auto done = tool::sign_token(options.server.web.access)) return *done;
    options.server.tool = "mjpeg-relay";
    return relay(options, common, output_given);
  });
}
