// loadgen: many viewers of one MJPEG server, and what they saw.
#include <arpa/inet.h>
#include <signal.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <exception>
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

struct Address {
  std::string host;
  std::string port;
  std::string path;
};

// No std::regex here: g++ 12 warns inside of it when sanitizers are on.
Address split_url(const std::string& url) {
  const std::size_t scheme_end = url.find("://");
  const std::size_t host = scheme_end == std::string::npos ? url.size() : scheme_end + 3;
  const std::size_t slash = std::min(url.find('/', host), url.size());
  const std::size_t colon = url.find(':', host);
  if (colon >= slash) throw std::runtime_error("not of the form http://127.0.0.1:PORT/PATH: " + url);
  return {url.substr(host, colon - host), url.substr(colon + 1, slash - colon - 1),
          slash == url.size() ? "/" : url.substr(slash)};
}

sockaddr_in loopback_address(const Address& address) {
  sockaddr_in server{};
  server.sin_family = AF_INET;
  const char* const port_end = address.port.data() + address.port.size();
  std::uint16_t port = 0;
  const auto [stop, error] = std::from_chars(address.port.data(), port_end, port);
  if (error != std::errc() || stop != port_end) throw std::runtime_error("no port: " + address.port);
  server.sin_port = htons(port);
  // Loopback only: a thousand connects in a rush are no present for somebody else's server.
  if (::inet_pton(AF_INET, address.host.c_str(), &server.sin_addr) != 1 || ntohl(server.sin_addr.s_addr) >> 24 != 127) {
    throw std::runtime_error("not an IPv4 address of this host's loopback: " + address.host);
  }
  return server;
}

Audience audience_for(const Options& options) {
  const Address address = split_url(options.url);
  Audience audience;
  audience.server = loopback_address(address);
  audience.copy = !options.discard;
  audience.slow_rate = options.slow_rate;
  if (options.raw) return audience;
  audience.request = "GET " + address.path + " HTTP/1.1\r\nHost: " + address.host + ":" + address.port + "\r\n";
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
