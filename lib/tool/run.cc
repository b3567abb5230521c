#include "tool/run.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "cli/log.h"
#include "cli/notify.h"
#include "cli/version.h"

namespace fp::tool {
namespace {

using namespace std::chrono_literals;

// Delivers what is left, for as long as its reader needs or until a signal comes.
void finish(Output& output, const cli::StopSignal& stop) {
  output.drain();
  std::array<pollfd, 2> fds = {pollfd{output.gone_fd(), POLLIN, 0}, {stop.fd(), POLLIN, 0}};
  while (::poll(fds.data(), fds.size(), -1) < 0 && errno == EINTR) {
  }
  output.finish(fds[1].revents != 0 ? 500ms : 2000ms);
}

// What a SPEC stands for when that is a regular file.
std::optional<struct stat> regular_file(const Endpoint& endpoint) {
  struct stat info {};
  int status = -1;
  if (endpoint.kind == Endpoint::Kind::Path) status = ::stat(endpoint.address.c_str(), &info);
  if (endpoint.kind == Endpoint::Kind::Standard) status = ::fstat(STDIN_FILENO, &info);
  if (endpoint.kind == Endpoint::Kind::Fd) status = ::fstat(endpoint.fd, &info);
  if (status != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  return info;
}

}  // namespace

void refuse_same_file(const std::string& option, const std::string& spec, const Input& from) {
  const auto endpoint = parse_endpoint(spec, Direction::Out);
  if (!endpoint || endpoint->kind != Endpoint::Kind::Path) return;
  const auto written = regular_file(*endpoint);
  const auto read = regular_file(from.endpoint());
  if (!written || !read || written->st_dev != read->st_dev || written->st_ino != read->st_ino) return;
  throw Failure{Exit::Usage, option + " " + spec +
                                 ": is the file that frames are read from, and would be emptied first: "
                                 "name another one"};
}

Input open_input(const cli::Common& common, const Clock& clock, bool every_frame) {
  auto endpoint = parse_endpoint(common.input, Direction::In);
  if (!endpoint) throw Failure{Exit::Usage, "--input " + endpoint.error().text};
  if (endpoint->kind == Endpoint::Kind::Standard && ::isatty(STDIN_FILENO) != 0) {
    throw Failure{Exit::Usage,
                  "standard input is a terminal: pipe frames in, as in 'camgrab test | ...', or name an --input"};
  }
  Input::Options options;
  options.max_frame_bytes = common.max_frame_bytes;
  options.every_frame = common.every_frame || every_frame;
  options.http.user_agent = std::string("framepipe/") + cli::kVersion;
  auto input = Input::open(*endpoint, std::move(options), clock, cli::reporter());
  if (!input) throw failure_of(input.error());
  return std::move(*input);
}

std::unique_ptr<Output> open_output(const cli::Common& common, TraceHop hop, const Input* from, bool measure) {
  auto endpoint = parse_endpoint(common.output, Direction::Out);
  if (!endpoint) throw Failure{Exit::Usage, "--output " + endpoint.error().text};
  if (from != nullptr) refuse_same_file("--output", common.output, *from);
  Output::Options options;
  options.every_frame = common.every_frame || (from != nullptr && from->regular_file());
  options.limit = common.frames;
  options.measure = measure;
  if (common.trace) options.trace = std::move(hop);
  auto output = Output::open(*endpoint, std::move(options), cli::reporter());
  if (!output) {
    Failure failure = failure_of(output.error());
    if (failure.code == Exit::NoInput) failure.code = Exit::CannotCreate;
    throw Failure(std::move(failure));
  }
  return std::move(*output);
}

Exit run(Producer& producer, Output& output, const cli::StopSignal& stop, const cli::Common& common, const Clock& clock,
         const Steps& steps) {
  cli::Heartbeat heartbeat(common.watchdog_frames);
  cli::Heartbeat::Figures figures;
  std::optional<WallTime> captured;
  cli::notify_ready();
  bool stopped = false;
  bool ended = false;
  std::vector<int> wakes = steps.wake_fds;
  wakes.push_back(output.gone_fd());
  for (bool more = true; more;) {
    SteadyTime until = heartbeat.due();
    const auto step_due = steps.due ? steps.due() : std::nullopt;
    if (step_due) until = std::min(until, *step_due);
    FramePtr frame;
    const Next next = wait_frame(producer, frame, stop.fd(), wakes, until, clock);
    if (next == Next::Frame) {
      ++figures.frames;
      figures.bytes += frame->jpeg.size();
      captured = frame->captured;
      if (steps.frame) frame = steps.frame(std::move(frame));
      if (frame && !output.put(std::move(frame))) more = false;
    } else if (next != Next::Woken) {
      more = false;
      stopped = next == Next::Stopped;
      ended = next == Next::Ended;
    } else {
      pollfd gone{output.gone_fd(), POLLIN, 0};
      if (::poll(&gone, 1, 0) > 0) more = false;
    }
    if (steps.tick) {
      FramePtr late = steps.tick(clock.steady());
      if (late && !output.put(std::move(late))) more = false;
    }
    const SteadyTime now = clock.steady();
    if (now >= heartbeat.due()) {
      figures.dropped = output.figures().dropped + producer.superseded();
      if (captured) figures.age = clock.wall() - *captured;
      heartbeat.beat(now, figures, steps.waiting_for, steps.status);
    }
    if (steps.enough && steps.enough()) more = false;
  }
  cli::notify_stopping();
  if ((ended || stopped) && steps.last) {
    for (FramePtr frame = steps.last(stopped); frame && output.put(std::move(frame)); frame = steps.last(stopped)) {
    }
  }
  if (stopped) {
    output.finish(500ms);
  } else {
    finish(output, stop);
  }
  cli::show_progress("");
  if (const auto error = output.error()) throw failure_of(*error);
  return Exit::Done;
}

}  // namespace fp::tool
