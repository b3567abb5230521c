#include "serve/detect_once.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "base/text.h"
#include "jpeg/hygiene.h"
#include "serve/detection_json.h"
#include "serve/detections_of.h"
#include "serve/snapshot.h"

namespace fp {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::ordered_json;

constexpr auto kNextFrame = 1s;
constexpr auto kWakingUp = 10s;  // as for a snapshot
constexpr std::size_t kMostHeaderBytes = 4096;

double ms(std::chrono::nanoseconds time) { return std::round(seconds_of(time) * 1e6) / 1e3; }

http::Response picture_response(const std::string& camera, const Frame& frame) {
  http::Response response;
  response.content_type = "image/jpeg";
  response.blob = frame.jpeg;
  response.headers.emplace_back("X-Timestamp", format_timestamp(frame.captured));
  response.headers.emplace_back("X-Sequence", std::to_string(frame.sequence));
  if (!camera.empty()) response.headers.emplace_back("X-Camera", camera);
  for (const Header& header : frame.extra) {
    if (equal_ignoring_case(header.name, "X-Detections") && header.value.size() <= kMostHeaderBytes) {
      response.headers.emplace_back("X-Detections", header.value);
    }
  }
  return response;
}

}  // namespace

DetectForm detect_form(std::optional<std::string_view> accept) {
  if (!accept) return DetectForm::Json;
  for (const std::string_view range : split(*accept, ',')) {
    const std::string_view type = trim(range.substr(0, range.find(';')));
    if (equal_ignoring_case(type, "image/jpeg") || equal_ignoring_case(type, "image/*")) return DetectForm::Picture;
  }
  return DetectForm::Json;
}

http::Response detect_response(const std::string& camera, const std::string& filter, const FilterRun& run, WallTime now,
                               DetectForm form) {
  const Frame& frame = *run.frame;
  if (const auto error = run.looked ? detection_error(frame) : std::nullopt) {
    return http::error_response(422, "filter " + filter + ": " + *error);
  }
  if (form == DetectForm::Picture) return picture_response(camera, frame);
  Json json;
  if (!camera.empty()) json["camera"] = camera;
  json["filter"] = filter;
  json["sequence"] = frame.sequence;
  json["timestamp"] = static_cast<double>(frame.captured.time_since_epoch().count()) / 1e6;
  json["age_ms"] = ms(std::max<std::chrono::nanoseconds>(now - frame.captured, 0ns));
  json["took_ms"] = ms(run.took);
  json["width"] = frame.picture.width_px;
  json["height"] = frame.picture.height_px;
  if (run.looked) {
    json["objects"] = Json::array();
    if (const auto found = last_detections(frame)) {
      for (const char* name : {"model", "ms", "objects"}) {
        if (const auto value = found->find(name); value != found->end()) json[name] = *value;
      }
    }
  } else {
    json["looked"] = false;  // "objects":[] would say that nothing is there
  }
  json["detections"] = detections_of(frame);
  std::string text = text_of(json);
  text.pop_back();
  return http::json_response(200, text + ",\"image\":\"" + base64(frame.jpeg.view()) + "\"}");
}

http::Response detect_error(const FilterError& error) {
  http::Response response = http::error_response(status_of(error.kind), error.text);
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

Result<FramePtr> posted_frame(ByteView body, WallTime now) {
  auto clean = jpeg::clean(Blob::copy_of(body));
  if (!clean) return fail(std::move(clean).error());
  Frame frame;
  frame.jpeg = std::move(clean->jpeg);
  frame.picture = clean->info;
  frame.captured = frame.received = now;
  return std::make_shared<const Frame>(std::move(frame));
}

DetectOnce::DetectOnce(const Clock& clock, http::Connection& connection, Camera& camera, const FilterWish& wish,
                       DetectForm form, Answer answer)
    : clock_(clock),
      connection_(connection),
      slept_(camera.status() == CameraStatus::Idle),
      watch_(camera),
      filtered_(camera.filtered(*wish.filter, wish.overlay)),
      form_(form),
      answer_(std::move(answer)),
      newest_then_(camera.hub().newest_frame() ? camera.hub().newest_frame()->index() : 0),
      wait_(wish.filter->loop(), [this] { waited(); }) {
  ask(newest_then_, clock.wall());
  wait_.once(slept_                                  ? std::chrono::nanoseconds(kWakingUp)
             : camera.status() == CameraStatus::Live ? std::chrono::nanoseconds(kNextFrame)
                                                     : 0ns);
}

void DetectOnce::ask(std::uint64_t beyond, std::optional<WallTime> not_before) {
  once_ = std::make_unique<FilteredCamera::Once>(*filtered_, beyond, not_before, [this](const FilterRunResult& result) {
    Camera& camera = watch_.camera();
    respond(result ? detect_response(camera.name(), filtered_->filter().name(), *result, clock_.wall(), form_)
                   : detect_error(result.error()));
  });
}

// What has come since will do, whenever it was captured; else the newest, if it is of now.
void DetectOnce::waited() {
  const Camera& camera = watch_.camera();
  const PacketPtr& newest = camera.hub().newest_frame();
  if (answered_) return;
  if (newest && newest->index() > newest_then_) return ask(newest_then_, std::nullopt);
  if (slept_ || !camera.fresh()) return respond(no_snapshot(camera));
  ask(0, std::nullopt);
}

void DetectOnce::respond(http::Response response) {
  if (std::exchange(answered_, true)) return;
  wait_.cancel();
  answer_(connection_, std::move(response));
}

DetectPosted::DetectPosted(const Clock& clock, http::Connection& connection, const FramePtr& frame,
                           const FilterWish& wish, DetectForm form, DetectOnce::Answer answer)
    : clock_(clock),
      connection_(connection),
      filter_(wish.filter->name()),
      form_(form),
      answer_(std::move(answer)),
      question_(wish.filter->ask(
          // Whoever posts a picture wants it looked at. It is of no camera: the order is for this one alone.
          [frame] { return frame; }, {.gate_open = true, .overlay = wish.overlay},
          [this, frame](const FilterResult& result) {
            if (!result) return answer_(connection_, detect_error(result.error()));
            const FilterRun run{*result, question_->took(), adds_detections(**result, *frame)};
            answer_(connection_, detect_response("", filter_, run, clock_.wall(), form_));
          })) {}

}  // namespace fp
