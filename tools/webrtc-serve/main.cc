// webrtc-serve: frames to browsers as video, by WebRTC.
#include "cli/cli.h"
#include "webrtc-serve/options.h"
#include "webrtc-serve/program.h"

int main(int argc, char** argv) {
  using namespace fp;
  CLI::App app{
      "Serve frames as video (VP8 or H.264) to any number of browsers by WebRTC; they are encoded once, and only while "
      "somebody watches.\n\n"
      "camgrab | webrtc-serve                     then open http://127.0.0.1:8889/\n"
      "webrtc-serve --input test                  a moving card, to try it\n"
      "webrtc-serve --input unix:/run/framepipe/door.sock --codec h264 --bitrate 2M --listen :8889",
      "webrtc-serve"};
  webrtc_serve::Options options;
  cli::Common common;
  webrtc_serve::add_options(app, options);
  cli::add_input(app, common);
  cli::add_common(app, common);
  if (const auto code = cli::parse(app, argc, argv)) return *code;
  tool::blot_out_turn(argc, argv, options.ice);
  cli::start(app, common);
  options.address_limit_given = app.get_option("--max-viewers-per-address")->count() > 0;
  return cli::run("webrtc-serve", [&] {
    if (const auto done = tool::sign_token(options.web.access)) return *done;
    return webrtc_serve::Program(options, common).run();
  });
}
