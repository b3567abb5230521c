// What webrtc-serve is asked to do.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "cli/cli.h"
#include "rtc/encoder.h"
#include "tool/ice_options.h"
#include "tool/web_program.h"

namespace fp::webrtc_serve {

struct Options {
  tool::WebOptions web;
  tool::IceFlags ice;
  std::string codec = "vp8";
  std::string bitrate = "1500";
  int width_px = 0;  ///< 0: as the pictures come
  int height_px = 0;
  double fps = 0;  ///< 0: as they come
  std::uint64_t max_viewers = 64;
  std::uint64_t max_viewers_per_address = 16;
  bool address_limit_given = false;  ///< else it does not hold for this machine's own addresses
  std::chrono::milliseconds stale{10'000};
  bool read_only = false;
};

void add_options(CLI::App& app, Options& options);

/// "1500", "1500k", "1.5M": bits a second, in units of 1000; 50 to 50'000 kbit/s. Nothing: it is none of these.
[[nodiscard]] std::optional<unsigned> parse_kbps(const std::string& text);
/// What parse_kbps() wants, for people.
inline constexpr const char* kBitrateWords = "a bitrate is 50 to 50000 kbit/s (800, 800k, 2M)";

/// Throws Failure.
[[nodiscard]] rtc::EncoderOptions encoder_options(const Options& options);

}  // namespace fp::webrtc_serve
