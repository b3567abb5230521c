// webrtc-ingest, put together.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "cli/cli.h"
#include "frame/output.h"
#include "rtc/engine.h"
#include "tool/ice_options.h"
#include "tool/web_program.h"
#include "webrtc-ingest/routes.h"

namespace fp::ingest {

struct Options {
  std::string mode = "data";
  std::string exec;  ///< "": none
  int warm = 1;
  std::chrono::milliseconds exec_timeout{30'000};
  int max_sessions = 16;
  int max_sessions_per_address = 16;
  int quality_percent = 85;
  bool output_given = false;
  tool::WebOptions web;
  tool::IceFlags ice;
};

/// One thread.
class Program {
 public:
  /// Listens, starts GStreamer and the first children. Throws Failure.
  Program(const Options& options, const cli::Common& common);
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// Until a signal comes, or nobody reads the output any more. Throws Failure when the output broke.
  [[nodiscard]] Exit run();

 private:
  [[nodiscard]] std::unique_ptr<Sender> open_sender(rtc::IngestEvents events);
  void put(const FramePtr& frame);

  const Options options_;
  const std::size_t max_frame_bytes_;
  tool::WebProgram program_;
  const tool::Ice ice_;
  std::unique_ptr<Output> output_;  // nullptr: none
  rtc::Engine engine_;
  PngWorker pngs_;
  Latencies latencies_;
  std::optional<Pool> pool_;
  Site site_;
  Sessions sessions_;
  Told told_;
  std::optional<Routes> routes_;
  std::optional<WallTime> captured_;  // of the newest frame
  IoWatch gone_watch_;
};

}  // namespace fp::ingest
