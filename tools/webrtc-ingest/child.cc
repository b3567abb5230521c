#include "webrtc-ingest/child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/text.h"
#include "frame/bounded_json.h"

namespace fp::ingest {
namespace {

using namespace std::chrono_literals;

constexpr int kPipeBytes = 1 << 20;  // a frame or several: neither side is woken for each 64 KiB
constexpr int kReadsPerTurn = 16;    // a child that writes without end does not hold up the others
constexpr auto kLook = 100ms;
constexpr auto kClosing = 1s;  // from the end of its input or output to its own, at the usual

std::string seconds(std::chrono::milliseconds time) {
  return time % 1s == 0ms ? std::to_string(time / 1s) + " s" : std::to_string(time.count()) + " ms";
}

// The beginning of a part, or of a JPEG, whose bytes are lines by chance.
bool looks_like_frames(std::string_view line) {
  return line.starts_with("--") || starts_with_ignoring_case(line, "content-type: image/jpeg") ||
         line.find("\xFF\xD8\xFF") != std::string_view::npos;
}

}  // namespace

Result<std::unique_ptr<Child>> Child::start(Loop& loop, const Clock& clock, const ChildOptions& options,
                                            Report report) {
  auto process = ChildProcess::shell(options.command, ChildProcess::Pipe::Both);
  if (!process) return fail(std::move(process).error());
  return std::unique_ptr<Child>(new Child(loop, clock, options, std::move(*process), std::move(report)));
}

Child::Child(Loop& loop, const Clock& clock, ChildOptions options, ChildProcess process, Report report)
    : clock_(clock),
      options_(std::move(options)),
      report_(std::move(report)),
      process_(std::move(process)),
      started_(clock.steady()),
      output_watch_(loop, [this](int) { read_some(); }),
      input_watch_(loop, [this](int) { push(); }),
      gate_timer_(loop, [this] { push(); }),
      pause_timer_(loop, [this] { output_watch_.watch(process_.fd(), IoWatch::kRead); }),
      look_timer_(loop, [this] { look(); }) {
  target_.borrowed = process_.input_fd();
  ::fcntl(process_.input_fd(), F_SETPIPE_SZ, kPipeBytes);
  output_watch_.watch(process_.fd(), IoWatch::kRead, /*reopened=*/true);
  look_timer_.every(kLook);
}

Child::~Child() {
  output_watch_.watch(-1, 0);
  input_watch_.watch(-1, 0);
}

void Child::attach(ChildEvents events) { events_ = std::make_shared<const ChildEvents>(std::move(events)); }

void Child::put(FramePtr frame) {
  if (over_ || input_closed_) return;
  if (waiting_) {
    ++figures_.superseded;
  } else {
    waits_since_ = clock_.steady();
  }
  waiting_ = std::move(frame);
  if (!part_) push();
}

// How much of what was written it has left in the pipe.
std::size_t Child::unread() const {
  int bytes = 0;
  return ::ioctl(process_.input_fd(), FIONREAD, &bytes) == 0 ? static_cast<std::size_t>(bytes) : 0;
}

void Child::push() {
  while (!over_) {
    if (!part_) {
      if (!waiting_) break;
      if (unread() > 0) {
        // A pipe does not say when it is empty. Looking after an eighth of the wait costs a slow child's frame little,
        // and us even less.
        input_watch_.watch(-1, 0);
        const auto waited = clock_.steady() - waits_since_;
        return gate_timer_.once(std::clamp<std::chrono::nanoseconds>(waited / 8, 1ms, 10ms));
      }
      begin();
      continue;
    }
    const int error = part_->write_some(target_);
    if (error == EAGAIN) return input_watch_.watch(process_.input_fd(), IoWatch::kWrite);
    if (error != 0) return lose_input();
    if (!part_->written()) continue;
    given_bytes_ += part_->size();
    part_.reset();
  }
  input_watch_.watch(-1, 0);
}

// Nobody reads any more. What it says last, and its end, come by its output.
void Child::lose_input() {
  input_closed_ = clock_.steady();
  part_.reset();
  waiting_.reset();
  input_watch_.watch(-1, 0);
  gate_timer_.cancel();
}

void Child::begin() {
  const FramePtr frame = std::exchange(waiting_, nullptr);
  part_.emplace(frame, part_header(*frame));
  progress_ = clock_.steady();
  ++figures_.given;
  if (const auto events = events_; events && events->given) events->given(frame);
}

void Child::read_some() {
  std::array<char, 16384> buffer{};
  for (int reads = 0; reads < kReadsPerTurn && !over_; ++reads) {
    const SteadyTime now = clock_.steady();
    if (now - second_ >= 1s) {
      second_ = now;
      second_bytes_ = 0;
    }
    if (second_bytes_ >= kMostBytesPerSecond) {
      output_watch_.watch(-1, 0);
      return pause_timer_.once(second_ + 1s - now);
    }
    const ssize_t got = ::read(process_.fd(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return closed_output();
    second_bytes_ += static_cast<std::size_t>(got);
    const std::uint64_t too_long = lines_.too_long();
    lines_.feed({buffer.data(), static_cast<std::size_t>(got)}, [this](std::string_view line) { take(line); });
    if (lines_.too_long() > too_long) {
      figures_.malformed += lines_.too_long() - too_long;
      if (!said_frames_) say(said_long_, "a line of more than 64 KiB is left out");
    }
  }
}

void Child::take(std::string_view line) {
  if (over_) return;
  const auto object = parse_object(line);
  if (!object) {
    ++figures_.malformed;
    if (looks_like_frames(line)) {
      said_long_ = said_other_ = true;  // what comes in a frame is no line at all
      return say(said_frames_,
                 "it writes frames to standard output, where lines of JSON are wanted: they are thrown away "
                 "(frame-detect: add '-o none --json -')");
    }
    return say(said_other_, "a line of its output is no JSON object, and left out: " + printable(line, 60));
  }
  ++figures_.lines;
  if (const auto events = events_; events && events->line) events->line(line, *object);
}

void Child::say(bool& said, const std::string& text) {
  if (!std::exchange(said, true) && report_) report_(Severity::Warning, text);
}

// Its end of the pipe closes a moment before it has ended: look() finds out with what code. Or it keeps its words to
// itself, as a recorder does.
void Child::closed_output() {
  output_watch_.watch(-1, 0);
  output_closed_ = clock_.steady();
  look_timer_.every(5ms);
}

void Child::look() {
  if (over_) return;
  const SteadyTime now = clock_.steady();
  // Its output may be held open by what it has started, and what it wrote last comes first.
  const auto status = [&]() -> std::optional<int> {
    siginfo_t info{};
    const bool dead =
        ::waitid(P_PID, static_cast<id_t>(process_.pid()), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid != 0;
    if (!dead) return std::nullopt;
    if (!output_closed_) read_some();
    return over_ ? std::nullopt : process_.poll_exit();
  }();
  if (over_) return;
  if (status) return end(ChildEnd::Ended, describe_exit(*status));
  // A pipe whose reader has gone says so to whoever asks, not only to whoever writes.
  pollfd input{process_.input_fd(), 0, 0};
  if (!input_closed_ && ::poll(&input, 1, 0) > 0) lose_input();
  if (input_closed_ && now - *input_closed_ >= kClosing) return end(ChildEnd::Ended, "it closed its input");
  if (output_closed_ && now - *output_closed_ >= kClosing && !said_closed_) {
    look_timer_.every(kLook);
    say(said_closed_, "it has closed its standard output: no lines will come");
  }
  if (input_closed_) return;
  const std::size_t left = unread();
  const std::uint64_t taken = given_bytes_ + (part_ ? part_->sent() : 0) - left;
  if (taken != taken_bytes_ || (left == 0 && !part_)) {
    taken_bytes_ = taken;
    progress_ = now;
    return;
  }
  const bool starting = taken_bytes_ == 0 && now - started_ < kMostStarting;
  if (now - progress_ < options_.hang_time || starting) return;
  end(ChildEnd::Hung, "it has not read its input for " + seconds(options_.hang_time));
}

void Child::stop() {
  over_ = true;
  output_watch_.watch(-1, 0);
  input_watch_.watch(-1, 0);
  gate_timer_.cancel();
  pause_timer_.cancel();
  look_timer_.cancel();
  waiting_.reset();
  part_.reset();
}

void Child::end(ChildEnd how, const std::string& why) {
  stop();
  process_.kill();
  if (const auto events = std::exchange(events_, nullptr); events && events->ended) events->ended(how, why);
}

void Child::let_go() {
  events_.reset();
  if (over_) return;
  stop();
  process_.close_pipe();
  process_.close_input();
  process_.terminate();
}

bool Child::has_ended() { return process_.poll_exit().has_value(); }

}  // namespace fp::ingest
