// loadgen: many viewers of one MJPEG server, and what they saw.
#include <arpa/inet.h>
#include <signal.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <regex>
#include <stdexcept>
#include <string>
#include <vector>

#include "loadgen/crowd.h"
#include "loadgen/report.h"

namespace {
using namespace fp::bench;

struct Options {
  std::string url;
  bool raw = false;
  bool copy = false;
  bool discard = false;
  bool json = false;
  double slow_rate = 0;
  std::vector<std::string> headers;
  CrowdOptions crowd;
};

// A thousand viewers need more than the usual 1024 descriptors.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

Audience audience_for(const Options& options) {
  static const std::regex kUrl(R"((?:http|tcp)://([0-9.]+):([0-9]{1,5})(/.*)?)");
  std::smatch parts;
  Audience audience;
  audience.server.sin_family = AF_INET;
  if (!std::regex_match(options.url, parts, kUrl) ||
      ::inet_pton(AF_INET, parts[1].str().c_str(), &audience.server.sin_addr) != 1) {
    throw std::runtime_error("not of the form http://127.0.0.1:PORT/PATH: " + options.url);
  }
  // Loopback only: a thousand connects in a rush are no present for somebody else's server.
  if (ntohl(audience.server.sin_addr.s_addr) >> 24 != 127) throw std::runtime_error("not on this host: " + options.url);
  audience.server.sin_port = htons(static_cast<std::uint16_t>(std::stoul(parts[2])));
  audience.copy = !options.discard;
  audience.slow_rate = options.slow_rate;
  if (options.raw) return audience;
  const std::string path = parts[3].matched ? parts[3].str() : "/";
  audience.request = "GET " + path + " HTTP/1.1\r\nHost: " + parts[1].str() + ":" + parts[2].str() + "\r\n";
  for (const std::string& line : options.headers) audience.request += line + "\r\n";
  audience.request += "\r\n";
  return audience;
}

int run(const Options& options) {
  raise_descriptor_limit();
  Crowd crowd(options.crowd, audience_for(options));
  CrowdFigures figures = crowd.run();
  const auto report = options.json ? json_report : text_report;
  std::fputs(report(figures, options.crowd.seconds, crowd.own_cpu_seconds()).c_str(), stdout);
  return 0;
}

void add_options(CLI::App& app, Options& options) {
  auto count_of = [&](ViewerClass kind) -> std::size_t& {
    return options.crowd.viewers[static_cast<std::size_t>(kind)];
  };
  app.add_option("url", options.url, "http://127.0.0.1:PORT/PATH")->required();
  app.add_option("--viewers", count_of(ViewerClass::kNormal), "Viewers that read as fast as they can")
      ->capture_default_str();
  app.add_option("--slow-viewers", count_of(ViewerClass::kSlow), "Viewers that read at --slow");
  app.add_option("--slow", options.slow_rate, "Their rate, bytes a second")->check(CLI::PositiveNumber);
  app.add_option("--hung", count_of(ViewerClass::kHung), "Viewers that read the head and then nothing");
  app.add_option("--at-once", options.crowd.at_once, "Connect so many at a time, not all in one rush");
  app.add_option("--seconds", options.crowd.seconds, "Measured time")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--warmup", options.crowd.warmup_seconds, "Time before it")->capture_default_str();
  app.add_option("--linger", options.crowd.linger_seconds, "Time after it")->capture_default_str();
  app.add_option("--header", options.headers, "A line for the request's head, such as 'Accept: image/*'; repeatable");
  app.add_flag("--raw", options.raw, "The server sends multipart with no HTTP head, and gets no request");
  auto* const copy = app.add_flag("--copy", options.copy, "Copy and check every frame (the default)");
  app.add_flag("--discard", options.discard, "Let the kernel discard all but one frame in fifty per viewer")
      ->excludes(copy);
  app.add_flag("--json", options.json, "Report in JSON");
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Open many viewers of one MJPEG server on this host, check what they get, and measure.", "loadgen"};
  options.crowd.viewers = {1, 0, 0};
  add_options(app, options);
  CLI11_PARSE(app, argc, argv);
  ::signal(SIGPIPE, SIG_IGN);
  try {
    return run(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "loadgen: %s\n", error.what());
    return 1;
  }
}
