// frame-record: frames into files.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "base/text.h"
#include "cli/cli.h"
#include "record/recorder.h"
#include "tool/run.h"

namespace {

using namespace fp;

struct Options {
  std::string folder;
  std::string name = "%Y-%m-%d/%H-%M-%S";
  bool local = false;
  record::Limits segment;
  record::Limits keep;
  std::uint64_t min_free_bytes = 500u << 20;
  bool cameras = false;
};

// Which of the frames are recorded, and where: between the input and the recorder's thread.
class Session {
 public:
  Session(record::Recorder& recorder, const cli::Common& common, const Clock& clock, const Input& input)
      : recorder_(recorder), clock_(clock), limit_(common.frames), by_capture_(input.regular_file()) {}

  void take(const FramePtr& frame) {
    if (frame->signal != Signal::Live || enough()) return;
    const std::string file = recorder_.file_of(*frame);
    const SteadyTime now = by_capture_ ? SteadyTime(frame->captured.time_since_epoch()) : clock_.steady();
    if (recorder_.put({frame, now}, file)) ++recorded_;
  }
  [[nodiscard]] bool enough() const { return limit_ > 0 && recorded_ >= limit_; }

 private:
  record::Recorder& recorder_;
  const Clock& clock_;
  const std::uint64_t limit_;
  const bool by_capture_;
  std::uint64_t recorded_ = 0;
};

std::string describe(const record::Recorder& recorder) {
  const record::Recorder::Figures figures = recorder.figures();
  std::string text =
      fmt::format("{} frames, {} in {} files", figures.frames, human_bytes(figures.bytes), figures.segments);
  if (figures.dropped > 0) text += fmt::format(", {} dropped: the disk is too slow", figures.dropped);
  if (figures.lost > 0) text += fmt::format(", {} lost", figures.lost);
  if (figures.turned_away > 0) text += fmt::format(", {} of too many cameras", figures.turned_away);
  const std::string trouble = recorder.trouble();
  return trouble.empty() ? text : text + "; " + trouble;
}

Exit record_frames(const Options& options, cli::Common common) {
  auto names = record::NamePattern::parse(options.name, ".mjpeg", options.local);
  if (!names) throw Failure{Exit::Usage, "--name " + names.error().text};
  const cli::StopSignal stop;
  const SystemClock clock;
  Input input = tool::open_input(common, clock, /*every_frame=*/true);
  record::Recorder recorder({.folder = options.folder,
                             .names = *names,
                             .segment = options.segment,
                             .keep = {options.keep, options.min_free_bytes},
                             .cameras = options.cameras,
                             .in_order = input.regular_file() || common.every_frame},
                            clock, cli::reporter());
  Session session(recorder, common, clock, input);
  common.frames = 0;  // of what is recorded, not of what is passed on
  const auto output = tool::open_output(common, {"frame-record", /*source=*/false}, &input);
  tool::Steps steps;
  steps.frame = [&](FramePtr frame) {
    session.take(frame);
    return frame;
  };
  steps.status = [&] { return describe(recorder); };
  steps.enough = [&] { return session.enough(); };
  const Exit exit = tool::run(input, *output, stop, common, clock, steps);
  recorder.finish();
  spdlog::info("{}", describe(recorder));
  if (!stop.raised() && !recorder.trouble().empty()) throw Failure{Exit::Io, recorder.trouble()};
  return exit;
}

void add_limits(CLI::App& app, const std::string& name, record::Limits& limits, const std::string& help) {
  const auto read = [&limits, name](const std::string& text) {
    auto parsed = record::parse_limits(text);
    if (!parsed) throw CLI::ValidationError(name, parsed.error().text);
    limits = *parsed;
  };
  app.add_option_function<std::string>(name, read, help)->type_name("TIME|BYTES");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Write every frame that comes into files, which stay whole whatever happens.\n\n"
      "camgrab | frame-record --segment 10m --keep 7d /srv/rec     a week, in files of ten minutes\n"
      "camgrab | frame-record -o - /srv/rec | mjpeg-serve          record, and watch meanwhile",
      "frame-record"};
  Options options;
  cli::Common common;
  common.output = "none";
  app.add_option("DIR", options.folder, "Where the files go; it is made when it is missing")
      ->type_name("DIR")
      ->required();
  add_limits(app, "--segment", options.segment,
             "Begin a new file after this time (10m) or size (500M), or both (10m,500M)");
  add_limits(app, "--keep", options.keep,
             "Remove the oldest files that are older than this (7d), or beyond this size together (50G), or both");
  cli::add_bytes(app, "--min-free", options.min_free_bytes,
                 "Keep so much of the disk free: remove the oldest files, then drop frames", 0, 1ull << 50);
  app.add_option("--name", options.name, "Names of the files, by strftime(3) of the first frame's time, below DIR")
      ->type_name("FORMAT")
      ->capture_default_str();
  app.add_flag("--local", options.local, "Names in the zone of this machine instead of UTC");
  app.add_flag("--cameras", options.cameras, "A folder for each camera, by X-Camera");
  cli::add_input(app, common);
  cli::add_output(app, common);
  cli::add_common(app, common);
  if (const auto code = cli::parse(app, argc, argv)) return *code;
  cli::start(app, common);
  return cli::run("frame-record", [&] { return record_frames(options, common); });
}
