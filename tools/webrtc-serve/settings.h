// What pages may see and change: the bitrate of all viewers.
#pragma once

#include <string>

#include "http/message.h"
#include "rtc/encoder.h"
#include "webrtc-serve/sessions.h"

namespace fp::webrtc_serve {

class Settings {
 public:
  Settings(rtc::Encoder& encoder, rtc::EncoderOptions options, const Sessions& sessions, const tool::Ice& ice,
           bool read_only)
      : encoder_(encoder), options_(options), sessions_(sessions), ice_(ice), read_only_(read_only) {}

  /// {"codec":...,"bitrate_kbps":...,"size":...,"fps":...,"viewers":...,"read_only":...,"ice_servers":[...]}
  [[nodiscard]] std::string json() const;
  /// {"bitrate_kbps":800}, also "bitrate":"800k": 200 with json(), or 400, 403.
  [[nodiscard]] http::Response change(const http::Request& request);

 private:
  rtc::Encoder& encoder_;
  const rtc::EncoderOptions options_;
  const Sessions& sessions_;
  const tool::Ice& ice_;
  const bool read_only_;
};

}  // namespace fp::webrtc_serve
