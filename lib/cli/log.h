// Words on standard error, for people or as JSON, and the progress line.
#pragma once

#include <string>

namespace fp::cli {

struct LogOptions {
  bool verbose = false;
  bool quiet = false;
  bool json = false;
};
/// Sets spdlog's default logger: lines "TOOL: text", "TOOL: warning: text", or one JSON object a line.
void start_logging(const std::string& tool, LogOptions options);
/// One error line, also before start_logging().
void log_error(const std::string& tool, const std::string& text);

/// Shows `line` as the last line of a terminal, rewritten in place; log lines go above it. Nothing happens when
/// standard error is no terminal. "" takes it away.
void show_progress(const std::string& line);
[[nodiscard]] bool progress_visible();

}  // namespace fp::cli
