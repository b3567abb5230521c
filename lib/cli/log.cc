#include "cli/log.h"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <mutex>

#include "base/clock.h"
#include "base/text.h"
#include "cli/cli.h"

namespace fp::cli {
namespace {

// Writes each message in one write(2), so that the lines of tools in one pipeline do not mix.
class StderrSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  StderrSink(std::string tool, bool json) : tool_(std::move(tool)), json_(json) {}

  void progress(const std::string& line) {
    const std::lock_guard lock(mutex_);
    if (line.empty() && progress_.empty()) return;
    progress_ = line;
    write("\r\033[K" + line);
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const std::string text(message.payload.data(), message.payload.size());
    std::string line;
    if (json_) {
      const auto time = std::chrono::time_point_cast<std::chrono::microseconds>(message.time);
      line = "{\"time\":" + format_timestamp(time) + ",\"level\":\"" + level_name(message.level) + "\",\"tool\":\"" +
             json_escape(tool_) + "\",\"message\":\"" + json_escape(text) + "\"}\n";
    } else {
      const bool plain = message.level == spdlog::level::info || message.level == spdlog::level::err;
      line = tool_ + ": " + (plain ? "" : std::string(level_name(message.level)) + ": ") + printable(text, 2000) + "\n";
    }
    if (!progress_.empty()) line = "\r\033[K" + line + progress_;
    write(line);
  }
  void flush_() override {}

 private:
  static const char* level_name(spdlog::level::level_enum level) {
    switch (level) {
      case spdlog::level::warn:
        return "warning";
      case spdlog::level::err:
      case spdlog::level::critical:
        return "error";
      case spdlog::level::info:
        return "info";
      default:
        return "debug";
    }
  }
  static void write(const std::string& text) {
    // Nowhere to report that standard error is closed or full.
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
  }
  std::string tool_;
  bool json_;
  std::string progress_;
};

}  // namespace

void start_logging(const std::string& tool, LogOptions options) {
  auto logger = std::make_shared<spdlog::logger>(tool, std::make_shared<StderrSink>(tool, options.json));
  logger->set_level(options.quiet ? spdlog::level::err : options.verbose ? spdlog::level::debug : spdlog::level::info);
  spdlog::set_default_logger(std::move(logger));
}

void log_error(const std::string& tool, const std::string& text) {
  if (spdlog::default_logger()->name() != tool) start_logging(tool, {});
  show_progress("");
  spdlog::error("{}", text);
}

bool progress_visible() { return ::isatty(STDERR_FILENO) != 0; }

void show_progress(const std::string& line) {
  if (!progress_visible()) return;
  const auto& sinks = spdlog::default_logger()->sinks();
  auto* const sink = sinks.empty() ? nullptr : dynamic_cast<StderrSink*>(sinks.front().get());
  winsize window{};
  if (sink == nullptr || ::ioctl(STDERR_FILENO, TIOCGWINSZ, &window) != 0) return;
  sink->progress(window.ws_col > 1 ? line.substr(0, static_cast<std::size_t>(window.ws_col) - 1) : line);
}

Report reporter() {
  return [](Severity severity, const std::string& text) {
    switch (severity) {
      case Severity::Debug:
        return spdlog::debug("{}", text);
      case Severity::Info:
        return spdlog::info("{}", text);
      case Severity::Warning:
        return spdlog::warn("{}", text);
      case Severity::Error:
        return spdlog::error("{}", text);
    }
  };
}

}  // namespace fp::cli
