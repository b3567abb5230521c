// mjpeg-serve: frames to browsers and programs over HTTP.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/secret_url.h"
#include "base/text.h"
#include "cli/cli.h"
#include "mjpeg-serve/webrtc_links.h"
#include "tool/server.h"

namespace {

using namespace fp;

struct Options {
  std::vector<std::string> cameras;
  std::vector<std::string> webrtc;
  tool::ServerOptions server;
};

// "NAME=SPEC", "NAME=SPEC,on-demand".
CameraOptions parse_camera(const std::string& text, bool on_demand) {
  const auto equals = text.find('=');
  CameraOptions camera;
  camera.name = text.substr(0, equals);
  if (equals == std::string::npos || !is_plain_name(camera.name)) {
    throw Failure{Exit::Usage, "--camera " + blotted(text) + ": write NAME=SPEC, a NAME of letters, digits, - and _"};
  }
  std::string spec = text.substr(equals + 1);
  constexpr std::string_view kOnDemand = ",on-demand";
  camera.on_demand = on_demand;
  if (spec.ends_with(kOnDemand)) {
    spec.resize(spec.size() - kOnDemand.size());
    camera.on_demand = true;
  }
  auto source = parse_source(spec, find_camgrab());
  if (!source) throw Failure{Exit::Usage, "--camera " + camera.name + "=" + source.error().text};
  camera.source = std::move(*source);
  return camera;
}

// Standard input is a terminal or /dev/null, as it is in a unit of systemd.
bool nothing_piped_in() {
  struct stat info {};
  return ::fstat(STDIN_FILENO, &info) != 0 || S_ISCHR(info.st_mode);
}

std::vector<CameraOptions> parse_cameras(const Options& options, const cli::Common& common, bool input_given) {
  std::vector<CameraOptions> cameras;
  const bool on_demand = options.server.on_demand;
  const bool waits_for_pages = !options.server.allow_source.empty() && nothing_piped_in();
  if (input_given || (options.cameras.empty() && !waits_for_pages)) {
    cameras.push_back(parse_camera("camera=" + common.input, on_demand && common.input != "-"));
  }
  for (const std::string& text : options.cameras) cameras.push_back(parse_camera(text, on_demand));
  bool standard = false;
  for (auto camera = cameras.begin(); camera != cameras.end(); ++camera) {
    const std::string& name = camera->name;
    const auto same = [&](const CameraOptions& other) { return other.name == name; };
    if (std::any_of(cameras.begin(), camera, same)) throw Failure{Exit::Usage, "two cameras are called " + name};
    const Endpoint& endpoint = camera->source.endpoint;
    const auto kind = endpoint.kind;
    if (kind != Endpoint::Kind::Standard && kind != Endpoint::Kind::Fd) continue;
    if (camera->on_demand) {
      throw Failure{Exit::Usage, "camera " + name + ": " + endpoint.text +
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
                 "A camera: NAME=SPEC, or NAME=SPEC,on-demand; any number of times. A number is /dev/videoN, 'test' a "
                 "moving test card. Without one, --input is the camera 'camera'")
      ->type_name("NAME=SPEC")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  app.add_flag("--on-demand", options.server.on_demand,
               "Start every camera's source with its first viewer, stop it after its last");
  tool::add_server_options(app, options.server, /*with_sources=*/true);
  tool::add_list(
      app, "--webrtc", options.webrtc, "URL",
      "Let the viewer page show the first camera, or CAMERA with CAMERA=URL, from the webrtc-serve whose page "
      "is at URL, too; any number of times");
  app.add_flag("--trace", common.trace, "Note in X-Trace when this tool had each frame");
  cli::add_input(app, common);
  cli::add_common(app, common);
  if (const auto code = cli::parse(app, argc, argv)) return *code;
  cli::start(app, common);
  return cli::run("mjpeg-serve", [&] {
    if (const auto done = tool::sign_token(options.server.web.access)) return *done;
    options.server.tool = "mjpeg-serve";
    const bool input_given = app.get_option("--input")->count() > 0;
    const std::vector<CameraOptions> cameras = parse_cameras(options, common, input_given);
    const bool may_come = !options.server.allow_source.empty() && !options.server.read_only;
    options.server.webrtc = parse_webrtc_links(options.webrtc, cameras, may_come);
    return tool::Server(options.server, common, cameras).run();
  });
}
