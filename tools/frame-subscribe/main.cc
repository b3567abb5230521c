// frame-subscribe: frames of cameras, from an MQTT broker.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "base/text.h"
#include "cli/cli.h"
#include "mqtt/subscriber.h"
#include "tool/broker_options.h"
#include "tool/run.h"

namespace {

using namespace fp;

struct Options {
  tool::BrokerFlags broker;
  std::string share;
};

Exit subscribe(const Options& options, const cli::Common& common) {
  if (!options.share.empty() && !is_plain_name(options.share)) {
    throw Failure{Exit::Usage,
                  "--share " + options.share + ": a group is letters, digits, - and _, at most 64 of them"};
  }
  mqtt::Subscriber::Options wanted;
  wanted.url = tool::broker_url(options.broker);
  wanted.protocol = tool::protocol_of(options.broker);
  wanted.tls = options.broker.tls;
  wanted.qos = options.broker.qos;
  wanted.share = options.share;
  wanted.max_frame_bytes = common.max_frame_bytes;
  wanted.max_waiting_bytes = std::max<std::size_t>(wanted.max_waiting_bytes, common.max_frame_bytes);
  const cli::StopSignal stop;
  const SystemClock clock;
  const auto output = tool::open_output(common, {"frame-subscribe", /*source=*/false});
  auto subscriber = mqtt::Subscriber::open(std::move(wanted), clock, cli::reporter());
  if (!subscriber) throw failure_of(subscriber.error());
  tool::Steps steps;
  steps.status = [&] { return (*subscriber)->describe(); };
  const Exit exit = tool::run(**subscriber, *output, stop, common, clock, steps);
  spdlog::info("{}", (*subscriber)->describe());
  return exit;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Read the frames of cameras from an MQTT broker: the newest ones of PREFIX/NAME/frame, with X-Camera.\n\n"
      "frame-subscribe mqtt://broker/cams/door | mjpeg-serve\n"
      "frame-subscribe mqtt://broker/cams/+ --share detectors | frame-detect --detector motion --json -",
      "frame-subscribe"};
  Options options;
  cli::Common common;
  tool::add_broker_options(
      app, options.broker,
      "Broker and cameras: mqtt[s]://[USER@]HOST[:PORT][,HOST...]/PREFIX/NAME[,NAME...], + for all");
  app.add_option("--share", options.share, "Share the frames with all others of this group: each frame goes to one")
      ->type_name("GROUP");
  cli::add_bytes(app, "--max-frame-bytes", common.max_frame_bytes, "Skip frames larger than this", 1024, 256u << 20);
  cli::add_live_output(app, common);
  cli::add_common(app, common);
  if (const auto code = cli::parse(app, argc, argv)) return *code;
  cli::start(app, common);
  return cli::run("frame-subscribe", [&] { return subscribe(options, common); });
}
