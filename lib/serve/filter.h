// A program that works on frames when asked: kept warm as a child, one question at a time.
#pragma once

#include <sys/uio.h>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/histogram.h"
#include "base/process.h"
#include "base/report.h"
#include "frame/frame.h"
#include "frame/parser.h"
#include "loop/loop.h"
#include "serve/limited_report.h"

namespace fp {

struct FilterOptions {
  std::string name;
  std::string command;  ///< for `/bin/sh -c`: reads and writes mjpeg-frames(5)
  std::chrono::milliseconds timeout{5000};
  std::size_t max_frame_bytes = StreamParser::kDefaultMaxFrameBytes;
};

/// What is asked for besides the frame.
struct FilterOrder {
  std::optional<bool> gate_open;  ///< X-Gate; nothing: not sent
  std::string overlay;            ///< X-Overlay, "boxes=1,labels=0"; "": not sent
};

struct FilterError {
  enum class Kind {
    TimedOut,  ///< no answer, or no turn, within the time limit
    Lost,      ///< the child ended, or cannot be started
    Crowded,   ///< too many questions wait
    NoFrame,   ///< when its turn came there was no frame
  };
  Kind kind = Kind::Lost;
  std::string text;  ///< for people: "filter detect: exit code 69: no model (...)"
};
/// Of an HTTP answer: 504 or 503.
[[nodiscard]] int status_of(FilterError::Kind kind);
/// The child's frame, without X-Request, X-Gate and X-Overlay; what its header does not say of time, sequence, camera,
/// signal and trace is the question's.
using FilterResult = tl::expected<FramePtr, FilterError>;

/// Runs the command from the beginning, and again with back-off whenever it ends. Questions take turns in the order
/// they came. A child that does not answer within the time limit is killed and started again, but for one that has not
/// begun to read since it was started: it may be loading a model, and has a minute.
///
/// One thread. Memory: the frame in hand, what StreamParser takes, and kMostWaiting questions.
class Filter {
 public:
  static constexpr std::size_t kMostWaiting = 64;
  static constexpr std::chrono::seconds kMostStarting{60};

  /// Called when the question's turn has come; gives the newest frame, or nullptr when there is none any more.
  using Fetch = std::function<FramePtr()>;
  /// Called once, from the loop and never from within ask(). May ask, and may destroy questions, also its own; not the
  /// filter.
  using Answer = std::function<void(FilterResult)>;

  struct Figures {
    std::uint64_t questions = 0;
    std::uint64_t answered = 0;
    std::uint64_t failed = 0;  ///< all that got an error, timed_out among them
    std::uint64_t timed_out = 0;
    std::uint64_t restarts = 0;
    std::uint64_t late = 0;  ///< frames that answered nothing that was in hand
    Histogram took;          ///< from the turn to the answer
  };

  /// A question that waits or is in hand. Destroyed, it is withdrawn: nobody will be called. May outlive the filter.
  class Question {
   public:
    Question(const Question&) = delete;
    Question& operator=(const Question&) = delete;
    ~Question();
    /// The child has it, or had it.
    [[nodiscard]] bool begun() const { return begun_; }
    /// How long ago its turn came; after the answer: how long that took. 0 before.
    [[nodiscard]] std::chrono::nanoseconds took() const { return took_; }

   private:
    friend class Filter;
    Question(Filter& filter, Fetch fetch, FilterOrder order, Answer answer, SteadyTime asked)
        : filter_(&filter),
          fetch_(std::move(fetch)),
          order_(std::move(order)),
          answer_(std::move(answer)),
          asked_(asked) {}
    Filter* filter_;  // nullptr: answered, or the filter has gone
    Fetch fetch_;
    FilterOrder order_;
    Answer answer_;
    SteadyTime asked_;
    bool begun_ = false;
    std::chrono::nanoseconds took_{0};
  };

  /// Starts the child. `report` is told what the child writes to standard error, as LimitedReport lets it through, and
  /// why it ends.
  Filter(Loop& loop, const Clock& clock, FilterOptions options, Report report);
  Filter(const Filter&) = delete;
  Filter& operator=(const Filter&) = delete;
  ~Filter();  ///< ends the child: its input is closed and SIGTERM sent; SIGKILL after 300 ms

  [[nodiscard]] std::unique_ptr<Question> ask(Fetch fetch, FilterOrder order, Answer answer);

  /// Is told of each frame of a camera that it has worked on, with that camera's name. Once, before there are any.
  using Told = std::function<void(const Frame&)>;
  void tell(Told told) { told_ = std::move(told); }
  void worked_on(const Frame& frame) const {
    if (told_) told_(frame);
  }

  [[nodiscard]] Loop& loop() const { return loop_; }
  [[nodiscard]] const std::string& name() const { return options_.name; }
  [[nodiscard]] const char* status() const;  ///< "ready", "busy", "starting" or "restarting"
  [[nodiscard]] const std::string& trouble() const { return trouble_; }  ///< why it is not running; or ""
  [[nodiscard]] const Figures& figures() const { return figures_; }
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
  [[nodiscard]] Skips skips() const;
  [[nodiscard]] pid_t pid() const { return child_ ? child_->pid() : -1; }

 private:
  // What the child has been given and has not done with: a part that is being written, an answer that is due.
  struct Run {
    Run(Question& asked, std::uint64_t number, FramePtr of, std::string head, SteadyTime now, SteadyTime until)
        : question(&asked), id(number), frame(std::move(of)), header(std::move(head)), began(now), due(until) {}
    Question* question;  // nullptr: withdrawn or failed, and still in the child's hands
    std::uint64_t id;
    FramePtr frame;
    std::string header;
    std::size_t sent = 0;
    bool answered = false;
    SteadyTime began;
    SteadyTime due;  // of a child that reads: when it is given up
    [[nodiscard]] std::size_t size() const { return header.size() + frame->jpeg.size() + 2; }
    [[nodiscard]] bool written() const { return sent == size(); }
  };

  void start();
  void lost(const std::string& why, bool by_itself = true);
  void withdraw(Question& question);
  void refuse_the_rest();
  void answer(Question& question, FilterResult result);
  void go_on();
  void begin(Question& question, FramePtr frame);
  void write_some();
  void read_some();
  void take(Frame frame, bool timed, bool numbered);
  void read_errors(bool all);
  void check_time();
  void arm_limit();
  [[nodiscard]] bool has_read() const;
  void look_whether_it_reads(SteadyTime now);
  [[nodiscard]] std::string prefix() const { return "filter " + options_.name + ": "; }

  Loop& loop_;
  const Clock& clock_;
  const FilterOptions options_;
  const Report report_;
  Told told_;
  std::optional<ChildProcess> child_;
  StreamParser parser_;
  Skips skips_before_;  // of earlier children
  SkipReporter skip_reporter_;
  LimitedReport limited_report_;  // of its standard error
  SteadyTime started_{};
  std::uint64_t given_bytes_ = 0;  // to this child
  mutable bool has_read_ = false;  // it has taken a byte of those
  std::string errors_;             // of its standard error, the line in hand
  std::string last_error_;         // and the last whole one
  std::string trouble_;
  std::string told_trouble_;  // and no question has been answered since
  Backoff backoff_;
  std::optional<Run> run_;
  std::deque<Question*> waiting_;
  std::deque<Question*> refused_;  // to be told so
  std::uint64_t next_id_ = 1;
  Figures figures_;
  IoWatch output_watch_;
  IoWatch input_watch_;
  IoWatch errors_watch_;
  Timer turn_timer_;  // go_on(), from the loop
  Timer limit_timer_;
  Timer start_timer_;
};

}  // namespace fp
