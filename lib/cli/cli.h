// What every tool does in the same way: its options, its words on standard error, its exit.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/fd.h"
#include "base/report.h"
#include "base/result.h"

namespace fp::cli {

/// The options that tools share. A tool adds those that it has.
struct Common {
  bool verbose = false;
  bool quiet = false;
  std::string log_format = "text";
  std::string input = "-";
  std::string output = "-";
  bool every_frame = false;
  bool trace = false;
  bool watchdog_frames = false;
  std::uint64_t frames = 0;
  std::uint64_t max_frame_bytes = 32u << 20;
};

/// -h, -V, -v, -q, --log-format, --config, --watchdog-frames, and the hidden --completions.
void add_common(CLI::App& app, Common& common);
void add_input(CLI::App& app, Common& common);   ///< -i, --max-frame-bytes
void add_output(CLI::App& app, Common& common);  ///< -o, --every-frame, --trace, --frames
/// The same without --every-frame, of a tool whose peers cannot wait for a reader.
void add_live_output(CLI::App& app, Common& common);
/// --frames and --trace alone, of a tool that does not write to a SPEC.
void add_frames(CLI::App& app, Common& common);

/// "250ms", "15s", "1.5s", "2m", "1h"; a number alone is seconds. Refused outside [least, most].
CLI::Option* add_duration(CLI::App& app, const std::string& names, std::chrono::milliseconds& value,
                          const std::string& help, std::chrono::milliseconds least, std::chrono::milliseconds most);
/// "100000", "32M", "1.5G": powers of 1024. Refused outside [least, most].
CLI::Option* add_bytes(CLI::App& app, const std::string& names, std::uint64_t& value, const std::string& help,
                       std::uint64_t least, std::uint64_t most);
/// One of a few words.
CLI::Option* add_choice(CLI::App& app, const std::string& names, std::string& value, const std::string& help,
                        const std::vector<std::string>& choices);
/// "640x480", sides 1 to 16384.
CLI::Option* add_size(CLI::App& app, const std::string& names, int& width_px, int& height_px, const std::string& help);
/// A number within [least, most].
CLI::Option* add_number(CLI::App& app, const std::string& names, double& value, const std::string& help, double least,
                        double most);
CLI::Option* add_number(CLI::App& app, const std::string& names, int& value, const std::string& help, int least,
                        int most);
CLI::Option* add_number(CLI::App& app, const std::string& names, std::uint64_t& value, const std::string& help,
                        std::uint64_t least, std::uint64_t most);
/// How a duration is written: "250ms", "15s".
[[nodiscard]] std::string to_text(std::chrono::milliseconds duration);

/// Reads the command line, and blots passwords in URLs out of it: from then on `argv` is fit to be seen by others. A
/// value: the tool ends with it at once (help was shown, or one line says what is wrong).
[[nodiscard]] std::optional<int> parse(CLI::App& app, int argc, char** argv);

/// Sets up logging to standard error in the name of the tool, and ignores SIGPIPE.
void start(const CLI::App& app, const Common& common);

/// Runs a tool's work and turns what it throws into one line and an exit code.
[[nodiscard]] int run(const std::string& tool, const std::function<Exit()>& work);

/// Logs through spdlog: what libraries report.
[[nodiscard]] Report reporter();

/// SIGTERM and SIGINT as a descriptor that becomes and stays readable. Make it before any thread: the signals are
/// blocked from then on.
class StopSignal {
 public:
  StopSignal();
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// Whether one has come. Does not take it away.
  [[nodiscard]] bool raised() const;

 private:
  Fd fd_;
};

/// SIGUSR1 and SIGUSR2 as a descriptor. Make it before any thread: the signals are blocked from then on.
class UserSignals {
 public:
  UserSignals();
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// 1 or 2, each as often as it came (those that came together, once); nothing when none is left.
  [[nodiscard]] std::optional<int> take() const;

 private:
  Fd fd_;
};

/// SIGHUP as a descriptor: the wish to read files again. Make it before any thread: the signal is blocked from then on.
class HangupSignal {
 public:
  HangupSignal();
  [[nodiscard]] int fd() const { return fd_.get(); }
  /// Whether one has come since the last time.
  [[nodiscard]] bool take() const;

 private:
  Fd fd_;
};

/// --help as we like it: eighty columns, types and defaults short. add_common() calls it.
void use_our_help(CLI::App& app);

/// The text of a bash, zsh or fish completion, or with "list" each long option on a line, made from the options.
[[nodiscard]] std::string completions(const CLI::App& app, const std::string& shell);

}  // namespace fp::cli
