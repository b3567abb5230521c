// camgrab: frames from a camera, a file, a URL, raw video, or a moving test card.
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

#include "base/secret_url.h"
#include "base/text.h"
#include "camgrab/list.h"
#include "cli/cli.h"
#include "cli/credentials.h"
#include "frame/pacer.h"
#include "source/camera.h"
#include "source/ffmpeg.h"
#include "source/no_signal.h"
#include "source/test_card.h"
#include "source/y4m.h"
#include "tool/run.h"

namespace {

using namespace fp;

struct Options {
  std::string source;
  jpeg::Size size{640, 480};
  bool size_given = false;
  double fps = 30;
  bool fps_given = false;
  std::string format = "auto";
  int quality_percent = 80;
  int threads = 1;
  std::vector<std::string> controls;
  std::chrono::milliseconds timeout{5000};
  std::string no_signal = "hold";
  std::string credentials_file;
  bool list = false;
  bool json = false;
};

enum class Kind { Camera, Test, Raw, Film };

bool is_regular(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

Kind kind_of(const std::string& source) {
  if (source == "test") return Kind::Test;
  if (source == "-") return Kind::Raw;
  if (source.find("://") != std::string::npos || is_regular(source)) return Kind::Film;
  return Kind::Camera;
}

NoSignal::Policy policy_of(const std::string& word) {
  if (word == "card") return NoSignal::Policy::Card;
  return word == "none" ? NoSignal::Policy::None : NoSignal::Policy::Hold;
}

std::vector<v4l2::Setting> settings_of(const std::vector<std::string>& controls) {
  std::vector<v4l2::Setting> settings;
  for (const std::string& control : controls) {
    const auto equals = control.find('=');
    if (equals == 0 || equals == std::string::npos) {
      throw Failure{Exit::Usage,
                    "--control " + control + ": not of the form NAME=VALUE (camgrab --list shows the names)"};
    }
    settings.push_back({control.substr(0, equals), control.substr(equals + 1)});
  }
  return settings;
}

// The trouble of a source, for --no-signal; frames that come faster than asked for are left out.
tool::Steps steps_of(NoSignal& no_signal, Pacer& pacer, const Clock& clock,
                     const std::function<std::string()>& trouble) {
  tool::Steps steps;
  steps.frame = [&](FramePtr frame) -> FramePtr {
    no_signal.seen(frame);
    const SteadyTime now = clock.steady();
    if (!pacer.due(now)) return nullptr;
    pacer.passed(now);
    return frame;
  };
  steps.due = [&] { return std::optional(no_signal.due()); };
  steps.tick = [&no_signal, trouble](SteadyTime) { return no_signal.tick(trouble()); };
  return steps;
}

// A camera that cannot do what was asked, or is in use, is no wrong usage: it may be another one tomorrow.
Failure failure_of_camera(const Error& error) {
  const bool unavailable = error.kind == Error::Kind::Unsupported || error.sys == EBUSY || error.sys == ENOSPC;
  return unavailable ? Failure{Exit::Unavailable, error.text} : failure_of(error);
}

Exit grab_camera(const Options& options, const cli::Common& common, const cli::StopSignal& stop, const Clock& clock) {
  Camera::Options wanted;
  if (options.size_given) wanted.size = options.size;
  wanted.fps = options.fps;
  wanted.format = options.format;
  wanted.quality_percent = options.quality_percent;
  wanted.threads = options.threads;
  wanted.settings = settings_of(options.controls);
  wanted.timeout = options.timeout;
  wanted.max_frame_bytes = common.max_frame_bytes;
  wanted.every_frame = common.every_frame;
  if (kind_of(options.source) == Kind::Camera && options.source.find('/') != std::string::npos &&
      !options.source.starts_with("/dev/")) {
    throw failure_of(io_error(options.source, ENOENT));
  }
  const auto output = tool::open_output(common, {"camgrab", /*source=*/true});
  auto camera = Camera::open(options.source, wanted, clock, cli::reporter());
  if (!camera) throw failure_of_camera(camera.error());
  NoSignal no_signal(policy_of(options.no_signal), clock);
  const double given_fps = (*camera)->mode().fps;
  Pacer pacer(options.fps_given && (given_fps <= 0 || given_fps > options.fps * 1.1) ? options.fps : 0);
  auto steps = steps_of(no_signal, pacer, clock, [&] { return (*camera)->trouble(); });
  steps.waiting_for = "the first frame of " + (*camera)->path();
  const Exit code = tool::run(**camera, *output, stop, common, clock, steps);
  const std::string told = (*camera)->figures().describe();
  cli::reporter()(Severity::Info, (*camera)->path() + ": " + std::to_string((*camera)->figures().frames) + " frames" +
                                      (told.empty() ? "" : ", " + told));
  return code;
}

Exit grab_film(const Options& options, const cli::Common& common, const cli::StopSignal& stop, const Clock& clock) {
  Ffmpeg::Options wanted;
  if (options.size_given) wanted.size = options.size;
  if (options.fps_given) wanted.fps = options.fps;
  wanted.quality_percent = options.quality_percent;
  wanted.every_frame = common.every_frame;
  wanted.timeout = options.timeout;
  wanted.max_frame_bytes = common.max_frame_bytes;
  const auto output = tool::open_output(common, {"camgrab", /*source=*/true});
  auto film = Ffmpeg::open(
      with_secret(options.source, cli::read_credentials(options.credentials_file, "CAMGRAB_CREDENTIALS").common),
      wanted, clock, cli::reporter());
  if (!film) throw failure_of(film.error());
  NoSignal no_signal(policy_of(options.no_signal), clock);
  Pacer pacer(0);
  auto steps = steps_of(no_signal, pacer, clock, [&] { return (*film)->trouble(); });
  steps.waiting_for = "the first frame of " + without_secret(options.source).text;
  const Exit code = tool::run(**film, *output, stop, common, clock, steps);
  if ((*film)->input().ended() && (*film)->input().figures().frames == 0) {
    throw Failure{Exit::BadData, (*film)->input().trouble()};
  }
  return code;
}

Exit grab_raw(const Options& options, cli::Common common, const cli::StopSignal& stop, const Clock& clock) {
  if (::isatty(STDIN_FILENO) != 0) {
    throw Failure{Exit::Usage,
                  "standard input is a terminal: pipe YUV4MPEG2 in, as 'ffmpeg ... -f yuv4mpegpipe - | "
                  "camgrab -' does"};
  }
  struct stat info {};
  if (::fstat(STDIN_FILENO, &info) == 0 && S_ISREG(info.st_mode)) common.every_frame = true;
  const auto output = tool::open_output(common, {"camgrab", /*source=*/true});
  Y4m raw(STDIN_FILENO, "standard input", {options.quality_percent, common.every_frame, common.max_frame_bytes}, clock,
          cli::reporter());
  tool::Steps steps;
  Pacer pacer(options.fps_given ? options.fps : 0);
  steps.frame = [&](FramePtr frame) -> FramePtr {
    const SteadyTime now = clock.steady();
    if (!pacer.due(now)) return nullptr;
    pacer.passed(now);
    return frame;
  };
  const Exit code = tool::run(raw, *output, stop, common, clock, steps);
  if (raw.error()) throw failure_of(*raw.error());
  return code;
}

Exit grab(const Options& options, const cli::Common& common) {
  if (options.list || options.json) {
    const std::string text = list_cameras(options.json);
    std::fwrite(text.data(), 1, text.size(), stdout);
    if (text.empty()) cli::reporter()(Severity::Info, "no camera (try 'camgrab test', a moving test card)");
    return Exit::Done;
  }
  const cli::StopSignal stop;
  const SystemClock clock;
  const TurnClock turn_clock;
  switch (kind_of(options.source)) {
    case Kind::Test: {
      const auto output = tool::open_output(common, {"camgrab", /*source=*/true});
      TestCard card({options.size, options.fps, options.quality_percent, common.every_frame}, clock);
      return tool::run(card, *output, stop, common, clock);
    }
    case Kind::Raw:
      return grab_raw(options, common, stop, clock);
    case Kind::Film:
      return grab_film(options, common, stop, clock);
    case Kind::Camera:
      break;
  }
  return grab_camera(options, common, stop, turn_clock);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Write the frames of a camera to standard output.\n\n"
      "camgrab | mjpeg-serve                      the first camera in every browser\n"
      "camgrab /dev/video2 -s 1280x720 -f 15      another one, in that size and at that rate\n"
      "camgrab rtsp://cam.local/live              whatever ffmpeg can read\n"
      "ffmpeg ... -f yuv4mpegpipe - | camgrab -   raw video, encoded here\n"
      "camgrab test                               a moving card with a clock",
      "camgrab"};
  Options options;
  cli::Common common;
  app.add_option(
         "source", options.source,
         "A device (/dev/video0, 0, or a name under /dev/v4l/by-id), a file or URL that ffmpeg can read, '-' for "
         "YUV4MPEG2 on standard input, 'test' for a moving card; left out: the first camera")
      ->type_name("SOURCE");
  auto* const size =
      cli::add_size(app, "-s,--size", options.size.width_px, options.size.height_px, "Width and height of the picture");
  auto* const fps = cli::add_number(app, "-f,--fps", options.fps, "Frames a second", 0.01, 1000);
  cli::add_choice(
      app, "--format", options.format, "What the camera should send; auto: MJPEG, else what is least work",
      {"auto", "mjpeg", "yuyv", "uyvy", "yvyu", "nv12", "nv21", "yu12", "yv12", "422p", "grey", "rgb3", "bgr3"});
  cli::add_number(app, "--quality", options.quality_percent, "JPEG quality, 1 to 100, where frames are encoded here", 1,
                  100);
  cli::add_number(app, "--threads", options.threads, "Encode on so many threads, in order", 1, 64);
  app.add_option("--control", options.controls, "Set a control of the camera, such as brightness=128; repeatable")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  cli::add_duration(app, "--timeout", options.timeout, "Open the camera again when no frame comes for so long",
                    std::chrono::milliseconds(100), std::chrono::hours(1));
  cli::add_choice(app, "--no-signal", options.no_signal,
                  "What to send each second while there is no picture: the last one, a card that says why, nothing",
                  {"hold", "card", "none"});
  app.add_option("--credentials", options.credentials_file, "A file with USER:PASSWORD for a URL")->type_name("FILE");
  app.add_flag("--list", options.list, "Show the cameras with their formats, sizes, rates and controls");
  app.add_flag("--json", options.json, "The same as JSON");
  cli::add_bytes(app, "--max-frame-bytes", common.max_frame_bytes, "Skip frames larger than this", 1024, 1u << 30);
  cli::add_output(app, common);
  cli::add_common(app, common);
  if (const auto code = cli::parse(app, argc, argv)) return *code;
  cli::start(app, common);
  options.size_given = size->count() > 0;
  options.fps_given = fps->count() > 0;
  return cli::run("camgrab", [&] { return grab(options, common); });
}
