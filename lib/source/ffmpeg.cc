#include "source/ffmpeg.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cmath>
#include <cstdlib>

#include "base/secret_url.h"
#include "base/text.h"

namespace fp {
namespace {

bool is_url(std::string_view source) { return source.find("://") != std::string_view::npos; }

bool installed() {
  const char* const path = std::getenv("PATH");
  for (const std::string_view folder : split(std::string_view(path != nullptr ? path : "/usr/bin"), ':')) {
    if (::access((std::string(folder) + "/ffmpeg").c_str(), X_OK) == 0) return true;
  }
  return false;
}

// ffconcat's quotes: nothing is special inside of them but the quote itself.
std::string quoted(const std::string& text) {
  std::string result = "'";
  for (const char c : text) {
    if (c == '\'') {
      result += "'\\''";
    } else {
      result += c;
    }
  }
  return result + "'";
}

// libjpeg's quality as the scale of ffmpeg's quantiser: 50 is 8, 80 is 3, 90 is 2.
int quantiser_of(int quality_percent) {
  const double scale_percent = quality_percent < 50 ? 5000.0 / quality_percent : 200.0 - 2.0 * quality_percent;
  return std::clamp(static_cast<int>(std::lround(scale_percent * 8 / 100)), 2, 31);
}

// A recording reached by URL has its own pace, too.
bool is_recording(const std::string& url) {
  const std::string path = lower(url.substr(0, url.find_first_of("?#")));
  constexpr std::array<std::string_view, 7> kEndings = {".mp4", ".mkv", ".webm", ".mov", ".avi", ".m4v", ".ts"};
  return std::ranges::any_of(kEndings, [&](std::string_view ending) { return path.ends_with(ending); });
}

}  // namespace

Result<std::unique_ptr<Ffmpeg>> Ffmpeg::open(const std::string& source, Options options, const Clock& clock,
                                             Report report) {
  if (std::ranges::any_of(source, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; })) {
    return malformed(printable(source) + ": a control character in it");
  }
  const bool url = is_url(source);
  const SafeUrl safe = without_secret(source);
  std::string script = "ffconcat version 1.0\nfile ";
  if (url) {
    script += quoted(source) + "\n";
    if (source.starts_with("rtsp")) script += "option rtsp_transport tcp\n";
  } else {
    std::array<char, PATH_MAX> real{};
    if (::realpath(source.c_str(), real.data()) == nullptr) return fail(io_error(source));
    if (::access(real.data(), R_OK) != 0) return fail(io_error(source));
    script += quoted(std::string("file:") + real.data()) + "\n";
  }
  if (!installed()) {
    return fail({Error::Kind::Unsupported, 0, safe.text + ": ffmpeg is needed to read it (apt install ffmpeg)"});
  }
  std::string command = "exec ffmpeg -nostdin -hide_banner -v error";
  if ((!url || is_recording(safe.text)) && !options.every_frame) command += " -re";
  command +=
      " -f concat -safe 0 -protocol_whitelist "
      "file,pipe,data,crypto,tcp,udp,rtp,rtsp,rtsps,tls,http,https,rtmp,rtmps,srt -i pipe:0 -an -sn -dn";
  std::string filters;
  if (options.fps > 0) filters += "fps=" + std::to_string(options.fps);
  if (options.size) {
    filters += (filters.empty() ? "scale=" : ",scale=") + std::to_string(options.size->width_px) + ":" +
               std::to_string(options.size->height_px);
  }
  if (!filters.empty()) command += " -vf " + filters;
  command += " -c:v mjpeg -pix_fmt yuvj420p -q:v " + std::to_string(quantiser_of(options.quality_percent)) +
             " -f mpjpeg -flush_packets 1 pipe:1";

  Endpoint endpoint;
  endpoint.kind = Endpoint::Kind::Exec;
  endpoint.address = command;
  endpoint.text = safe.text;
  Input::Options input_options;
  input_options.max_frame_bytes = options.max_frame_bytes;
  input_options.every_frame = options.every_frame;
  input_options.exec_input = script;
  input_options.exec_once = !url;
  input_options.exec_errors = [secret = safe.secret, source, shown = safe.text](const std::string& line) {
    // ffmpeg names its source in full; and the secret may stand alone.
    std::string text = line;
    const auto blot = [&text](const std::string& what, const std::string& with) {
      for (auto at = text.find(what); !what.empty() && at != std::string::npos;
           at = text.find(what, at + with.size())) {
        text.replace(at, what.size(), with);
      }
    };
    if (!secret.empty()) {
      blot(source, shown);
      blot(secret, "***");
      blot(secret.substr(secret.find(':') + 1), "***");
    }
    return shown + ": ffmpeg: " + text;
  };
  auto input = Input::open(endpoint, std::move(input_options), clock, std::move(report));
  if (!input) return fail(std::move(input).error());
  return std::unique_ptr<Ffmpeg>(new Ffmpeg(std::move(*input), url, options, clock));
}

Ffmpeg::Ffmpeg(Input input, bool live, Options options, const Clock& clock)
    : input_(std::move(input)), live_(live), options_(options), clock_(&clock), last_frame_(clock.steady()) {}

Producer::Wait Ffmpeg::wait() const {
  Wait wait = input_.wait();
  if (live_ && input_.state() == Input::State::Open) {
    const SteadyTime until = last_frame_ + options_.timeout;
    wait.until = wait.until ? std::min(*wait.until, until) : until;
  }
  return wait;
}

FramePtr Ffmpeg::advance() {
  const auto before = input_.state();
  FramePtr frame = input_.advance();
  const SteadyTime now = clock_->steady();
  if (frame || before != Input::State::Open) last_frame_ = now;
  if (live_ && input_.state() == Input::State::Open && now - last_frame_ >= options_.timeout) {
    input_.restart("no frame for " + std::to_string(options_.timeout.count()) + " ms");
  }
  if (frame) {
    trouble_.clear();
  } else if (!input_.trouble().empty()) {
    trouble_ = input_.trouble();
  }
  return frame;
}

}  // namespace fp
