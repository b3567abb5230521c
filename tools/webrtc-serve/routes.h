// What each request to webrtc-serve is answered with.
#pragma once

#include "http/connection.h"
#include "http/site.h"
#include "serve/camera_list.h"
#include "tool/gate.h"
#include "webrtc-serve/figures.h"
#include "webrtc-serve/sessions.h"
#include "webrtc-serve/settings.h"
#include "webrtc-serve/whep.h"

namespace fp::webrtc_serve {

class Routes {
 public:
  struct Parts {
    Loop& loop;
    const Clock& clock;
    const CameraList& cameras;
    Sessions& sessions;
    const rtc::Encoder& encoder;
    const tool::Ice& ice;
    Settings& settings;
    const WebRtcFigures& figures;
    tool::Gate& gate;
  };
  Routes(const Parts& parts, http::SiteOptions site)
      : parts_(parts), site_(std::move(site)), whep_(parts.sessions, parts.ice, site_) {}
  Routes(const Routes&) = delete;
  Routes& operator=(const Routes&) = delete;

  void handle(http::Connection& connection, const http::Request& request);

 private:
  void watch(http::Connection& connection, const http::Request& request);
  void open_socket(http::Connection& connection, const http::Request& request);
  [[nodiscard]] http::Response answer(const http::Connection& connection, const http::Request& request);
  [[nodiscard]] http::Response settings(const http::Connection& connection, const http::Request& request);
  [[nodiscard]] std::optional<http::Response> refuse(const http::Connection& connection, const http::Request& request);
  [[nodiscard]] std::vector<std::string> watching_origins(const http::Request& request) const;

  const Parts parts_;
  const http::Site site_;
  Whep whep_;
};

}  // namespace fp::webrtc_serve
