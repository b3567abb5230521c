// frame-rate: fewer frames.
#include <spdlog/spdlog.h>

#include <algorithm>

#include "cli/cli.h"
#include "frame/pacer.h"
#include "tool/run.h"

namespace {

using namespace fp;

struct Options {
  double fps = 0;
  bool same = false;
  std::uint64_t every = 1;
  std::chrono::milliseconds stats{0};
};

// Decides for each frame; a frame that came too early for the rate waits for a newer one, and passes after all when
// none comes.
class Thinner {
 public:
  /// Of a regular file the rate is that of the capture times: a recording is read faster than
  /// it was made.
  Thinner(const Options& options, const Clock& clock, const Input& input)
      : options_(options),
        clock_(clock),
        input_(input),
        by_capture_(input.regular_file()),
        pacer_(options.fps),
        next_stats_(clock.steady() + options.stats) {}

  FramePtr frame(FramePtr frame) {
    ++seen_;
    if (waiting_) waiting_.reset();
    if ((seen_ - 1) % options_.every != 0) return nullptr;
    if (options_.same && last_ && std::ranges::equal(last_->jpeg.view(), frame->jpeg.view())) return nullptr;
    now_ = by_capture_ ? SteadyTime(frame->captured.time_since_epoch()) : clock_.steady();
    if (pacer_.due(now_)) return pass(std::move(frame));
    if (by_capture_) return nullptr;
    waiting_ = std::move(frame);
    return nullptr;
  }
  [[nodiscard]] std::optional<SteadyTime> due() const {
    std::optional<SteadyTime> until;
    if (options_.stats.count() > 0) until = next_stats_;
    const SteadyTime late = pacer_.late_at(clock_.steady());
    if (waiting_ && (!until || late < *until)) until = late;
    return until;
  }
  FramePtr tick(SteadyTime now) {
    if (options_.stats.count() > 0 && now >= next_stats_) {
      next_stats_ = now + options_.stats;
      spdlog::info("{}", describe());
    }
    if (!waiting_ || now < pacer_.late_at(now)) return nullptr;
    now_ = now;
    return pass(std::move(waiting_));
  }
  [[nodiscard]] std::string describe() const {
    const std::uint64_t seen = input_.figures().frames;
    const std::uint64_t dropped = seen - passed_;
    const double rate = seen == 0 ? 0 : 100.0 * static_cast<double>(dropped) / static_cast<double>(seen);
    return fmt::format("{} seen, {} passed, {} dropped ({:.1f} %)", seen, passed_, dropped, rate);
  }

 private:
  FramePtr pass(FramePtr frame) {
    ++passed_;
    pacer_.passed(now_);
    waiting_.reset();
    if (options_.same) last_ = frame;
    return frame;
  }

  Options options_;
  const Clock& clock_;
  const Input& input_;
  bool by_capture_;
  Pacer pacer_;
  SteadyTime now_;
  SteadyTime next_stats_;
  FramePtr last_;
  FramePtr waiting_;
  std::uint64_t seen_ = 0;
  std::uint64_t passed_ = 0;
};

Exit thin(const Options& options, const cli::Common& common) {
  const cli::StopSignal stop;
  const SystemClock clock;
  // One in N is counted among all that come; else the newest of those that have come together is enough.
  Input input = tool::open_input(common, clock, options.every > 1);
  const auto output = tool::open_output(common, {"frame-rate", /*source=*/false}, &input);
  Thinner thinner(options, clock, input);
  tool::Steps steps;
  steps.frame = [&](FramePtr frame) { return thinner.frame(std::move(frame)); };
  steps.due = [&] { return thinner.due(); };
  steps.tick = [&](SteadyTime now) { return thinner.tick(now); };
  const Exit exit = tool::run(input, *output, stop, common, clock, steps);
  spdlog::info("{}", thinner.describe());
  return exit;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Pass on fewer frames: at most so many a second, one in so many, or only those that differ.\n\n"
      "camgrab test | frame-rate --fps 2 | mjpeg-serve\n"
      "frame-rate --every 10 < day.mjpeg > short.mjpeg",
      "frame-rate"};
  Options options;
  cli::Common common;
  cli::add_number(app, "-f,--fps", options.fps, "At most so many frames a second, evenly; 0: no limit", 0, 1000);
  app.add_flag("--same", options.same, "Drop a frame that is equal, byte for byte, to the last one passed");
  cli::add_number(app, "--every", options.every, "Pass the first of each N frames", 1, 1'000'000'000);
  cli::add_duration(app, "--stats", options.stats,
                    "Say now and then what was seen, passed and dropped; 0s: at the end only",
                    std::chrono::milliseconds(0), std::chrono::hours(24));
  cli::add_input(app, common);
  cli::add_output(app, common);
  cli::add_common(app, common);
  if (const auto code = cli::parse(app, argc, argv)) return *code;
  cli::start(app, common);
  return cli::run("frame-rate", [&] { return thin(options, common); });
}
