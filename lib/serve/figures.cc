#include "serve/figures.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/text.h"
#include "http/metrics.h"

namespace fp {
namespace {

using http::metric_number;
using nlohmann::json;
using Family = http::MetricFamily;

// To so many digits behind the point, so that the JSON holds no binary dust.
double rounded(double value, double unit) {
  const double steps = std::round(1.0 / unit);
  return std::round(value * steps) / steps;
}

// A size that was not asked for is that of the pictures, once one has come.
json variant_json(const Variant& variant) {
  const VariantKey& key = variant.key();
  const VariantFigures& figures = variant.figures();
  const auto size = variant.size();
  json object = {{"variant", key.name()}, {"half", key.half}, {"viewers", variant.hub().viewers()}};
  object["quality"] = key.quality_percent > 0 ? json(key.quality_percent) : json();
  object["width"] = size ? json(size->width_px) : json();
  object["height"] = size ? json(size->height_px) : json();
  object["encoded"] = figures.encoded;
  object["failed"] = figures.failed;
  object["superseded"] = figures.superseded;
  const double mean = figures.encoded == 0 ? 0 : seconds_of(figures.encode_time) / static_cast<double>(figures.encoded);
  object["encode_ms"] = rounded(mean * 1000, 0.001);
  return object;
}

json viewer_json(const ViewerFigures& viewer) {
  json object = {{"id", viewer.id},
                 {"camera", viewer.camera},
                 {"kind", viewer.kind},
                 {"address", viewer.peer},
                 {"seconds", rounded(viewer.seconds, 0.001)},
                 {"sent", viewer.sent},
                 {"dropped", viewer.dropped},
                 {"bytes", viewer.bytes},
                 {"fps", rounded(viewer.fps, 0.01)},
                 {"blocked", viewer.blocked},
                 {"filter", viewer.filter},
                 {"variant", viewer.variant},
                 {"auto", viewer.automatic}};
  object["quality"] = viewer.quality_percent > 0 ? json(viewer.quality_percent) : json();
  object["width"] = viewer.size ? json(viewer.size->width_px) : json();
  object["height"] = viewer.size ? json(viewer.size->height_px) : json();
  return object;
}

json filter_json(const Filter& filter) {
  const Filter::Figures& figures = filter.figures();
  json object = {{"name", filter.name()}, {"status", filter.status()}, {"trouble", filter.trouble()}};
  object["waiting"] = filter.waiting();
  object["questions"] = figures.questions;
  object["answered"] = figures.answered;
  object["failed"] = figures.failed;
  object["timed_out"] = figures.timed_out;
  object["restarts"] = figures.restarts;
  object["late"] = figures.late;
  object["skipped"] = filter.skips().total();
  object["ms"] = rounded(seconds_of(figures.took.percentile(50)) * 1000, 0.001);
  return object;
}

std::string label(const Camera& camera) { return "camera=\"" + camera.name() + "\""; }

}  // namespace

Figures::Shown Figures::shown(const http::RightsPtr& rights) const {
  Shown shown;
  for (const auto& camera : cameras_.all()) {
    if (http::may_see(rights, camera->name())) shown.push_back(camera);
  }
  return shown;
}

std::string Figures::server_json(const http::RightsPtr& rights) const {
  const double now = static_cast<double>(clock_.wall().time_since_epoch().count()) * 1e-6;
  std::array<char, 64> time{};
  std::snprintf(time.data(), time.size(), "%.3f", now);
  const bool changes = http::may_change(rights);
  WebrtcLinks links;
  for (const auto& [camera, page] : allowed_.webrtc) {
    if (http::may_see(rights, camera)) links[camera] = page;
  }
  return "{\"version\":\"" + version_ + "\",\"time\":" + time.data() +
         ",\"uptime\":" + metric_number(rounded(seconds_of(clock_.steady() - began_), 0.001)) +
         ",\"viewers\":" + std::to_string(viewers_.entries().size()) +
         ",\"control\":" + (allowed_.control && changes ? "true" : "false") +
         ",\"can_add\":" + (allowed_.can_add && changes ? "true" : "false") +
         (links.empty() ? "" : ",\"webrtc\":" + json(links).dump()) + "}";
}

std::string Figures::camera_json(Camera& camera, bool full) const {
  Hub& hub = camera.hub();
  const SteadyTime now = clock_.steady();
  json object = {{"name", camera.name()}, {"status", name_of(camera.status())}, {"reason", camera.reason()}};
  const PacketPtr& newest = hub.newest_frame();
  const bool seen = newest != nullptr;
  object["width"] = seen ? json(newest->frame().picture.width_px) : json();
  object["height"] = seen ? json(newest->frame().picture.height_px) : json();
  object["fps"] = seen ? json(rounded(hub.rate().fps(now), 0.01)) : json();
  object["bitrate"] = seen ? json(static_cast<std::uint64_t>(hub.rate().bits_per_second(now))) : json();
  object["age"] = seen ? json(rounded(seconds_of(camera.frame_age()), 0.001)) : json();
  object["sequence"] = seen ? json(newest->frame().sequence) : json();
  object["frames"] = hub.figures().frames;
  object["dropped"] = camera.superseded();
  object["viewers"] = camera.watchers();
  if (full) {
    json variants = json::array();
    for (const auto& variant : camera.variants().all()) variants.push_back(variant_json(*variant));
    object["variants"] = std::move(variants);
    object["bytes"] = hub.figures().bytes;
    object["opened"] = camera.opened();
    object["lost"] = camera.lost();
    object["ignored"] = camera.ignored();
    json skips = json::object();
    const Skips counted = camera.skips();
    for (std::size_t i = 0; i < kSkipReasons; ++i) skips[name_of(static_cast<Skip>(i))] = counted.count[i];
    object["skipped"] = std::move(skips);
    object["skipped_bytes"] = counted.bytes;
    const Histogram& age = hub.figures().age;
    object["arrival_age_ms"] = {{"p50", rounded(seconds_of(age.percentile(50)) * 1000, 0.001)},
                                {"p99", rounded(seconds_of(age.percentile(99)) * 1000, 0.001)}};
  }
  return object.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string Figures::filters_json() const {
  json list = json::array();
  for (const auto& filter : filters_.all()) list.push_back(filter_json(*filter));
  return list.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string Figures::brief_json(const std::string& only, const std::string& viewer_json,
                                const http::RightsPtr& rights) const {
  std::string text = "{\"server\":" + server_json(rights) + ",\"cameras\":[";
  bool first = true;
  for (const auto& camera : shown(rights)) {
    if (!only.empty() && camera->name() != only) continue;
    text += (first ? "" : ",") + camera_json(*camera, false);
    first = false;
  }
  text += "],\"filters\":" + filters_json();
  if (!viewer_json.empty()) text += ",\"viewer\":" + viewer_json;
  return text + "}";
}

std::string Figures::state_json(const http::RightsPtr& rights) const {
  std::string text = "{\"server\":" + server_json(rights);
  if (server_ != nullptr) {
    const auto& figures = server_->figures();
    text += ",\"connections\":" + json({{"open", server_->connections()},
                                        {"accepted", figures.accepted},
                                        {"refused", figures.refused},
                                        {"stalled", figures.stalled},
                                        {"timed_out", figures.timed_out},
                                        {"no_tls", figures.no_tls}})
                                      .dump();
  }
  text += ",\"cameras\":[";
  const Shown cameras = shown(rights);
  for (std::size_t i = 0; i < cameras.size(); ++i) text += (i == 0 ? "" : ",") + camera_json(*cameras[i], true);
  text += "],\"filters\":" + filters_json() + ",\"viewers\":[";
  bool first = true;
  for (const auto* entry : viewers_.entries()) {
    const ViewerFigures figures = entry->figures();
    // Those of a wall see more than this camera or that.
    if (figures.camera == "*" ? !http::may_see_all(rights) : !http::may_see(rights, figures.camera)) continue;
    text += (first ? "" : ",") + viewer_json(figures).dump();
    first = false;
  }
  return text + "]}";
}

void Figures::add_variants(std::string& out, const Shown& cameras) {
  const auto each = [&](const char* name, const char* type, const char* help, auto value) {
    Family family(out, name, type, help);
    for (const auto& camera : cameras) {
      family.sample(label(*camera), static_cast<double>(value(camera->variants())));
    }
  };
  each("framepipe_variants", "gauge", "Qualities and sizes of the camera that are watched now.",
       [](const CameraVariants& variants) { return variants.all().size(); });
  each("framepipe_encodes_total", "counter", "Frames encoded for variants, also for those that have gone.",
       [](const CameraVariants& variants) { return variants.totals().encoded; });
  each("framepipe_encode_seconds_total", "counter", "Time of the threads for those.",
       [](const CameraVariants& variants) { return seconds_of(variants.totals().encode_time); });
  each("framepipe_encode_failures_total", "counter", "Frames that could not be converted for a variant.",
       [](const CameraVariants& variants) { return variants.totals().failed; });
  each("framepipe_encode_superseded_total", "counter", "Frames replaced by a newer one before a thread was free.",
       [](const CameraVariants& variants) { return variants.totals().superseded; });
  std::optional<Family> family;  // none when there is no variant: a name without a sample says nothing
  for (const auto& camera : cameras) {
    for (const auto& variant : camera->variants().all()) {
      if (!family) {
        family.emplace(out, "framepipe_variant_encodes_total", "counter",
                       "Frames encoded for a variant that is watched now.");
      }
      family->sample(label(*camera) + ",variant=\"" + variant->key().name() + "\"",
                     static_cast<double>(variant->figures().encoded));
    }
  }
}

void Figures::add_filters(std::string& out) const {
  if (filters_.all().empty()) return;
  const auto each = [&](const char* name, const char* type, const char* help, auto value) {
    Family family(out, name, type, help);
    for (const auto& filter : filters_.all()) {
      family.sample("filter=\"" + filter->name() + "\"", static_cast<double>(value(*filter)));
    }
  };
  each("framepipe_filter_up", "gauge", "1 while the filter's program runs.",
       [](const Filter& filter) { return filter.pid() > 0 ? 1 : 0; });
  each("framepipe_filter_waiting", "gauge", "Questions that wait for their turn.",
       [](const Filter& filter) { return filter.waiting(); });
  each("framepipe_filter_questions_total", "counter", "Questions put to the filter.",
       [](const Filter& filter) { return filter.figures().questions; });
  each("framepipe_filter_answered_total", "counter", "Questions that it answered.",
       [](const Filter& filter) { return filter.figures().answered; });
  each("framepipe_filter_failed_total", "counter", "Questions that failed.",
       [](const Filter& filter) { return filter.figures().failed; });
  each("framepipe_filter_timed_out_total", "counter", "Questions that failed at the time limit.",
       [](const Filter& filter) { return filter.figures().timed_out; });
  each("framepipe_filter_restarts_total", "counter", "How often the filter's program ended, or was killed.",
       [](const Filter& filter) { return filter.figures().restarts; });
  each("framepipe_filter_late_total", "counter", "Frames of the filter that answered nothing.",
       [](const Filter& filter) { return filter.figures().late; });
  each("framepipe_filter_skipped_total", "counter", "What the filter wrote and was no whole frame.",
       [](const Filter& filter) { return filter.skips().total(); });
  each("framepipe_filter_seconds_total", "counter", "Time from giving the filter a frame to its answer, together.",
       [](const Filter& filter) { return seconds_of(filter.figures().took.sum()); });
}

std::string Figures::metrics(const http::RightsPtr& rights) const {
  const Shown cameras = shown(rights);
  std::string out;
  out += "# HELP framepipe_info Version of the server.\n# TYPE framepipe_info gauge\nframepipe_info{version=\"" +
         version_ + "\"} 1\n";
  Family(out, "framepipe_uptime_seconds", "gauge", "Since the server started.")
      .sample("", seconds_of(clock_.steady() - began_));
  const auto each = [&](const char* name, const char* type, const char* help, auto value) {
    Family family(out, name, type, help);
    for (const auto& camera : cameras) family.sample(label(*camera), static_cast<double>(value(*camera)));
  };
  each("framepipe_camera_up", "gauge", "1 while the camera has a frame younger than --stale.",
       [](Camera& camera) { return camera.fresh() ? 1 : 0; });
  each("framepipe_camera_frames_total", "counter", "Live frames that came from the source.",
       [](Camera& camera) { return camera.hub().figures().frames; });
  each("framepipe_camera_bytes_total", "counter", "Bytes of those frames.",
       [](Camera& camera) { return camera.hub().figures().bytes; });
  each("framepipe_camera_ignored_total", "counter", "Frames that came while the camera was stopped.",
       [](Camera& camera) { return camera.ignored(); });
  each("framepipe_camera_superseded_total", "counter", "Frames never shown, because a newer one had come with them.",
       [](Camera& camera) { return camera.superseded(); });
  each("framepipe_camera_opened_total", "counter", "How often the source was opened.",
       [](Camera& camera) { return camera.opened(); });
  each("framepipe_camera_viewers", "gauge", "Streams, walls and waiting snapshots that watch the camera.",
       [](Camera& camera) { return camera.watchers(); });
  add_variants(out, cameras);
  add_filters(out);
  {
    Family family(out, "framepipe_camera_skipped_total", "counter", "What came and was no whole frame, by reason.");
    for (const auto& camera : cameras) {
      const Skips skips = camera->skips();
      for (std::size_t i = 0; i < kSkipReasons; ++i) {
        family.sample(label(*camera) + ",reason=\"" + name_of(static_cast<Skip>(i)) + "\"",
                      static_cast<double>(skips.count[i]));
      }
    }
  }
  {
    Family family(out, "framepipe_frame_age_seconds", "histogram", "From capture to arrival at the server.");
    for (const auto& camera : cameras) {
      const Histogram& age = camera->hub().figures().age;
      for (const double limit : {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0}) {
        const auto within = age.within(std::chrono::nanoseconds(static_cast<long long>(limit * 1e9)));
        family.sample(label(*camera) + ",le=\"" + metric_number(limit) + "\"", static_cast<double>(within), "_bucket");
      }
      family.sample(label(*camera) + ",le=\"+Inf\"", static_cast<double>(age.count()), "_bucket");
      family.sample(label(*camera), seconds_of(age.sum()), "_sum");
      family.sample(label(*camera), static_cast<double>(age.count()), "_count");
    }
  }
  const auto one = [&](const char* name, const char* type, const char* help, double value) {
    Family(out, name, type, help).sample("", value);
  };
  const ViewerList::Totals& totals = viewers_.totals();
  one("framepipe_viewers", "gauge", "Streams and walls that are open.", static_cast<double>(viewers_.entries().size()));
  one("framepipe_sent_frames_total", "counter", "Frames sent to viewers.", static_cast<double>(totals.sent));
  one("framepipe_sent_bytes_total", "counter", "Bytes sent to viewers.", static_cast<double>(totals.bytes));
  {
    Family family(out, "framepipe_dropped_frames_total", "counter", "Frames that never left, by cause.");
    family.sample("cause=\"slow-viewer\"", static_cast<double>(totals.dropped));
  }
  if (server_ != nullptr) {
    const auto& figures = server_->figures();
    one("framepipe_connections", "gauge", "HTTP connections that are open.",
        static_cast<double>(server_->connections()));
    one("framepipe_connections_accepted_total", "counter", "HTTP connections so far.",
        static_cast<double>(figures.accepted));
    Family family(out, "framepipe_connections_ended_total", "counter", "Connections that the server ended, by cause.");
    family.sample("cause=\"refused\"", static_cast<double>(figures.refused));
    family.sample("cause=\"stalled\"", static_cast<double>(figures.stalled));
    family.sample("cause=\"timeout\"", static_cast<double>(figures.timed_out));
    family.sample("cause=\"no_tls\"", static_cast<double>(figures.no_tls));
  }
  return out;
}

}  // namespace fp
