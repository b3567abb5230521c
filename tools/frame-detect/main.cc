// frame-detect: frames that say what can be seen in them.
#include <fcntl.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <opencv2/core.hpp>

#include "base/file.h"
#include "base/text.h"
#include "frame-detect/options.h"
#include "frame-detect/stage.h"
#include "jpeg/hygiene.h"
#include "tool/run.h"

namespace {

using namespace fp;

// One line of what was found in a frame, with when it was taken, came in here, and was done.
std::string line_of(const Frame& frame) {
  std::string line =
      "{\"sequence\":" + std::to_string(frame.sequence) + ",\"timestamp\":" + format_timestamp(frame.captured);
  if (!frame.camera.empty()) line += ",\"camera\":\"" + json_escape(frame.camera) + "\"";
  line +=
      ",\"received\":" + format_timestamp(frame.received) + ",\"inferred\":" + format_timestamp(SystemClock().wall());
  // Ours is the last one: {"model":...}.
  if (!frame.extra.empty()) line += "," + frame.extra.back().value.substr(1);
  return line;
}

std::unique_ptr<Output> open_lines(const std::string& spec, bool every_frame) {
  auto endpoint = parse_endpoint(spec, Direction::Out);
  if (!endpoint) throw Failure{Exit::Usage, "--json " + endpoint.error().text};
  Output::Options options;
  options.every_frame = every_frame;
  options.line = line_of;
  auto output = Output::open(*endpoint, std::move(options), cli::reporter());
  if (!output) throw failure_of(std::move(output).error().in("--json"));
  return std::move(*output);
}

void write_all(int fd, std::string_view bytes, const std::string& where) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) throw failure_of(io_error(where));
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
}

Exit look_once(const Options& options, const cli::Common& common, detect::Engine& engine, detect::Overlay overlay) {
  const auto endpoint = parse_endpoint(common.output, Direction::Out);
  const bool keeps = common.output != "-" && common.output != "none";
  if (keeps && (!endpoint || endpoint->kind != Endpoint::Kind::Path)) {
    throw Failure{Exit::Usage, "--output " + common.output + ": with --once the picture goes to a file: name one"};
  }
  auto bytes = read_file(options.once, common.max_frame_bytes);
  if (!bytes) throw failure_of(std::move(bytes).error().in("--once"));
  auto clean = jpeg::clean(*bytes);
  if (!clean) throw Failure{Exit::BadData, "--once " + options.once + ": is no whole JPEG: " + clean.error().text};
  auto frame = std::make_shared<Frame>();
  frame->jpeg = clean->jpeg;
  frame->picture = clean->info;
  frame->captured = frame->received = SystemClock().wall();
  const auto work = engine.take(frame, {overlay, /*one_off=*/true});
  if (!work) throw Failure{Exit::Usage, "--once has one picture, and a sequence is made of many: pipe frames in"};
  auto found = (*work)();
  if (!found) throw Failure{Exit::BadData, "--once " + options.once + ": " + found.error().text};
  write_all(STDOUT_FILENO, (*found)->extra.back().value + "\n", "standard output");
  if (!keeps) return Exit::Done;
  const Fd file(::open(common.output.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!file) {
    Failure failure = failure_of(io_error("--output " + common.output));
    throw Failure{failure.code == Exit::NoInput ? Exit::CannotCreate : failure.code, failure.text};
  }
  write_all(file.get(), as_text((*found)->jpeg.view()), "--output " + common.output);
  return Exit::Done;
}

Exit detect_all(Options options, cli::Common common, bool output_asked) {
  check(options, common);
  const detect::Overlay overlay = overlay_of(options);
  const cli::StopSignal stop;
  const cli::UserSignals signals;
  const SystemClock clock;
  cv::setNumThreads(1);  // --threads are the network's: what is drawn and scaled here is small
  if (!options.once.empty() && output_asked && common.output == "-") {
    throw Failure{Exit::Usage, "with --once standard output gets the JSON: name a file with -o for the picture"};
  }
  const auto engine = make_engine(options);
  if (!options.once.empty()) return look_once(options, common, *engine, overlay);
  // Whoever recognises events wants to know of them; our own children are asked for frames.
  if (engine->finds_events() && !output_asked && options.json.empty() && !options.control_headers) {
    options.json = "-";
    common.output = "none";
  }
  Input input = tool::open_input(common, clock);
  if (input.in_order() && options.passthrough_fps > 0) {
    throw Failure{Exit::Usage,
                  "--passthrough-fps is for what comes live, and every frame of a file is looked at: leave it out"};
  }
  const auto output = tool::open_output(common, {"frame-detect", /*source=*/false}, &input);
  if (!options.json.empty()) tool::refuse_same_file("--json", options.json, input);
  if (!options.json.empty() && options.json == common.output && options.json != "none") {
    throw Failure{Exit::Usage, "--json " + options.json + ": is where the frames go, too: name another file"};
  }
  const auto lines = options.json.empty() ? nullptr : open_lines(options.json, input.in_order());

  detect::Gate gate(options.gate == "open", overlay, options.control_headers);
  Stage stage(*engine, gate, {input.in_order(), options.passthrough_fps}, clock);
  bool lines_gone = false;
  const auto tell = [&](FramePtr frame) {
    if (frame && lines && stage.says_something()) lines_gone = !lines->put(frame) || lines_gone;
    return frame;
  };
  tool::Steps steps;
  steps.frame = [&](FramePtr frame) {
    if (engine->finds_events() && options.clock_fps <= 0 && input.regular_file() &&
        input.framing().with_timestamp == 0) {
      throw Failure{Exit::BadData, "--input " + common.input +
                                       ": its frames have no times, which a window is made by: say how many a second "
                                       "they were with --clock-fps"};
    }
    return tell(stage.frame(std::move(frame)));
  };
  steps.tick = [&](SteadyTime now) {
    while (const auto signal = signals.take()) {
      gate.set(*signal == 1);
      spdlog::info("the gate is {}", gate.open() ? "open" : "closed");
    }
    return tell(stage.tick(now));
  };
  steps.due = [&] { return stage.due(); };
  steps.last = [&](bool stopped) { return tell(stage.last(stopped)); };
  steps.wake_fds = {stage.wake_fd(), signals.fd()};
  steps.status = [&] { return stage.describe() + (gate.open() ? "" : ", gate closed"); };
  // With JSON alone, its reader is the only one there is.
  steps.enough = [&] { return lines_gone && common.output == "none"; };
  const Exit exit = tool::run(input, *output, stop, common, clock, steps);
  if (lines) lines->finish(std::chrono::seconds(2));
  spdlog::info("{}", stage.describe());
  if (lines && lines->figures().dropped > 0) {
    spdlog::warn("--json {}: its reader was too slow for {} lines, which were dropped", options.json,
                 lines->figures().dropped);
  }
  if (input.regular_file() && input.figures().frames == 0) {
    throw Failure{Exit::BadData, "--input " + common.input + ": there is no frame in it (is it JPEG or MJPEG?)"};
  }
  return exit;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "Find things in frames: always in the newest, or in every one of a file.\n\n"
      "camgrab | frame-detect --model yolov8n.onnx --overlay boxes,labels | mjpeg-serve\n"
      "camgrab | frame-detect --detector motion -o none --json -\n"
      "frame-detect --detector face --once portrait.jpg --overlay boxes -o drawn.jpg",
      "frame-detect"};
  Options options;
  cli::Common common;
  add_options(app, options);
  cli::add_input(app, common);
  cli::add_output(app, common);
  cli::add_common(app, common);
  if (const auto code = cli::parse(app, argc, argv)) return *code;
  cli::start(app, common);
  note_given(app, options);
  const bool output_asked = app.get_option("--output")->count() > 0;
  return cli::run("frame-detect", [&] { return detect_all(options, common, output_asked); });
}
