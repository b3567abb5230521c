#include "cli/cli.h"

#include <poll.h>
#include <sys/signalfd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <iostream>

#include "base/secret_url.h"
#include "base/text.h"
#include "cli/log.h"
#include "cli/version.h"

namespace fp::cli {
namespace {

using std::chrono::milliseconds;

// "--fps" of "-f,--fps".
std::string long_name(const std::string& names) { return names.substr(names.find("--")); }

// A number with one of `units` behind it.
struct Unit {
  std::string_view name;
  double factor;
};
template <std::size_t N>
std::optional<double> parse_quantity(std::string_view text, const std::array<Unit, N>& units) {
  const auto digits = text.find_first_not_of("0123456789.");
  const auto number = parse_double(text.substr(0, digits));
  const std::string_view suffix = digits == std::string_view::npos ? std::string_view() : text.substr(digits);
  for (const Unit& unit : units) {
    if (number && equal_ignoring_case(suffix, unit.name)) return *number * unit.factor;
  }
  return std::nullopt;
}

constexpr std::uint64_t kMostFrames = 1'000'000'000'000;
constexpr std::array<Unit, 5> kTimes = {{{"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}}};
constexpr std::array<Unit, 10> kBytes = {{{"", 1},
                                          {"k", 1024},
                                          {"kb", 1024},
                                          {"kib", 1024},
                                          {"m", 1048576},
                                          {"mb", 1048576},
                                          {"mib", 1048576},
                                          {"g", 1073741824},
                                          {"gb", 1073741824},
                                          {"gib", 1073741824}}};

std::string bytes_text(std::uint64_t bytes) {
  if (bytes >= (1u << 20) && bytes % (1u << 20) == 0) return std::to_string(bytes >> 20) + "M";
  if (bytes >= (1u << 10) && bytes % (1u << 10) == 0) return std::to_string(bytes >> 10) + "K";
  return std::to_string(bytes);
}

// 20, 0.5 or 1e+06, as a person would write it.
std::string number_text(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.10g", value);
  return text.data();
}

template <typename T>
CLI::Option* add_any_number(CLI::App& app, const std::string& names, T& value, const std::string& help, T least,
                            T most) {
  const auto read = [&value, names, least, most](const std::string& text) {
    std::optional<T> number;
    if constexpr (std::is_floating_point_v<T>) {
      number = parse_double(text);
    } else {
      number = parse_integer<T>(text);
    }
    if (!number || *number < least || *number > most) {
      throw CLI::ValidationError(long_name(names), "'" + text + "' is no " +
                                                       (std::is_floating_point_v<T> ? "" : "whole ") + "number from " +
                                                       number_text(static_cast<double>(least)) + " to " +
                                                       number_text(static_cast<double>(most)));
    }
    value = *number;
  };
  return app.add_option_function<std::string>(names, read, help)
      ->type_name("N")
      ->default_str(number_text(static_cast<double>(value)));
}

}  // namespace

CLI::Option* add_number(CLI::App& app, const std::string& names, double& value, const std::string& help, double least,
                        double most) {
  return add_any_number(app, names, value, help, least, most);
}
CLI::Option* add_number(CLI::App& app, const std::string& names, int& value, const std::string& help, int least,
                        int most) {
  return add_any_number(app, names, value, help, least, most);
}
CLI::Option* add_number(CLI::App& app, const std::string& names, std::uint64_t& value, const std::string& help,
                        std::uint64_t least, std::uint64_t most) {
  return add_any_number(app, names, value, help, least, most);
}

std::string to_text(milliseconds duration) {
  const auto count = duration.count();
  return count % 1000 == 0 ? std::to_string(count / 1000) + "s" : std::to_string(count) + "ms";
}

CLI::Option* add_duration(CLI::App& app, const std::string& names, milliseconds& value, const std::string& help,
                          milliseconds least, milliseconds most) {
  const auto read = [&value, names, least, most](const std::string& text) {
    const auto ms = parse_quantity(text, kTimes);
    if (!ms) throw CLI::ValidationError(long_name(names), "'" + text + "' is no time: write 250ms, 15s, 2m or 1h");
    const milliseconds time(std::llround(std::min(*ms, 1e15)));
    if (time < least || time > most) {
      throw CLI::ValidationError(long_name(names),
                                 "'" + text + "' is not between " + to_text(least) + " and " + to_text(most));
    }
    value = time;
  };
  return app.add_option_function<std::string>(names, read, help)->type_name("TIME")->default_str(to_text(value));
}

CLI::Option* add_bytes(CLI::App& app, const std::string& names, std::uint64_t& value, const std::string& help,
                       std::uint64_t least, std::uint64_t most) {
  const auto read = [&value, names, least, most](const std::string& text) {
    const auto bytes = parse_quantity(text, kBytes);
    if (!bytes)
      throw CLI::ValidationError(long_name(names), "'" + text + "' is no size: write 100000, 512K, 32M or 1G");
    if (*bytes < static_cast<double>(least) || *bytes > static_cast<double>(most)) {
      throw CLI::ValidationError(long_name(names),
                                 "'" + text + "' is not between " + bytes_text(least) + " and " + bytes_text(most));
    }
    value = static_cast<std::uint64_t>(*bytes);
  };
  return app.add_option_function<std::string>(names, read, help)->type_name("BYTES")->default_str(bytes_text(value));
}

CLI::Option* add_choice(CLI::App& app, const std::string& names, std::string& value, const std::string& help,
                        const std::vector<std::string>& choices) {
  std::string type;
  for (const std::string& choice : choices) type += (type.empty() ? "" : "|") + choice;
  const auto check = [choices, type](const std::string& text) -> std::string {
    for (const std::string& choice : choices) {
      if (choice == text) return "";
    }
    return "'" + text + "' is none of " + type;
  };
  return app.add_option(names, value, help)->check(check)->type_name(type)->capture_default_str();
}

CLI::Option* add_size(CLI::App& app, const std::string& names, int& width_px, int& height_px, const std::string& help) {
  const auto read = [&width_px, &height_px, names](const std::string& text) {
    const auto parts = split(text, 'x');
    const auto width = parse_integer<int>(parts.front());
    const auto height = parse_integer<int>(parts.back());
    if (parts.size() != 2 || !width || !height || *width < 1 || *width > 16384 || *height < 1 || *height > 16384) {
      throw CLI::ValidationError(long_name(names), "'" + text + "' is no size: write 640x480, sides of 1 to 16384");
    }
    width_px = *width;
    height_px = *height;
  };
  return app.add_option_function<std::string>(names, read, help)
      ->type_name("WxH")
      ->default_str(std::to_string(width_px) + "x" + std::to_string(height_px));
}

void add_common(CLI::App& app, Common& common) {
  use_our_help(app);
  app.set_help_flag("-h,--help", "Show this help and end");
  app.set_version_flag("-V,--version", app.get_name() + " (framepipe) " + kVersion, "Show the version and end");
  app.add_flag("-v,--verbose", common.verbose, "Say more on standard error")->group("Common");
  app.add_flag("-q,--quiet", common.quiet, "Say errors only")->group("Common");
  add_choice(app, "--log-format", common.log_format, "How to write messages", {"text", "json"})->group("Common");
  app.add_flag("--watchdog-frames", common.watchdog_frames,
               "Feed systemd's watchdog only while frames pass, not just while the tool lives")
      ->group("Common");
  app.set_config("--config", "", "Read options from a TOML file: NAME = VALUE on each line")
      ->type_name("FILE")
      ->group("Common");
  app.allow_config_extras(CLI::config_extras_mode::error);  // a misspelt name must not pass for one that works
  app.get_help_ptr()->group("Common");
  app.get_version_ptr()->group("Common");
  // Hidden: the build makes the completion files with it.
  app.add_option("--completions", "Print shell completions and end")->group("");
}

void add_input(CLI::App& app, Common& common) {
  app.add_option("-i,--input", common.input,
                 "Where frames come from: - (standard input), a file or FIFO, fd:N, unix:PATH, unix-listen:PATH, "
                 "tcp:HOST:PORT, tcp-listen:[HOST:]PORT, http://..., https://..., exec:COMMAND")
      ->type_name("SPEC")
      ->capture_default_str();
  add_bytes(app, "--max-frame-bytes", common.max_frame_bytes, "Skip frames larger than this", 1024, 1u << 30);
}

namespace {

void add_output_spec(CLI::App& app, Common& common) {
  app.add_option("-o,--output", common.output,
                 "Where frames go: - (standard output), a file or FIFO, fd:N, unix:PATH, unix-listen:PATH, "
                 "tcp:HOST:PORT, tcp-listen:[HOST:]PORT, exec:COMMAND, none")
      ->type_name("SPEC")
      ->capture_default_str();
}

}  // namespace

void add_frames(CLI::App& app, Common& common) {
  add_number(app, "--frames", common.frames, "End after so many frames; 0: go on", 0, kMostFrames);
  app.add_flag("--trace", common.trace, "Note in X-Trace when this tool had each frame");
}

void add_output(CLI::App& app, Common& common) {
  add_output_spec(app, common);
  app.add_flag("--every-frame", common.every_frame, "Drop no frame: wait for the reader (a batch job)");
  add_frames(app, common);
}

void add_live_output(CLI::App& app, Common& common) {
  add_output_spec(app, common);
  add_frames(app, common);
}

namespace {

// What ps(1) shows: passwords in URLs are taken out of our own arguments.
void blot_out_secrets(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    for (const std::string_view secret : secrets_in(argv[i])) {
      std::fill_n(argv[i] + (secret.data() - argv[i]), secret.size(), '*');
    }
  }
}

}  // namespace

std::optional<int> parse(CLI::App& app, int argc, char** argv) {
  // --completions stands alone: it must work without the arguments that a tool cannot do without.
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::string_view(argv[i]) != "--completions") continue;
    const std::string text = completions(app, argv[i + 1]);
    std::cout << text;
    return static_cast<int>(text.empty() ? Exit::Usage : Exit::Done);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& done) {
    return app.exit(done);  // help or version
  } catch (const CLI::ParseError& error) {
    const bool config = error.get_exit_code() == static_cast<int>(CLI::ExitCodes::FileError) ||
                        error.get_exit_code() == static_cast<int>(CLI::ExitCodes::ConfigError);
    std::string text = blotted(error.what());
    for (char& c : text) c = c == '\n' ? ' ' : c;
    std::fprintf(stderr, "%s: %s (see %s --help)\n", app.get_name().c_str(), text.c_str(), app.get_name().c_str());
    return static_cast<int>(config ? Exit::Config : Exit::Usage);
  }
  blot_out_secrets(argc, argv);
  return std::nullopt;
}

void start(const CLI::App& app, const Common& common) {
  start_logging(app.get_name(), {common.verbose, common.quiet, common.log_format == "json"});
  std::signal(SIGPIPE, SIG_IGN);
}

int run(const std::string& tool, const std::function<Exit()>& work) {
  const auto say = [&](const std::string& text) { log_error(tool, text); };
  try {
    return static_cast<int>(work());
  } catch (const Failure& failure) {
    say(failure.text);
    return static_cast<int>(failure.code);
  } catch (const std::bad_alloc&) {
    say("out of memory");
    return static_cast<int>(Exit::System);
  } catch (const std::exception& error) {
    say(std::string("internal error: ") + error.what());
    return static_cast<int>(Exit::Software);
  }
}

namespace {

Fd take_over(std::initializer_list<int> numbers) {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int number : numbers) sigaddset(&signals, number);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  Fd fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd) throw Failure{Exit::System, io_error("signalfd").text};
  return fd;
}

}  // namespace

StopSignal::StopSignal() : fd_(take_over({SIGTERM, SIGINT})) {}

UserSignals::UserSignals() : fd_(take_over({SIGUSR1, SIGUSR2})) {}

std::optional<int> UserSignals::take() const {
  signalfd_siginfo info{};
  if (::read(fd_.get(), &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return std::nullopt;
  return info.ssi_signo == SIGUSR1 ? 1 : 2;
}

HangupSignal::HangupSignal() : fd_(take_over({SIGHUP})) {}

bool HangupSignal::take() const {
  signalfd_siginfo info{};
  return ::read(fd_.get(), &info, sizeof info) == static_cast<ssize_t>(sizeof info);
}

bool StopSignal::raised() const {
  pollfd one{fd_.get(), POLLIN, 0};
  return ::poll(&one, 1, 0) > 0;
}

}  // namespace fp::cli
