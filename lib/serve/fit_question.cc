#include "serve/fit_question.h"

#include "base/base64.h"
#include "base/text.h"
#include "serve/detection_json.h"

namespace fp {
namespace {

std::string overlay_of(const FitRequest& request) {
  return std::string("boxes=0,labels=0,skeleton=") + (request.show_skeleton ? "1" : "0") +
         ",garment=" + (request.use_warp ? "1" : "0");
}

std::string frame_text(const Blob& jpeg, bool data_url) {
  return (data_url ? "data:image/jpeg;base64," : "") + base64(jpeg.view());
}

// `frame` needs no escapes: it is base64.
http::Response picture(std::string_view frame, std::string_view detections, std::string_view gate, long took_ms) {
  std::string json;
  json.reserve(frame.size() + detections.size() + 128);
  json.append(R"({"success":true,"frame":")").append(frame).append(R"(","detections":)").append(detections);
  json.append(R"(,"gate":")").append(gate).append(R"(","took_ms":)").append(std::to_string(took_ms)).append("}");
  return http::json_response(200, std::move(json));
}

}  // namespace

http::Response fit_error(int status, std::string_view text) {
  http::Response response = http::json_response(status, R"({"success":false,"error":")" + json_escape(text) + "\"}");
  if (status == 503) response.headers.emplace_back("Retry-After", "1");
  return response;
}

http::Response fit_untouched(std::string_view frame, long took_ms) { return picture(frame, "[]", "closed", took_ms); }

FitQuestion::FitQuestion(const Clock& clock, http::Connection& connection, std::shared_ptr<FitClient> client,
                         FitRequest request, Respond respond)
    : clock_(clock),
      connection_(connection),
      client_(std::move(client)),
      request_(std::move(request)),
      respond_(std::move(respond)),
      came_(clock.steady()) {
  request_.text = std::string();  // its bytes are kept
}

FitQuestion::~FitQuestion() {
  if (client_->waiting && client_->waiting->who == this) client_->waiting.reset();
}

long FitQuestion::took_ms() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock_.steady() - came_).count();
}

void FitQuestion::ask(Filter& filter) {
  std::string overlay = overlay_of(request_);
  std::unique_ptr<FitTicket>& waiting = client_->waiting;
  FitQuestion* const older = waiting ? waiting->who : nullptr;
  if (waiting && waiting->filter == &filter && waiting->overlay == overlay) {
    waiting->who = this;
  } else {
    waiting = std::make_unique<FitTicket>();
    FitTicket* const ticket = waiting.get();  // lives as long as its question does
    ticket->who = this;
    ticket->filter = &filter;
    ticket->overlay = overlay;
    ticket->question =
        filter.ask([ticket] { return ticket->who->begin(); }, {.gate_open = true, .overlay = std::move(overlay)},
                   [ticket](const FilterResult& result) { ticket->who->answered(result); });
  }
  if (older != nullptr) older->superseded();
}

FramePtr FitQuestion::begin() {
  ticket_ = std::move(client_->waiting);
  Frame frame;
  frame.jpeg = request_.jpeg;
  frame.picture = request_.picture;
  frame.captured = frame.received = clock_.wall();
  return std::make_shared<const Frame>(std::move(frame));
}

void FitQuestion::superseded() {
  respond_(connection_,
           http::json_response(200, R"({"success":false,"superseded":true,"error":"a newer frame took its place"})"));
}

void FitQuestion::gate_closed() {
  const std::unique_ptr<FitTicket> withdrawn = std::move(client_->waiting);
  respond_(connection_, fit_untouched(frame_text(request_.posted, request_.data_url), took_ms()));
}

void FitQuestion::answered(const FilterResult& result) {
  // Without a turn, when it waited too long or there were too many.
  const std::unique_ptr<FitTicket> done = std::move(ticket_ ? ticket_ : client_->waiting);
  if (!result) return respond_(connection_, fit_error(status_of(result.error().kind), result.error().text));
  const Frame& frame = **result;
  if (const auto error = detection_error(frame)) return respond_(connection_, fit_error(422, *error));
  respond_(connection_, picture(frame_text(frame.jpeg, request_.data_url), detections_json(frame), "open", took_ms()));
}

}  // namespace fp
