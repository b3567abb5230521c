// camgrab: frames from a camera, or from a moving test card.
#include "cli/cli.h"
#include "source/test_card.h"
#include "tool/run.h"

namespace {

using namespace fp;

constexpr const char* kNoCamera = "cameras are not supported yet (use 'camgrab test' for a moving test card)";

Exit grab(const std::string& source, const TestCard::Options& options, const cli::Common& common) {
  if (source != "test") throw Failure{Exit::NoInput, (source.empty() ? "" : source + ": ") + std::string(kNoCamera)};
  const cli::StopSignal stop;
  const SystemClock clock;
  const auto output = tool::open_output(common, {"camgrab", /*source=*/true});
  TestCard card(options, clock);
  return tool::run(card, *output, stop, common, clock);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Write the frames of a camera to standard output.\n\n"
      "camgrab test | mjpeg-serve                 a moving card with a clock in every browser",
      "camgrab"};
  std::string source;
  TestCard::Options options;
  cli::Common common;
  app.add_option("source", source, "'test', a moving card with a clock")->type_name("SOURCE");
  cli::add_size(app, "-s,--size", options.size.width_px, options.size.height_px, "Width and height of the picture");
  cli::add_number(app, "-f,--fps", options.fps, "Frames a second", 0.01, 1000);
  cli::add_number(app, "--quality", options.quality_percent, "JPEG quality, 1 to 100", 1, 100);
  cli::add_output(app, common);
  cli::add_common(app, common);
  if (const auto code = cli::parse(app, argc, argv)) return *code;
  cli::start(app, common);
  options.every_frame = common.every_frame;
  return cli::run("camgrab", [&] { return grab(source, options, common); });
}
