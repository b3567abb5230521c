#include "webrtc-serve/options.h"

#include <cmath>

#include "base/text.h"

namespace fp::webrtc_serve {

using namespace std::chrono_literals;

void add_options(CLI::App& app, Options& options) {
  options.web.default_listen = "127.0.0.1:8889";
  cli::add_choice(app, "--codec", options.codec, "What viewers are sent; every browser has both", {"vp8", "h264"});
  app.add_option("--bitrate", options.bitrate,
                 "Bits a second of the video, for all viewers: 800, 800k or 2M; pages may change it [1500]")
      ->type_name("KBPS");
  cli::add_size(app, "--size", options.width_px, options.height_px,
                "Fit the pictures into this size, with bars [as they come]");
  cli::add_number(app, "--fps", options.fps, "At most so many pictures a second; 0: as they come", 0, 240);
  cli::add_number(app, "--max-viewers", options.max_viewers, "Turn away further viewers", 1, 10'000);
  cli::add_number(app, "--max-viewers-per-address", options.max_viewers_per_address,
                  "Turn away further viewers of one address; this machine's own, where proxies are, have no such limit "
                  "unless it is given",
                  1, 10'000);
  tool::add_ice_options(app, options.ice);
  cli::add_duration(app, "--stale", options.stale,
                    "A frame older than this is no picture any more: health fails, viewers get a card; 0s: never", 0ms,
                    24h);
  app.add_flag("--read-only", options.read_only, "Let nobody change the bitrate");
  tool::add_web_options(app, options.web);
}

std::optional<unsigned> parse_kbps(const std::string& text) {
  std::string_view digits = text;
  double unit = 1;
  if (digits.ends_with('k') || digits.ends_with('K')) {
    digits.remove_suffix(1);
  } else if (digits.ends_with('M')) {
    digits.remove_suffix(1);
    unit = 1000;
  }
  const auto number = parse_double(digits);
  if (!number || *number * unit < 50 || *number * unit > 50'000) return std::nullopt;
  return static_cast<unsigned>(std::lround(*number * unit));
}

rtc::EncoderOptions encoder_options(const Options& options) {
  rtc::EncoderOptions encoder;
  encoder.codec = options.codec == "h264" ? rtc::Codec::H264 : rtc::Codec::Vp8;
  const auto kbps = parse_kbps(options.bitrate);
  if (!kbps) throw Failure{Exit::Usage, "--bitrate " + printable(options.bitrate, 40) + ": " + kBitrateWords};
  encoder.bitrate_kbps = *kbps;
  if (options.width_px > 0) encoder.size = jpeg::Size{options.width_px, options.height_px};
  if (options.fps > 0) encoder.fps = options.fps;
  return encoder;
}

}  // namespace fp::webrtc_serve
