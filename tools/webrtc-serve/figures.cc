#include "webrtc-serve/figures.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "http/metrics.h"

namespace fp::webrtc_serve {
namespace {

using nlohmann::ordered_json;

// So many milliseconds that the JSON holds no binary dust.
double rounded(double ms) { return std::round(ms * 1000) / 1000; }

ordered_json session_json(const Session& session) {
  const rtc::Viewer::Figures figures = session.viewer().figures();
  ordered_json object = {{"id", session.id()},
                         {"state", name_of(session.viewer().state())},
                         {"key_requests", figures.key_requests},
                         {"lost_packets", figures.lost_packets},
                         {"jitter_ms", rounded(figures.jitter_ms)}};
  object["round_trip_ms"] = figures.round_trip_ms ? ordered_json(rounded(*figures.round_trip_ms)) : ordered_json();
  return object;
}

template <std::size_t N, typename Reason>
ordered_json counts_json(const std::array<std::uint64_t, N>& counts) {
  ordered_json object = ordered_json::object();
  for (std::size_t index = 0; index < N; ++index) object[name_of(static_cast<Reason>(index))] = counts[index];
  return object;
}

ordered_json encoder_json(const rtc::Encoder& encoder) {
  const rtc::Encoder::Figures figures = encoder.figures();
  const double mean_s =
      figures.encoded == 0 ? 0 : seconds_of(figures.encode_time) / static_cast<double>(figures.encoded);
  ordered_json object = {{"codec", name_of(encoder.codec())},
                         {"bitrate_kbps", encoder.bitrate_kbps()},
                         {"encoded", figures.encoded},
                         {"key_frames", figures.key_frames},
                         {"superseded", figures.superseded},
                         {"failed", figures.failed},
                         {"bytes", figures.bytes},
                         {"key_requests", figures.key_requests},
                         {"restarts", figures.restarts},
                         {"encode_ms", rounded(mean_s * 1000)}};
  object["width"] = figures.size ? ordered_json(figures.size->width_px) : ordered_json();
  object["height"] = figures.size ? ordered_json(figures.size->height_px) : ordered_json();
  return object;
}

}  // namespace

std::string WebRtcFigures::state_json(const http::RightsPtr& rights) const {
  sessions_.account();
  ordered_json webrtc = {{"encoder", encoder_json(encoder_)}, {"connected", sessions_.connected()}};
  webrtc["begun"] = sessions_.totals().begun;
  webrtc["gone"] = counts_json<kLeaves, Leave>(sessions_.totals().gone);
  webrtc["refused"] = counts_json<kRefusals, Refusal>(sessions_.totals().refused);
  webrtc["sessions"] = ordered_json::array();
  for (const auto& [id, session] : sessions_.all()) webrtc["sessions"].push_back(session_json(*session));
  webrtc["pipelines"] = engine_.pipelines();
  std::string text = figures_.state_json(rights);
  text.pop_back();  // the brace at its end
  return text + ",\"webrtc\":" + webrtc.dump() + "}";
}

std::string WebRtcFigures::metrics(const http::RightsPtr& rights) const {
  sessions_.account();
  std::string out = figures_.metrics(rights);
  const auto one = [&](const char* name, const char* type, const char* help, double value) {
    http::MetricFamily(out, name, type, help).sample("", value);
  };
  const rtc::Encoder::Figures encoder = encoder_.figures();
  const Sessions::Totals& totals = sessions_.totals();
  one("framepipe_webrtc_viewers", "gauge", "Viewers that are connected.", static_cast<double>(sessions_.connected()));
  one("framepipe_webrtc_sessions", "gauge", "Sessions, also those that are coming about.",
      static_cast<double>(sessions_.all().size()));
  one("framepipe_webrtc_viewers_total", "counter", "Viewers that were connected so far.",
      static_cast<double>(totals.connected));
  {
    http::MetricFamily family(out, "framepipe_webrtc_viewers_gone_total", "counter",
                              "Sessions that are over, by reason.");
    for (std::size_t index = 0; index < kLeaves; ++index) {
      family.sample(std::string("reason=\"") + name_of(static_cast<Leave>(index)) + "\"",
                    static_cast<double>(totals.gone[index]));
    }
  }
  {
    http::MetricFamily family(out, "framepipe_webrtc_refused_total", "counter",
                              "Offers that became no session, by reason.");
    for (std::size_t index = 0; index < kRefusals; ++index) {
      family.sample(std::string("reason=\"") + name_of(static_cast<Refusal>(index)) + "\"",
                    static_cast<double>(totals.refused[index]));
    }
  }
  one("framepipe_webrtc_pipelines", "gauge", "Pipelines, also those that are being taken down.",
      static_cast<double>(engine_.pipelines()));
  one("framepipe_webrtc_bitrate_bits_per_second", "gauge", "What the encoder aims at.",
      encoder_.bitrate_kbps() * 1000.0);
  one("framepipe_webrtc_encodes_total", "counter", "Pictures that were encoded, once for all viewers.",
      static_cast<double>(encoder.encoded));
  one("framepipe_webrtc_encode_failures_total", "counter", "Frames that could not be decoded or encoded.",
      static_cast<double>(encoder.failed));
  one("framepipe_webrtc_superseded_total", "counter", "Frames that a newer one replaced, or that --fps left out.",
      static_cast<double>(encoder.superseded));
  one("framepipe_webrtc_key_frames_total", "counter", "Pictures among them that stand by themselves.",
      static_cast<double>(encoder.key_frames));
  one("framepipe_webrtc_key_requests_total", "counter", "By viewers that lost packets.",
      static_cast<double>(encoder.key_requests));
  one("framepipe_webrtc_encode_seconds_total", "counter", "Time for those, decoding and scaling with it.",
      seconds_of(encoder.encode_time));
  one("framepipe_webrtc_encoded_bytes_total", "counter", "Bytes of those.", static_cast<double>(encoder.bytes));
  return out;
}

}  // namespace fp::webrtc_serve
