// One process of --exec: frames in, lines of JSON out.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/process.h"
#include "base/report.h"
#include "frame/frame.h"
#include "frame/sink.h"
#include "loop/loop.h"
#include "webrtc-ingest/lines.h"

namespace fp::ingest {

struct ChildOptions {
  std::string command;  ///< for `/bin/sh -c`: reads mjpeg-frames(5), writes lines of JSON
  /// It hangs when it leaves what it was given unread for so long. One that has not read a byte since it was started
  /// has Child::kMostStarting at least: it may be loading a model.
  std::chrono::milliseconds hang_time{30'000};
};

enum class ChildEnd { Ended, Hung };

/// What a child tells whoever has it, on the loop's thread. None of these may destroy it, all may give it to
/// Pool::retire().
struct ChildEvents {
  /// It gets this frame now: a frame that a newer one superseded is never told of.
  std::function<void(const FramePtr& frame)> given;
  /// A line that is a JSON object: as it stands, and read.
  std::function<void(std::string_view line, const nlohmann::ordered_json& object)> line;
  /// It is no use any more; called once, and nothing is after it.
  std::function<void(ChildEnd end, const std::string& why)> ended;
};

/// A frame is begun only when the child has taken the one before out of its pipe; until then the newest waits. Lines
/// are read at no more than kMostLineBytes a line (longer ones are left out) and kMostBytesPerSecond: one that writes
/// faster waits. Standard error is ours. One thread.
class Child {
 public:
  static constexpr std::size_t kMostLineBytes = 64u << 10;
  static constexpr std::size_t kMostBytesPerSecond = 1u << 20;
  static constexpr std::chrono::seconds kMostStarting{60};

  struct Figures {
    std::uint64_t given = 0;
    std::uint64_t superseded = 0;  ///< frames that a newer one replaced before they were given
    std::uint64_t lines = 0;       ///< JSON objects
    std::uint64_t malformed = 0;   ///< other lines, and those that were too long
  };

  /// Starts the command. Error: Io (no more processes or descriptors). `report` is told once of each way in which its
  /// output is of no use.
  [[nodiscard]] static Result<std::unique_ptr<Child>> start(Loop& loop, const Clock& clock, const ChildOptions& options,
                                                            Report report);
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();  ///< SIGKILL, to all of its group

  /// From now on these are told; what it wrote before was for nobody.
  void attach(ChildEvents events);
  void put(FramePtr frame);
  /// It is wanted no more: nobody is told of anything, its input is closed and SIGTERM sent.
  void let_go();
  /// Whether it has ended (after let_go(), when nobody is told).
  [[nodiscard]] bool has_ended();

  [[nodiscard]] pid_t pid() const { return process_.pid(); }
  [[nodiscard]] SteadyTime started() const { return started_; }
  [[nodiscard]] const Figures& figures() const { return figures_; }

 private:
  Child(Loop& loop, const Clock& clock, ChildOptions options, ChildProcess process, Report report);
  void push();
  void begin();
  void lose_input();
  void read_some();
  void take(std::string_view line);
  void say(bool& said, const std::string& text);
  void look();
  void closed_output();
  [[nodiscard]] std::size_t unread() const;
  void stop();  // nothing is read or written any more
  void end(ChildEnd how, const std::string& why);

  const Clock& clock_;
  const ChildOptions options_;
  const Report report_;
  ChildProcess process_;
  const SteadyTime started_;
  std::shared_ptr<const ChildEvents> events_;  // shared: they may be replaced while one of them is called
  bool over_ = false;                          // end() or let_go()

  FramePtr waiting_;
  SteadyTime waits_since_{};
  std::optional<Part> part_;                // that is being written
  Target target_;                           // its input
  std::optional<SteadyTime> input_closed_;  // by the child
  std::uint64_t given_bytes_ = 0;           // that the pipe has taken, without those of part_
  std::uint64_t taken_bytes_ = 0;           // of those, by the child, when we last looked
  SteadyTime progress_{};                   // when it last took some, or was first given some

  Lines lines_{kMostLineBytes};
  std::optional<SteadyTime> output_closed_;
  SteadyTime second_{};           // when the second began in which
  std::size_t second_bytes_ = 0;  // so many were read
  bool said_frames_ = false;
  bool said_other_ = false;
  bool said_long_ = false;
  bool said_closed_ = false;
  Figures figures_;

  IoWatch output_watch_;
  IoWatch input_watch_;
  Timer gate_timer_;   // whether it has taken the frame before
  Timer pause_timer_;  // reading goes on
  Timer look_timer_;   // whether it has ended or hangs
};

}  // namespace fp::ingest
