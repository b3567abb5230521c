// What the frame-moving programs share: from the options to their input and output, and the loop between them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cli/cli.h"
#include "frame/input.h"
#include "frame/output.h"
#include "frame/producer.h"

namespace fp::tool {

/// Opens what --input or --output names. Throws Failure, also when standard input is a terminal.
/// `every_frame`: read each frame in order; else, with --every-frame only, the newest of those that have come.
[[nodiscard]] Input open_input(const cli::Common& common, const Clock& clock, bool every_frame = false);
/// Reading `from` a regular file implies --every-frame.
/// `measure`: see Output::Options.
[[nodiscard]] std::unique_ptr<Output> open_output(const cli::Common& common, TraceHop hop, const Input* from = nullptr,
                                                  bool measure = false);

/// Throws Failure when `spec`, which `option` names, is the very file that `from` reads: opened for writing, it would
/// be emptied before a byte was read. open_output() asks for its own.
void refuse_same_file(const std::string& option, const std::string& spec, const Input& from);

struct Steps {
  /// What becomes of each frame: itself, another, or nullptr for none. Nothing: passed on.
  std::function<FramePtr(FramePtr)> frame;
  /// A time to be called at (`tick`), whether or not frames come.
  std::function<std::optional<SteadyTime>()> due;
  /// Called after each frame and each wake; may give a frame to pass on.
  std::function<FramePtr(SteadyTime)> tick;
  /// Readable when `tick` is to be called, too; at most 5.
  std::vector<int> wake_fds;
  /// Called at the end, until it gives nullptr. Of an input that has ended: all that is still to come out; `stopped`
  /// by a signal: the frame in hand.
  std::function<FramePtr(bool stopped)> last;
  /// A line for the terminal and for systemd, instead of the usual figures.
  std::function<std::string()> status;
  /// Asked now and then: whether to end.
  std::function<bool()> enough;
  std::string waiting_for = "the first frame";
};

/// Moves frames until the input ends, the output is gone, or SIGTERM or SIGINT comes; tells systemd and the terminal
/// about it. Returns the exit code; throws Failure when the output broke.
[[nodiscard]] Exit run(Producer& producer, Output& output, const cli::StopSignal& stop, const cli::Common& common,
                       const Clock& clock, const Steps& steps = {});

}  // namespace fp::tool
