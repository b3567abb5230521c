// webrtc-ingest: the cameras of browsers into the pipe, or to a child each, whose words go back.
#include "cli/cli.h"
#include "webrtc-ingest/program.h"

namespace {

using namespace fp;
using namespace std::chrono_literals;

void add_options(CLI::App& app, ingest::Options& options) {
  cli::add_choice(app, "--mode", options.mode,
                  "How our page sends: data (pictures, each whole) or track (video of the browser's making)",
                  {"data", "track"});
  app.add_option("--exec", options.exec,
                 "Give each session's frames to a COMMAND of its own, and send its lines of JSON back to the page")
      ->type_name("COMMAND");
  cli::add_number(app, "--warm", options.warm, "Keep so many of these running for sessions to come", 0, 64);
  cli::add_duration(app, "--exec-timeout", options.exec_timeout,
                    "A child that leaves its input unread for so long is ended, and its session gets another", 100ms,
                    1h);
  cli::add_number(app, "--max-sessions", options.max_sessions, "Turn away further pages", 1, 1000);
  cli::add_number(app, "--max-sessions-per-address", options.max_sessions_per_address,
                  "Turn away further pages of one address", 1, 1000);
  cli::add_number(app, "--quality", options.quality_percent, "Of the JPEGs that a track's pictures become", 1, 100);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Take the cameras of browsers: frames to standard output, or to a program for each page, whose words go back.\n\n"
      "webrtc-ingest --listen :8443 --tls-cert cert.pem --tls-key key.pem | mjpeg-serve\n"
      "webrtc-ingest --exec 'frame-detect --layout sequence --model signs.onnx --window 9s'",
      "webrtc-ingest"};
  ingest::Options options;
  options.web.default_listen = "127.0.0.1:8443";
  options.web.max_connections = 512;
  options.web.max_connections_per_address = 256;
  cli::Common common;
  add_options(app, options);
  cli::add_bytes(app, "--max-frame-bytes", common.max_frame_bytes, "Leave out pictures larger than this", 1024,
                 1u << 30);
  tool::add_web_options(app, options.web);
  tool::add_ice_options(app, options.ice);
  cli::add_live_output(app, common);
  cli::add_common(app, common);
  if (const auto code = cli::parse(app, argc, argv)) return *code;
  tool::blot_out_turn(argc, argv, options.ice);
  options.output_given = app.get_option("--output")->count() > 0;
  cli::start(app, common);
  return cli::run("webrtc-ingest", [&] {
    if (const auto done = tool::sign_token(options.web.access)) return *done;
    return ingest::Program(options, common).run();
  });
}
