// frame-record: frames into files.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "base/text.h"
#include "cli/cli.h"
#include "record/condition.h"
#include "record/recorder.h"
#include "record/trigger.h"
#include "tool/run.h"

namespace {

using namespace fp;

constexpr std::size_t kQueueBytes = 64u << 20;

struct Options {
  std::string folder;
  std::string name = "%Y-%m-%d/%H-%M-%S";
  std::string format = "mjpeg";
  bool local = false;
  record::Limits segment;
  record::Limits keep;
  std::uint64_t min_free_bytes = 500u << 20;
  bool cameras = false;
  std::vector<record::Condition> when;
  std::chrono::milliseconds pre{0};
  std::chrono::milliseconds post{0};
};

// Which of the frames are recorded, and where: between the input and the recorder's thread.
class Session {
 public:
  Session(record::Recorder& recorder, const Options& options, const cli::Common& common, const Clock& clock,
          const Input& input)
      : recorder_(recorder),
        options_(options),
        clock_(clock),
        limit_(common.frames),
        by_capture_(input.regular_file()) {}

  void take(const FramePtr& frame) {
    if (frame->signal != Signal::Live || enough()) return;
    const std::string file = recorder_.file_of(*frame);
    const SteadyTime now = by_capture_ ? SteadyTime(frame->captured.time_since_epoch()) : clock_.steady();
    if (options_.when.empty()) {
      put({frame, now}, file);
      return;
    }
    record::Trigger* const trigger = trigger_of(file);
    if (trigger == nullptr) return;
    auto step = trigger->take({frame, now}, record::any_holds(options_.when, *frame));
    if (step.end) recorder_.end(file);
    if (step.begin) ++events_;
    for (record::Timed& timed : step.record) put(std::move(timed), file);
    tell_cut_short();
  }
  // When an event ends although no frame comes. Of a recording only its frames say how late it is.
  [[nodiscard]] std::optional<SteadyTime> due() const {
    std::optional<SteadyTime> first;
    for (const auto& [file, trigger] : triggers_) {
      if (by_capture_ || !trigger.recording()) continue;
      // A frame of that very moment still belongs to it.
      const SteadyTime ends = trigger.ends() + std::chrono::milliseconds(1);
      first = first ? std::min(*first, ends) : ends;
    }
    return first;
  }
  void tick(SteadyTime now) {
    if (by_capture_) return;
    for (auto& [file, trigger] : triggers_) {
      if (trigger.over(now)) recorder_.end(file);
    }
  }
  [[nodiscard]] bool enough() const { return limit_ > 0 && recorded_ >= limit_; }
  [[nodiscard]] std::uint64_t events() const { return events_; }

 private:
  record::Trigger* trigger_of(const std::string& file) {
    const auto found = triggers_.find(file);
    if (found != triggers_.end()) return &found->second;
    if (triggers_.size() >= record::Recorder::kMostCameras) return nullptr;
    return &triggers_.try_emplace(file, record::Trigger::Times{options_.pre, options_.post}, budget_).first->second;
  }
  void put(record::Timed timed, const std::string& file) {
    if (!enough() && recorder_.put(std::move(timed), file)) ++recorded_;
  }
  void tell_cut_short() {
    if (budget_.cut_short == 0 || std::exchange(told_cut_short_, true)) return;
    spdlog::warn("--pre {}: is more than {} of frames, which is all that is kept", cli::to_text(options_.pre),
                 human_bytes(budget_.most_bytes));
  }

  record::Recorder& recorder_;
  const Options& options_;
  const Clock& clock_;
  const std::uint64_t limit_;
  const bool by_capture_;
  std::uint64_t recorded_ = 0;
  std::uint64_t events_ = 0;
  bool told_cut_short_ = false;
  record::Ring::Budget budget_;
  std::map<std::string, record::Trigger> triggers_;  // by what recorder_ calls a file
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
  auto names = record::NamePattern::parse(options.name, "." + options.format, options.local);
  if (!names) throw Failure{Exit::Usage, "--name " + names.error().text};
  const cli::StopSignal stop;
  const SystemClock clock;
  Input input = tool::open_input(common, clock, /*every_frame=*/true);
  record::Recorder recorder(
      {.folder = options.folder,
       .names = *names,
       .segment = options.segment,
       .keep = {options.keep, options.min_free_bytes},
       .cameras = options.cameras,
       .in_order = input.regular_file() || common.every_frame,
       // What was kept in memory for --pre comes all at once.
       .queue_bytes = kQueueBytes + (options.pre.count() > 0 ? record::Ring::Budget().most_bytes : 0)},
      clock, cli::reporter());
  Session session(recorder, options, common, clock, input);
  common.frames = 0;  // of what is recorded, not of what is passed on
  const auto output = tool::open_output(common, {"frame-record", /*source=*/false}, &input);
  tool::Steps steps;
  steps.frame = [&](FramePtr frame) {
    session.take(frame);
    return frame;
  };
  steps.due = [&] { return session.due(); };
  steps.tick = [&](SteadyTime now) -> FramePtr {
    session.tick(now);
    return nullptr;
  };
  steps.status = [&] { return describe(recorder); };
  steps.enough = [&] { return session.enough(); };
  const Exit exit = tool::run(input, *output, stop, common, clock, steps);
  recorder.finish();
  spdlog::info("{}{}", describe(recorder), options.when.empty() ? "" : fmt::format(", {} events", session.events()));
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
      "camgrab | frame-record -o - /srv/rec | mjpeg-serve          record, and watch meanwhile\n"
      "camgrab | frame-detect --detector motion | frame-record --when motion --pre 10s --post 20s /srv/rec",
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
  cli::add_choice(app, "--format", options.format, "The stream as it is, or Matroska with the same pictures",
                  {"mjpeg", "mkv"});
  app.add_option("--name", options.name, "Names of the files, by strftime(3) of the first frame's time, below DIR")
      ->type_name("FORMAT")
      ->capture_default_str();
  app.add_flag("--local", options.local, "Names in the zone of this machine instead of UTC");
  app.add_flag("--cameras", options.cameras, "A folder for each camera, by X-Camera");
  const auto read_when = [&options](const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      auto condition = record::Condition::parse(text);
      if (!condition) throw CLI::ValidationError("--when", condition.error().text);
      options.when.push_back(std::move(*condition));
    }
  };
  app.add_option_function<std::vector<std::string>>(
         "--when", read_when,
         "Record only while this was detected: a label and its confidence, as in 'person>0.5'; *: any label. May be "
         "given more than once: one is enough")
      ->type_name("LABEL>N")
      ->allow_extra_args(false);
  const std::chrono::milliseconds none(0);
  cli::add_duration(app, "--pre", options.pre, "With --when: record from so long before it, too", none,
                    std::chrono::hours(1))
      ->needs("--when");
  cli::add_duration(app, "--post", options.post, "With --when: record for so long after it, too", none,
                    std::chrono::hours(24))
      ->needs("--when");
  cli::add_input(app, common);
  cli::add_output(app, common);
  cli::add_common(app, common);
  if (const auto code = cli::parse(app, argc, argv)) return *code;
  cli::start(app, common);
  return cli::run("frame-record", [&] { return record_frames(options, common); });
}
