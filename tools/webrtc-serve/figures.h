// The figures of webrtc-serve: those of a server of cameras, and what concerns WebRTC behind them.
#pragma once

#include <string>

#include "rtc/encoder.h"
#include "serve/figures.h"
#include "webrtc-serve/sessions.h"

namespace fp::webrtc_serve {

class WebRtcFigures {
 public:
  WebRtcFigures(const Figures& figures, Sessions& sessions, const rtc::Encoder& encoder, const rtc::Engine& engine)
      : figures_(figures), sessions_(sessions), encoder_(encoder), engine_(engine) {}

  /// That of mjpeg-serve, with a member "webrtc".
  [[nodiscard]] std::string state_json(const http::RightsPtr& rights) const;
  /// Prometheus' text format 0.0.4.
  [[nodiscard]] std::string metrics(const http::RightsPtr& rights) const;

 private:
  const Figures& figures_;
  Sessions& sessions_;
  const rtc::Encoder& encoder_;
  const rtc::Engine& engine_;
};

}  // namespace fp::webrtc_serve
