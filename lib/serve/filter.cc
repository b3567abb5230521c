#include "serve/filter.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/text.h"

namespace fp {
namespace {

using namespace std::chrono_literals;

constexpr int kPipeBytes = 1 << 20;  // a frame or several: neither side is woken for each 64 KiB
constexpr int kReadsPerTurn = 16;    // a child that writes without end does not hold up the viewers
constexpr std::size_t kLongestLine = 400;
constexpr auto kGrace = 300ms;
constexpr auto kLook = 100ms;  // for whether a child that is being started reads

// The part's header with our orders in place of any that came with the frame.
std::string header_of(const Frame& frame, std::uint64_t id, const FilterOrder& order) {
  Frame bare = frame;
  std::erase_if(bare.extra, [](const Header& header) { return is_control_header(header.name); });
  bare.extra.push_back({"X-Request", std::to_string(id)});
  if (order.gate_open) bare.extra.push_back({"X-Gate", *order.gate_open ? "open" : "closed"});
  if (!order.overlay.empty()) bare.extra.push_back({"X-Overlay", order.overlay});
  return part_header(bare);
}

std::string seconds(std::chrono::milliseconds time) {
  return time % 1s == 0ms ? std::to_string(time / 1s) + " s" : std::to_string(time.count()) + " ms";
}

}  // namespace

int status_of(FilterError::Kind kind) { return kind == FilterError::Kind::TimedOut ? 504 : 503; }

Filter::Question::~Question() {
  if (filter_ != nullptr) filter_->withdraw(*this);
}

Filter::Filter(Loop& loop, const Clock& clock, FilterOptions options, Report report)
    : loop_(loop),
      clock_(clock),
      options_(std::move(options)),
      report_(std::move(report)),
      parser_({.max_frame_bytes = options_.max_frame_bytes}),
      skip_reporter_("filter " + options_.name, report_),
      limited_report_(loop, clock, prefix(), report_),
      output_watch_(loop, [this](int) { read_some(); }),
      input_watch_(loop, [this](int) { write_some(); }),
      errors_watch_(loop, [this](int) { read_errors(false); }),
      turn_timer_(loop, [this] { go_on(); }),
      limit_timer_(loop, [this] { check_time(); }),
      start_timer_(loop, [this] { start(); }) {
  start();
}

Filter::~Filter() {
  for (Question* question : waiting_) question->filter_ = nullptr;
  for (Question* question : refused_) question->filter_ = nullptr;
  if (run_ && run_->question != nullptr) run_->question->filter_ = nullptr;
  output_watch_.watch(-1, 0);
  input_watch_.watch(-1, 0);
  errors_watch_.watch(-1, 0);
  if (child_) child_->stop(kGrace);
}

void Filter::start() {
  ChildProcess::Streams streams;
  streams.keep_errors = true;
  streams.environment = {"FRAMEPIPE_CONTROL_HEADERS=1"};
  auto child = ChildProcess::shell(options_.command, ChildProcess::Pipe::Both, streams);
  if (!child) return lost(child.error().text);
  child_.emplace(std::move(*child));
  ::fcntl(child_->fd(), F_SETPIPE_SZ, kPipeBytes);
  ::fcntl(child_->input_fd(), F_SETPIPE_SZ, kPipeBytes);
  started_ = clock_.steady();
  given_bytes_ = 0;
  has_read_ = false;
  last_error_.clear();
  errors_.clear();
  output_watch_.watch(child_->fd(), IoWatch::kRead, /*reopened=*/true);
  errors_watch_.watch(child_->errors_fd(), IoWatch::kRead, /*reopened=*/true);
  go_on();
}

// The child has ended, or is no use any more. Whoever waits goes on waiting, for the next one.
void Filter::lost(const std::string& why, bool by_itself) {
  std::string text = why;
  output_watch_.watch(-1, 0);
  input_watch_.watch(-1, 0);
  errors_watch_.watch(-1, 0);
  if (child_) {
    ++figures_.restarts;
    read_errors(true);
    child_.reset();  // its whole group, too
    // What it said last is the reason for its end, if that was its own doing; else it may be of any time.
    if (by_itself && !last_error_.empty()) text += ": " + last_error_;
    limited_report_.settle();
  }
  parser_.end();
  skip_reporter_.update(skips(), clock_.steady());
  skips_before_ += parser_.skips();
  parser_ = StreamParser({.max_frame_bytes = options_.max_frame_bytes});
  trouble_ = text;
  if (report_ && told_trouble_ != text) report_(Severity::Warning, prefix() + text + "; starting it again");
  told_trouble_ = text;
  start_timer_.once(backoff_.next());
  arm_limit();
  const std::optional<Run> run = std::exchange(run_, std::nullopt);
  if (run && run->question != nullptr) {
    answer(*run->question, tl::unexpected(FilterError{FilterError::Kind::Lost, prefix() + text}));
  }
}

std::unique_ptr<Filter::Question> Filter::ask(Fetch fetch, FilterOrder order, Answer answer) {
  ++figures_.questions;
  std::unique_ptr<Question> question(
      new Question(*this, std::move(fetch), std::move(order), std::move(answer), clock_.steady()));
  if (waiting_.size() >= kMostWaiting) {
    refused_.push_back(question.get());
  } else {
    waiting_.push_back(question.get());
  }
  if (!turn_timer_.active()) turn_timer_.once(0ns);
  if (waiting_.size() == 1) arm_limit();
  return question;
}

void Filter::withdraw(Question& question) {
  std::erase(waiting_, &question);
  std::erase(refused_, &question);
  if (run_ && run_->question == &question) run_->question = nullptr;
}

void Filter::answer(Question& question, FilterResult result) {
  if (question.begun_ && run_ && run_->question == &question) run_->question = nullptr;
  question.filter_ = nullptr;
  if (result) {
    ++figures_.answered;
  } else {
    ++figures_.failed;
    if (result.error().kind == FilterError::Kind::TimedOut) ++figures_.timed_out;
  }
  const Answer told = std::move(question.answer_);
  told(std::move(result));  // may destroy the question
}

// Those of now: whoever is refused and asks again at once is refused when the loop has come round.
void Filter::refuse_the_rest() {
  for (std::size_t left = refused_.size(); left > 0 && !refused_.empty(); --left) {
    Question& question = *refused_.front();
    refused_.pop_front();
    answer(question, tl::unexpected(FilterError{FilterError::Kind::Crowded,
                                                prefix() + std::to_string(kMostWaiting) + " questions wait already"}));
  }
}

// Gives the child its next question when it has done with the last one.
void Filter::go_on() {
  refuse_the_rest();
  while (child_ && !run_ && !waiting_.empty()) {
    // Its streams may be held open by what it has started.
    if (const auto status = child_->poll_exit()) return lost(describe_exit(*status));
    Question& question = *waiting_.front();
    waiting_.pop_front();
    if (FramePtr frame = question.fetch_()) {
      begin(question, std::move(frame));
    } else {
      answer(question, tl::unexpected(FilterError{FilterError::Kind::NoFrame, prefix() + "no frame to work on"}));
    }
  }
  arm_limit();
}

void Filter::begin(Question& question, FramePtr frame) {
  question.begun_ = true;
  const std::uint64_t id = next_id_++;
  std::string header = header_of(*frame, id, question.order_);
  const SteadyTime now = clock_.steady();
  run_.emplace(question, id, std::move(frame), std::move(header), now, now + options_.timeout);
  write_some();
}

void Filter::write_some() {
  static constexpr std::string_view kEnd = "\r\n";
  while (run_ && !run_->written()) {
    const std::array<std::string_view, 3> all = {run_->header, as_text(run_->frame->jpeg.view()), kEnd};
    std::array<iovec, 3> left{};
    std::size_t skip = run_->sent;
    for (std::size_t i = 0; i < all.size(); ++i) {
      const std::size_t cut = std::min(skip, all[i].size());
      skip -= cut;
      left[i] = {const_cast<char*>(all[i].data()) + cut, all[i].size() - cut};
    }
    const ssize_t put = ::writev(child_->input_fd(), left.data(), static_cast<int>(left.size()));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno == EAGAIN) return input_watch_.watch(child_->input_fd(), IoWatch::kWrite);
    // Nobody reads any more: what it said last, and its end, come by its output.
    if (put < 0) {
      has_read_ = true;
      return input_watch_.watch(-1, 0);
    }
    run_->sent += static_cast<std::size_t>(put);
    given_bytes_ += static_cast<std::size_t>(put);
  }
  input_watch_.watch(-1, 0);
  if (run_ && run_->answered) {
    run_.reset();
    turn_timer_.once(0ns);
  }
}

void Filter::read_some() {
  for (int reads = 0; reads < kReadsPerTurn && child_; ++reads) {
    const auto room = parser_.room();
    const ssize_t got = ::read(child_->fd(), room.data(), room.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 && errno == EAGAIN) break;
    if (got <= 0) {
      // Its end of the pipe closes a moment before it has ended.
      child_->wait_for_exit(20ms);
      const auto status = child_->poll_exit();
      return lost(status ? describe_exit(*status) : "it closed its output");
    }
    parser_.commit(static_cast<std::size_t>(got), clock_.wall());
    for (;;) {
      const auto timed = parser_.framing().with_timestamp;
      const auto numbered = parser_.framing().with_sequence;
      auto frame = parser_.next();
      if (!frame) break;
      take(std::move(*frame), parser_.framing().with_timestamp > timed, parser_.framing().with_sequence > numbered);
    }
  }
  skip_reporter_.update(skips(), clock_.steady());
}

void Filter::take(Frame frame, bool timed, bool numbered) {
  const auto request = std::find_if(frame.extra.begin(), frame.extra.end(),
                                    [](const Header& header) { return equal_ignoring_case(header.name, "X-Request"); });
  const bool asked =
      run_ && !run_->answered && (request == frame.extra.end() || request->value == std::to_string(run_->id));
  if (!asked) {
    ++figures_.late;
    return;
  }
  std::erase_if(frame.extra, [](const Header& header) { return is_control_header(header.name); });
  const Frame& question = *run_->frame;
  if (!timed) frame.captured = question.captured;
  if (!numbered) frame.sequence = question.sequence;
  if (frame.camera.empty()) frame.camera = question.camera;
  if (frame.trace.empty()) frame.trace = question.trace;
  if (frame.signal == Signal::Live) frame.signal = question.signal;
  const auto took = clock_.steady() - run_->began;
  figures_.took.add(took);
  backoff_.reset();
  trouble_.clear();
  told_trouble_.clear();
  has_read_ = true;
  Question* const told = std::exchange(run_->question, nullptr);
  run_->answered = true;
  // One that answers before it has read all is given the rest first.
  if (run_->written()) run_.reset();
  if (!turn_timer_.active()) turn_timer_.once(0ns);
  if (told == nullptr) return;
  told->took_ = took;
  answer(*told, std::make_shared<const Frame>(std::move(frame)));
}

// Passed on line by line; the last line is the reason when the child ends. `all`: also what has no line end yet.
void Filter::read_errors(bool all) {
  const std::string text = child_->read_errors();
  if (text.empty() && !all) return errors_watch_.watch(-1, 0);  // it has closed it
  errors_ += text;
  const auto pass_on = [&](std::string_view line) {
    line = trim(line);
    if (line.empty()) return;
    last_error_ = printable(line, kLongestLine);
    limited_report_.line(last_error_);
  };
  std::size_t begin = 0;
  for (std::size_t end = 0; (end = errors_.find('\n', begin)) != std::string::npos; begin = end + 1) {
    pass_on(std::string_view(errors_).substr(begin, end - begin));
  }
  errors_.erase(0, begin);
  if (all || errors_.size() > 10 * kLongestLine) {
    pass_on(errors_);
    errors_.clear();
  }
}

// Whether the child has taken a byte of what it was given: until then it is still being started.
bool Filter::has_read() const {
  int unread = 0;
  if (!has_read_ && child_ && given_bytes_ > 0 && ::ioctl(child_->input_fd(), FIONREAD, &unread) == 0) {
    has_read_ = static_cast<std::uint64_t>(unread) < given_bytes_;
  }
  return has_read_;
}

const char* Filter::status() const {
  if (!child_) return figures_.restarts == 0 ? "starting" : "restarting";
  if (!run_) return "ready";
  return has_read() ? "busy" : "starting";
}

Skips Filter::skips() const {
  Skips all = skips_before_;
  all += parser_.skips();
  return all;
}

// Its time begins when it begins to read.
void Filter::look_whether_it_reads(SteadyTime now) {
  if (has_read_ || !has_read()) return;
  if (now - run_->began > 2 * kLook) run_->due = now + options_.timeout;
}

void Filter::arm_limit() {
  std::optional<SteadyTime> until;
  const auto sooner = [&](SteadyTime time) { until = std::min(until.value_or(time), time); };
  if (!waiting_.empty()) sooner(waiting_.front()->asked_ + options_.timeout);
  if (run_ && run_->question != nullptr) sooner(run_->began + options_.timeout);
  if (run_) sooner(has_read_ ? run_->due : clock_.steady() + kLook);
  if (!until) return limit_timer_.cancel();
  limit_timer_.once(std::max<std::chrono::nanoseconds>(*until - clock_.steady(), 1ms));
}

void Filter::check_time() {
  const SteadyTime now = clock_.steady();
  const std::string limit = seconds(options_.timeout);
  if (run_) {
    look_whether_it_reads(now);
    const std::string why = has_read_ ? "no answer within " + limit : "it has not begun to read yet";
    Question* late = nullptr;
    if (now - run_->began >= options_.timeout) late = std::exchange(run_->question, nullptr);
    if (now >= (has_read_ ? run_->due : std::max(run_->due, started_ + kMostStarting))) {
      run_.reset();
      child_->kill();
      lost(why, /*by_itself=*/false);
    }
    if (late != nullptr) answer(*late, tl::unexpected(FilterError{FilterError::Kind::TimedOut, prefix() + why}));
  }
  while (!waiting_.empty() && now - waiting_.front()->asked_ >= options_.timeout) {
    Question& question = *waiting_.front();
    waiting_.pop_front();
    if (child_) {
      answer(question, tl::unexpected(FilterError{FilterError::Kind::TimedOut, prefix() + "no turn within " + limit}));
    } else {
      answer(question, tl::unexpected(FilterError{FilterError::Kind::Lost, prefix() + trouble_}));
    }
  }
  arm_limit();
}

}  // namespace fp
