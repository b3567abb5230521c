#include "webrtc-ingest/figures.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "http/metrics.h"

namespace fp::ingest {
namespace {

using Json = nlohmann::ordered_json;
using http::MetricFamily;

double rounded(double value) { return std::round(value * 1000) / 1000; }
double ms(std::chrono::nanoseconds time) { return rounded(seconds_of(time) * 1e3); }

Json latency_json(const Histogram& times) {
  if (times.count() == 0) return {};
  return {{"count", times.count()}, {"p50", ms(times.percentile(50))}, {"p95", ms(times.percentile(95))}};
}

Json latencies_json(const Latencies& latencies) {
  return {{"total", latency_json(latencies.total)},
          {"transfer", latency_json(latencies.transfer)},
          {"processing", latency_json(latencies.processing)},
          {"upload", latency_json(latencies.upload)}};
}

Json counts_json(const Counts& counts) {
  return {{"frames", counts.frames},
          {"bytes", counts.bytes},
          {"damaged", counts.damaged},
          {"superseded", counts.superseded},
          {"results", counts.results},
          {"results_unbound", counts.unbound},
          {"results_lost", counts.results_lost},
          {"offers", counts.offers},
          {"offers_refused", counts.offers_refused},
          {"bad_messages", counts.bad_messages}};
}

Json session_json(const Session& session, SteadyTime now) {
  Json json = {{"session", session.id()},      {"name", session.name()},
               {"address", session.address()}, {"seconds", rounded(seconds_of(now - session.since()))},
               {"pictures", session.how()},    {"child", session.child_state()}};
  json.update(counts_json(session.counts()));
  const auto offset = session.times().offset_ms();
  json["offset_ms"] = offset ? Json(rounded(*offset)) : Json();
  json["offset_error_ms"] = offset ? Json(rounded(session.times().error_ms())) : Json();
  json["latency_ms"] = latencies_json(session.times().latencies());
  if (const auto media = session.media()) {
    json["media"] = {{"pictures", media->pictures},
                     {"superseded", media->superseded},
                     {"failed", media->failed},
                     {"incomplete", media->chunks.incomplete},
                     {"late", media->chunks.late},
                     {"malformed", media->chunks.malformed},
                     {"too_large", media->chunks.too_large}};
  } else {
    json["media"] = nullptr;
  }
  return json;
}

Json children_json(const Pool& pool) {
  const Pool::Figures& figures = pool.figures();
  return {{"warm", pool.warm()},
          {"trouble", pool.trouble()},
          {"started", figures.started},
          {"ended", figures.ended},
          {"hung", figures.hung}};
}

void add_latency(std::string& out, const char* name, const char* help, const Histogram& times) {
  MetricFamily family(out, name, "histogram", help);
  for (const double limit : {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0}) {
    const auto within = times.within(std::chrono::nanoseconds(std::llround(limit * 1e9)));
    family.sample("le=\"" + http::metric_number(limit) + "\"", static_cast<double>(within), "_bucket");
  }
  family.sample("le=\"+Inf\"", static_cast<double>(times.count()), "_bucket");
  family.sample("", seconds_of(times.sum()), "_sum");
  family.sample("", static_cast<double>(times.count()), "_count");
}

}  // namespace

std::string trouble_of(const Told& told) {
  const std::string trouble = told.pool != nullptr ? told.pool->trouble() : "";
  return trouble.empty() ? "" : "--exec: " + trouble;
}

std::string state_json(const Told& told) {
  const SteadyTime now = told.clock.steady();
  Json json;
  json["server"] = {{"version", told.version},
                    {"time", std::round(ms_of(told.clock.wall())) / 1e3},
                    {"uptime", rounded(seconds_of(now - told.began))},
                    {"sessions", told.sessions.all().size()},
                    {"sessions_total", told.sessions.figures().begun},
                    {"sessions_refused", told.sessions.figures().refused}};
  if (told.server != nullptr) {
    const auto& figures = told.server->figures();
    json["connections"] = {{"open", told.server->connections()}, {"accepted", figures.accepted},
                           {"refused", figures.refused},         {"stalled", figures.stalled},
                           {"timed_out", figures.timed_out},     {"no_tls", figures.no_tls}};
  }
  json["total"] = counts_json(told.sessions.counts());
  json["latency_ms"] = latencies_json(told.latencies);
  json["children"] = told.pool != nullptr ? children_json(*told.pool) : Json();
  json["sessions"] = Json::array();
  for (const Session* session : told.sessions.all()) json["sessions"].push_back(session_json(*session, now));
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string metrics_text(const Told& told) {
  std::string out;
  const auto one = [&](const char* name, const char* type, const char* help, double value) {
    MetricFamily(out, name, type, help).sample("", value);
  };
  const auto count = [&](const char* name, const char* help, std::uint64_t value) {
    one(name, "counter", help, static_cast<double>(value));
  };
  MetricFamily(out, "framepipe_info", "gauge", "Version of the server.").sample("version=\"" + told.version + "\"", 1);
  one("framepipe_uptime_seconds", "gauge", "Since the server started.", seconds_of(told.clock.steady() - told.began));
  const Counts counts = told.sessions.counts();
  one("framepipe_ingest_sessions", "gauge", "Pages that are connected.",
      static_cast<double>(told.sessions.all().size()));
  count("framepipe_ingest_sessions_total", "Pages that have connected so far.", told.sessions.figures().begun);
  count("framepipe_ingest_sessions_refused_total", "Pages that were turned away, over a limit.",
        told.sessions.figures().refused);
  count("framepipe_ingest_frames_total", "Whole pictures that came.", counts.frames);
  count("framepipe_ingest_bytes_total", "Bytes of all pictures that came.", counts.bytes);
  count("framepipe_ingest_damaged_total", "Pictures that are no whole JPEG or PNG.", counts.damaged);
  count("framepipe_ingest_superseded_total", "PNGs that a newer one replaced before they were decoded.",
        counts.superseded);
  count("framepipe_ingest_offers_total", "Offers of WebRTC that pages have made.", counts.offers);
  count("framepipe_ingest_offers_refused_total", "Of those: no good, or too many.", counts.offers_refused);
  count("framepipe_ingest_bad_messages_total", "Messages that could not be understood.", counts.bad_messages);
  if (told.pool != nullptr) {
    const Pool::Figures& figures = told.pool->figures();
    one("framepipe_ingest_children_warm", "gauge", "Children of --exec that wait for a session.",
        static_cast<double>(told.pool->warm()));
    count("framepipe_ingest_children_started_total", "Children of --exec so far.", figures.started);
    count("framepipe_ingest_children_ended_total", "Children that ended by themselves, or were given up.",
          figures.ended);
    count("framepipe_ingest_children_hung_total", "Of those: given up, because they did not read their input.",
          figures.hung);
    count("framepipe_ingest_results_total", "Lines of children that went to pages.", counts.results);
    count("framepipe_ingest_results_unbound_total", "Of those: about a frame that is not known.", counts.unbound);
    count("framepipe_ingest_results_lost_total", "Lines that a page did not take.", counts.results_lost);
  }
  add_latency(out, "framepipe_ingest_total_seconds", "From taking a picture to its result in the page, or its receipt.",
              told.latencies.total);
  add_latency(out, "framepipe_ingest_transfer_seconds", "That without the processing.", told.latencies.transfer);
  add_latency(out, "framepipe_ingest_processing_seconds", "From a whole picture to its line.",
              told.latencies.processing);
  add_latency(out, "framepipe_ingest_upload_seconds", "From taking a picture to having it whole.",
              told.latencies.upload);
  if (told.server != nullptr) {
    const auto& figures = told.server->figures();
    one("framepipe_connections", "gauge", "HTTP connections that are open.",
        static_cast<double>(told.server->connections()));
    count("framepipe_connections_accepted_total", "HTTP connections so far.", figures.accepted);
    MetricFamily family(out, "framepipe_connections_ended_total", "counter",
                        "Connections that the server ended, by cause.");
    family.sample("cause=\"refused\"", static_cast<double>(figures.refused));
    family.sample("cause=\"stalled\"", static_cast<double>(figures.stalled));
    family.sample("cause=\"timeout\"", static_cast<double>(figures.timed_out));
    family.sample("cause=\"no_tls\"", static_cast<double>(figures.no_tls));
  }
  return out;
}

std::string status_line(const Told& told) {
  const Counts counts = told.sessions.counts();
  std::string text =
      std::to_string(told.sessions.all().size()) + " sessions, " + std::to_string(counts.frames) + " frames in";
  if (told.pool != nullptr) text += ", " + std::to_string(counts.results) + " results";
  return text;
}

}  // namespace fp::ingest
