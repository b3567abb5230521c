// frame-publish: the newest frames of a camera, to an MQTT broker.
#include <spdlog/spdlog.h>

#include "cli/cli.h"
#include "cli/version.h"
#include "mqtt/publisher.h"
#include "tool/broker_options.h"
#include "tool/run.h"

namespace {

using namespace fp;
using namespace std::chrono_literals;

struct Options {
  tool::BrokerFlags broker;
  bool framed = false;
  std::chrono::milliseconds retain_every{1000};
  bool retain_every_given = false;
  std::chrono::milliseconds stale{10'000};
  std::string home_assistant;
};

// Levels of a topic, as Home Assistant's discovery prefix has them.
void check_discovery(const Options& options) {
  const std::string& prefix = options.home_assistant;
  if (prefix.empty()) return;
  if (options.framed) {
    throw Failure{Exit::Usage,
                  "--home-assistant and --framed do not go together: Home Assistant shows bare JPEGs only"};
  }
  const bool wrong = prefix.find_first_of("+# ") != std::string::npos || prefix.starts_with('/') ||
                     prefix.starts_with('$') || prefix.ends_with('/');
  if (wrong) {
    throw Failure{Exit::Usage, "--home-assistant " + prefix +
                                   ": no prefix of a topic (it is 'homeassistant' unless it was changed there)"};
  }
}

mqtt::Publisher::Options publisher_options(const Options& options, const cli::Common& common, const Input& input,
                                           const cli::StopSignal& stop) {
  mqtt::Publisher::Options wanted;
  wanted.url = tool::broker_url(options.broker);
  if (wanted.url.names.size() != 1 || wanted.url.names.front() == "+") {
    throw Failure{Exit::Usage, wanted.url.text() + ": frames of one camera are published: name one"};
  }
  wanted.protocol = tool::protocol_of(options.broker);
  wanted.tls = options.broker.tls;
  wanted.qos = options.broker.qos;
  wanted.framed = options.framed;
  // nats-server takes nothing of a client for up to 4 s when it cannot store what is to be kept, since the node has
  // died that led its nodes in it.
  const bool keep = wanted.url.brokers.size() == 1 || options.retain_every_given;
  wanted.retain_every = keep ? options.retain_every : 0ms;
  wanted.stale = options.stale;
  wanted.home_assistant = options.home_assistant;
  wanted.version = cli::kVersion;
  wanted.every_frame = common.every_frame || input.regular_file();
  wanted.limit = common.frames;
  if (common.trace) wanted.trace = TraceHop{"frame-publish", /*source=*/false};
  wanted.stop_fd = stop.fd();
  return wanted;
}

Exit publish(const Options& options, const cli::Common& common) {
  check_discovery(options);
  (void)tool::broker_url(options.broker);  // what is wrong in it is wrong without an input, too
  const cli::StopSignal stop;
  const SystemClock clock;
  Input input = tool::open_input(common, clock);
  auto opened = mqtt::Publisher::open(publisher_options(options, common, input, stop), clock, cli::reporter());
  if (!opened) throw failure_of(opened.error());
  mqtt::Publisher& publisher = **opened;
  tool::Steps steps;
  steps.due = [&] { return publisher.due(); };
  steps.tick = [&](SteadyTime now) {
    publisher.tick(now);
    return FramePtr();
  };
  steps.status = [&] { return publisher.describe(); };
  const Exit exit = tool::run(input, publisher, stop, common, clock, steps);
  spdlog::info("{}", publisher.describe());
  return exit;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Send the newest frames of a camera to an MQTT broker: pictures on PREFIX/NAME/frame, what was detected in them "
      "on "
      "PREFIX/NAME/detections, online or offline on PREFIX/NAME/status.\n\n"
      "camgrab | frame-publish mqtt://broker/cams/door\n"
      "camgrab | frame-publish mqtts://me@broker/cams/door --credentials door.secret --home-assistant",
      "frame-publish"};
  Options options;
  cli::Common common;
  tool::add_broker_options(app, options.broker,
                           "Broker and camera: mqtt[s]://[USER@]HOST[:PORT][,HOST...]/PREFIX/NAME");
  app.add_flag("--framed", options.framed,
               "Send each frame with its headers (time, sequence, detections) instead of the bare JPEG");
  const auto* const retain_every = cli::add_duration(
      app, "--retain-every", options.retain_every,
      "How often the broker is to keep a frame for those who come later; 0s: never, as with several brokers", 0ms, 24h);
  cli::add_duration(app, "--stale", options.stale, "Offline when no live frame has come for so long; 0s: never", 0ms,
                    24h);
  app.add_option("--home-assistant", options.home_assistant,
                 "Announce the camera to Home Assistant, whose discovery has this prefix")
      ->type_name("PREFIX")
      ->expected(0, 1)
      ->default_str("homeassistant");
  cli::add_input(app, common);
  app.add_flag("--every-frame", common.every_frame, "Drop no frame: wait for the broker (a batch job)");
  cli::add_frames(app, common);
  cli::add_common(app, common);
  if (const auto code = cli::parse(app, argc, argv)) return *code;
  options.retain_every_given = retain_every->count() > 0;
  cli::start(app, common);
  return cli::run("frame-publish", [&] { return publish(options, common); });
}
