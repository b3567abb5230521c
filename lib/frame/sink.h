// One reader of an Output: a descriptor, a slot for the newest frame, and a thread that writes.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "base/event.h"
#include "base/fd.h"
#include "base/process.h"
#include "frame/output.h"

namespace fp {

/// How to ask the kernel what a reader has not taken yet.
enum class Gate { None, Pipe, Unix, Tcp };

/// Where a sink's bytes go: opened by its thread, again after each loss if `reopens`.
struct Target {
  Fd fd;                              ///< owned, or
  int borrowed = -1;                  ///< inherited
  std::optional<ChildProcess> child;  ///< whose standard input it is
  Gate gate = Gate::None;             ///< set when it has been opened
  bool never_blocks = false;          ///< a socket, or a pipe with O_NONBLOCK
  bool paced = true;                  ///< each frame is begun only when the one before has been taken
  [[nodiscard]] int get() const { return child ? child->fd() : fd ? fd.get() : borrowed; }
  [[nodiscard]] bool socket() const { return gate == Gate::Unix || gate == Gate::Tcp; }
};
using OpenTarget = std::function<Result<Target>()>;

/// A frame on its way out: its part header, its JPEG and the line end. Or a line of text.
class Part {
 public:
  Part(const FramePtr& frame, std::string header) : header_(std::move(header)), body_(frame->jpeg), end_("\r\n") {}
  explicit Part(std::string line) : header_(std::move(line)), end_("\n") {}
  /// One write of what is left, never blocking where the target never does. Returns 0 or errno (EAGAIN: no room now).
  [[nodiscard]] int write_some(const Target& target);
  [[nodiscard]] bool written() const { return at_ == size(); }
  [[nodiscard]] std::size_t sent() const { return at_; }  ///< bytes
  [[nodiscard]] std::size_t size() const { return header_.size() + body_.size() + end_.size(); }

 private:
  std::string header_;
  Blob body_;
  std::string_view end_;
  std::size_t at_ = 0;
};

/// put() writes a frame itself when the reader waits for one, which spares a change of threads; what does not fit, and
/// what comes before the reader is ready for it, is left to the thread.
class Sink {
 public:
  /// `on_gone` is called on the sink's thread, once, when nothing more will be written. With `reopens` a target that
  /// cannot be opened or is lost is tried again with back-off.
  Sink(OpenTarget open, bool reopens, Output::Options options, std::string name, Report report,
       std::function<void()> on_gone);
  ~Sink();
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  bool put(FramePtr frame);
  /// Ends after what was put, within `limit` if there is one. Does not block.
  void drain(std::optional<std::chrono::milliseconds> limit = std::nullopt);
  void finish(std::chrono::milliseconds grace);
  [[nodiscard]] bool gone() const { return gone_; }
  [[nodiscard]] bool connected() const { return connected_; }
  [[nodiscard]] Output::Figures figures() const;
  [[nodiscard]] std::optional<Error> error() const;

 private:
  enum class Wait { Ready, Lost, Stop };
  void run();
  bool serve(Target& target);
  Wait wait_frame(const Target& target);
  Wait wait_drained(const Target& target);
  bool write_now(const FramePtr& frame);
  bool put_line(std::string line);
  void begin_taking();
  void note_taken(const Target& target);
  void end_taking();
  [[nodiscard]] Part part_of(const FramePtr& frame) const;
  Result<Done> write_part(const Target& target, Part& part);
  [[nodiscard]] bool out_of_time() const;
  [[nodiscard]] int time_left_ms() const;

  OpenTarget open_;
  const bool reopens_;
  const Output::Options options_;
  const std::string name_;
  Report report_;
  std::function<void()> on_gone_;

  mutable std::mutex mutex_;
  std::condition_variable taken_;
  FramePtr pending_;
  std::deque<std::string> lines_;  // of Options::line, instead
  const Target* idle_ = nullptr;   // while the thread waits for a frame: whoever holds the mutex may write to it
  std::optional<Part> begun_;      // by put(), and left to the thread
  bool finishing_ = false;
  std::optional<SteadyTime> deadline_;
  std::optional<Error> error_;
  Output::Figures figures_;
  std::optional<SteadyTime> taking_since_;  // Options::measure: when the frame was begun that the reader has in hand
  Event wake_;
  std::atomic<bool> gone_{false};
  std::atomic<bool> connected_{false};
  std::thread thread_;  // last: it uses all the rest
};

}  // namespace fp
