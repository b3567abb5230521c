// webrtc-serve: one camera, one encoder, any number of viewers.
#pragma once

#include <optional>

#include "cli/cli.h"
#include "rtc/encoder.h"
#include "serve/camera_list.h"
#include "serve/figures.h"
#include "serve/filter_list.h"
#include "tool/ice_options.h"
#include "tool/web_program.h"
#include "webrtc-serve/figures.h"
#include "webrtc-serve/options.h"
#include "webrtc-serve/routes.h"
#include "webrtc-serve/sessions.h"
#include "webrtc-serve/settings.h"

namespace fp::webrtc_serve {

/// One thread, besides those of GStreamer.
class Program {
 public:
  /// Listens, starts GStreamer and opens the source. Throws Failure.
  Program(const Options& options, const cli::Common& common);
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;

  /// Until SIGTERM or SIGINT, or until the source has ended.
  [[nodiscard]] Exit run();

 private:
  /// Hands each picture that viewers of the camera would see to the encoder, cards too.
  class Feed final : public Subscriber {
   public:
    Feed(Hub& hub, rtc::Encoder& encoder) : hub_(hub), encoder_(encoder) { hub_.attach(*this); }
    Feed(const Feed&) = delete;
    Feed& operator=(const Feed&) = delete;
    ~Feed() { hub_.detach(*this); }
    void frame_arrived() override {
      if (hub_.newest()) encoder_.put(hub_.newest()->frame_ptr());
    }

   private:
    Hub& hub_;
    rtc::Encoder& encoder_;
  };

  void source_ended();
  [[nodiscard]] cli::Heartbeat::Figures heartbeat();
  [[nodiscard]] std::string status() const;

  const rtc::EncoderOptions encoder_options_;
  tool::WebProgram program_;
  const tool::Ice ice_;
  const ServeOptions serve_options_;
  rtc::Engine engine_;
  rtc::Encoder encoder_;
  CameraList cameras_;
  const std::shared_ptr<Camera> camera_;
  const Feed feed_;
  Sessions sessions_;
  Settings settings_;
  const FilterList filters_;  // none
  const http::Server* server_ = nullptr;
  Figures figures_;
  const WebRtcFigures webrtc_figures_;
  Routes routes_;
  bool ended_ = false;
};

}  // namespace fp::webrtc_serve
