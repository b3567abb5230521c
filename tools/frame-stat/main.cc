// frame-stat: what a stream is like.
#include <unistd.h>

#include <utility>

#include "cli/cli.h"
#include "cli/log.h"
#include "frame-stat/doctor.h"
#include "frame-stat/meter.h"
#include "tool/run.h"

namespace {

using namespace fp;
using namespace std::chrono_literals;

struct Options {
  bool json = false;
  bool doctor = false;
  bool pass = false;
};

constexpr auto kStretch = 1s;
constexpr std::uint64_t kDoctorFrames = 30;
constexpr auto kDoctorPatience = 10s;

// Figures go to standard output, or to standard error when that one is for frames.
class Teller {
 public:
  explicit Teller(bool pass) : fd_(pass ? STDERR_FILENO : STDOUT_FILENO) {}
  void say(const std::string& text) {
    cli::show_progress("");
    for (std::string_view rest = text; !rest.empty();) {
      const ssize_t written = ::write(fd_, rest.data(), rest.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) {
        closed_ = true;
        return;
      }
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  [[nodiscard]] bool closed() const { return closed_; }

 private:
  int fd_;
  bool closed_ = false;
};

Exit doctor(const cli::Common& common, const Options& options) {
  const cli::StopSignal stop;
  const SystemClock clock;
  Input input = tool::open_input(common, clock, /*every_frame=*/true);
  const std::uint64_t wanted = common.frames > 0 ? common.frames : kDoctorFrames;
  const SteadyTime until = clock.steady() + kDoctorPatience;
  FramePtr frame;
  Next next = Next::Frame;
  do {
    next = wait_frame(input, frame, stop.fd(), {}, until, clock);
  } while (input.figures().frames < wanted && (next == Next::Frame || next == Next::Woken) && clock.steady() < until);
  const auto findings = diagnose(input.framing(), input.skips(), input.figures().frames);
  Teller(false).say(options.json ? json_of(findings) : text_of(findings));
  return input.figures().frames == 0 ? Exit::BadData : Exit::Done;
}

Exit measure(cli::Common common, const Options& options) {
  const cli::StopSignal stop;
  const SystemClock clock;
  // What it reports as missing must not be what it did not look at itself.
  Input input = tool::open_input(common, clock, /*every_frame=*/true);
  const std::uint64_t frames = std::exchange(common.frames, 0);
  common.output = options.pass ? "-" : "none";
  const auto output = tool::open_output(common, {"frame-stat", /*source=*/false}, &input);
  Teller teller(options.pass);
  Meter meter(clock.steady());
  SteadyTime stretch_end = clock.steady() + kStretch;

  tool::Steps steps;
  steps.frame = [&](FramePtr frame) {
    meter.add(*frame);
    return frame;
  };
  steps.due = [&] { return std::optional(stretch_end); };
  steps.tick = [&](SteadyTime now) -> FramePtr {
    if (now < stretch_end) return nullptr;
    stretch_end += kStretch;
    meter.end_stretch(now, input.skips());
    if (options.json) teller.say(json_of(meter.last(), meter, clock.wall()) + "\n");
    return nullptr;
  };
  steps.status = [&] { return line_of(meter.last(), meter); };
  // Counted as they are read: what is passed on may be fewer.
  steps.enough = [&] { return teller.closed() || (frames > 0 && meter.all().frames >= frames); };
  const Exit exit = tool::run(input, *output, stop, common, clock, steps);
  meter.end_stretch(clock.steady(), input.skips());
  if (options.json) {
    if (meter.last().frames > 0) teller.say(json_of(meter.last(), meter, clock.wall()) + "\n");
  } else {
    teller.say(summary_of(meter.all(), meter));
  }
  return exit;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Say what a stream of frames is like: rate, size, age, gaps, what had to be skipped.\n\n"
      "camgrab test | frame-stat                  a live line, and a summary at the end\n"
      "camgrab test | frame-stat --pass | mjpeg-serve\n"
      "curl -sNi http://camera/video | frame-stat --doctor",
      "frame-stat"};
  Options options;
  cli::Common common;
  app.add_flag("--json", options.json, "Write one JSON object a second instead");
  auto* const doctor_flag =
      app.add_flag("--doctor", options.doctor, "Explain which clients the stream will fail with, and why, and end");
  app.add_flag("--pass", options.pass, "Pass the frames on to standard output; figures go to standard error")
      ->excludes(doctor_flag);
  cli::add_number(app, "--frames", common.frames, "End after so many frames; 0: go on", 0, 1'000'000'000'000);
  app.add_flag("--every-frame", common.every_frame, "With --pass: drop no frame, wait for the reader");
  app.add_flag("--trace", common.trace, "With --pass: note in X-Trace when this tool had each frame");
  cli::add_input(app, common);
  cli::add_common(app, common);
  if (const auto code = cli::parse(app, argc, argv)) return *code;
  cli::start(app, common);
  return cli::run("frame-stat", [&] { return options.doctor ? doctor(common, options) : measure(common, options); });
}
