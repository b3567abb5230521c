// feeder: a camera for measurements. Emits the same few JPEGs for ever, each with a fresh stamp.
#include <time.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <limits>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "common/clock.h"
#include "feeder/output.h"
#include "feeder/picture.h"

namespace {
using namespace fp::bench;

volatile std::sig_atomic_t stop_asked = 0;  // a signal handler can reach nothing else

struct Options {
  std::vector<std::string> files;
  std::string directory;
  bool pipe = false;
  double fps = 30;
  std::uint32_t frames = std::numeric_limits<std::uint32_t>::max();
  std::uint32_t corrupt_every = 0;
  std::size_t keep = 100;
};

void sleep_until(std::int64_t steady) {
  const timespec when{steady / 1'000'000, steady % 1'000'000 * 1'000};
  // A signal ends it early, which is what a signal is for.
  ::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, nullptr);
}

// The same length and segments, and one wrong byte in the middle, which only the checksum shows.
Picture corrupted(Picture picture) {
  char& victim = picture.body[picture.body.size() / 2];
  victim = static_cast<char>(victim ^ 0x01);
  return picture;
}

std::vector<Picture> load_all(const std::vector<std::string>& files) {
  std::vector<Picture> pictures;
  pictures.reserve(files.size());
  for (const std::string& file : files) pictures.push_back(load_picture(file));
  return pictures;
}

std::unique_ptr<Output> make_output(const Options& options) {
  if (options.pipe) return std::make_unique<PipeOutput>(STDOUT_FILENO);
  return std::make_unique<DirectoryOutput>(options.directory, options.keep);
}

void feed(const Options& options) {
  const std::vector<Picture> pictures = load_all(options.files);
  const std::unique_ptr<Output> output = make_output(options);
  const auto period_us = static_cast<std::int64_t>(1e6 / options.fps);
  std::int64_t next_us = steady_us();
  std::uint32_t number = 0;
  std::uint64_t missed = 0;
  bool reader_gone = false;
  for (; number < options.frames && stop_asked == 0; ++number) {
    const Picture& picture = pictures[number % pictures.size()];
    const bool corrupt = options.corrupt_every != 0 && number % options.corrupt_every == 0;
    reader_gone = !output->emit(corrupt ? corrupted(picture) : picture, number);
    if (reader_gone) break;
    next_us += period_us;
    // A pipe whose reader is late delays the camera; a camera drops those frames and does not send them in a burst.
    for (; next_us < steady_us(); next_us += period_us) ++missed;
    sleep_until(next_us);
  }
  std::fprintf(stderr, "{\"frames\":%u,\"missed\":%llu,\"cpu_seconds\":%.3f,\"end\":\"%s\"}\n", number,
               static_cast<unsigned long long>(missed), own_cpu_seconds(),
               reader_gone       ? "reader gone"
               : stop_asked != 0 ? "signal"
                                 : "done");
}

void install_stop_handler() {
  struct sigaction action {};
  action.sa_handler = [](int) { stop_asked = 1; };
  ::sigaction(SIGTERM, &action, nullptr);
  ::sigaction(SIGINT, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app{"Emit JPEGs at a steady rate, each with the time of its emission in a COM segment.", "feeder"};
  app.add_option("files", options.files, "JPEG files, emitted in turn")->required();
  auto* const directory = app.add_option("--dir", options.directory, "Rename each frame into this directory");
  app.add_flag("--pipe", options.pipe, "Write multipart to standard output")->excludes(directory);
  app.add_option("--fps", options.fps, "Frames a second")->check(CLI::PositiveNumber)->capture_default_str();
  app.add_option("--frames", options.frames, "Stop after so many");
  app.add_option("--keep", options.keep, "Files left in the directory")->capture_default_str();
  app.add_option("--corrupt-every", options.corrupt_every, "Falsify one byte of every Nth frame, to test who notices");
  CLI11_PARSE(app, argc, argv);
  install_stop_handler();
  try {
    if (!options.pipe && options.directory.empty()) throw std::runtime_error("--dir DIR or --pipe is needed");
    feed(options);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "feeder: %s\n", error.what());
    return 1;
  }
}
