#include "webrtc-serve/whep.h"

#include <sys/random.h>

#include <array>

#include "base/text.h"
#include "webrtc-serve/fragment.h"

namespace fp::webrtc_serve {
namespace {

using http::Connection;
using http::Request;
using http::Response;

constexpr std::string_view kSdp = "application/sdp";
constexpr std::string_view kFragment = "application/trickle-ice-sdpfrag";

// 128 random bits.
std::string make_name() {
  std::array<unsigned char, 16> bits{};
  if (::getrandom(bits.data(), bits.size(), 0) != static_cast<ssize_t>(bits.size())) {
    throw Failure{Exit::System, io_error("getrandom").text};
  }
  return hex(bits);
}

// The description of a session never changes: it is no other one with its tag.
std::string tag_of(const std::string& name) { return "\"" + name.substr(0, 8) + "\""; }

// A media type without its parameters.
bool is_type(const Request& request, std::string_view wanted) {
  const std::string_view type = request.header("Content-Type").value_or("");
  return equal_ignoring_case(trim(type.substr(0, type.find(';'))), wanted);
}

bool accepts_sdp(const Request& request) {
  const auto accept = request.header("Accept");
  if (!accept) return true;
  for (const std::string_view range : split(*accept, ',')) {
    const std::string type = lower(trim(range.substr(0, range.find(';'))));
    if (type == "*/*" || type == "application/*" || type == kSdp) return true;
  }
  return false;
}

Response refusal_response(const Refused& refused) {
  if (refused.why == Refusal::Offer) return http::error_response(400, refused.text);
  Response response = http::error_response(503, refused.text);
  response.headers.emplace_back("Retry-After", "5");
  return response;
}

}  // namespace

// Keeps the request open until there is an answer; a peer that goes before takes its session with it.
class Whep::Waiting final : public http::Body {
 public:
  Waiting(Whep& whep, Connection& connection, const Request& request)
      : whep_(whep), connection_(connection), origin_(whep.site_.cors_origin(request)) {}
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() override {
    if (!answered_) whep_.sessions_.end(id_, Leave::Left);
  }
  void writable() override {}
  bool finish() override { return true; }
  [[nodiscard]] bool leaves_with_input() const override { return true; }

  void set_session(Sessions::Id id) { id_ = id; }

  void described(const std::string& sdp) {
    if (std::exchange(answered_, true)) return;
    const std::string name = make_name();
    std::erase_if(whep_.names_, [this](const auto& one) { return whep_.sessions_.find(one.second) == nullptr; });
    whep_.names_[name] = id_;
    Response response;
    response.status = 201;
    response.content_type = kSdp;
    response.text = sdp;
    response.headers.emplace_back("Location", std::string(kPath) + "/" + name);
    response.headers.emplace_back("ETag", tag_of(name));
    response.headers.emplace_back("Accept-Patch", kFragment);
    whep_.add_links(response);
    connection_.respond(whep_.site_.finished(std::move(response), origin_));
  }
  void gone(const std::string& why) {
    if (std::exchange(answered_, true)) return;
    connection_.respond(
        whep_.site_.finished(http::error_response(400, "no session came of the offer: " + why), origin_));
  }

 private:
  Whep& whep_;
  Connection& connection_;
  const std::string origin_;
  Sessions::Id id_ = 0;
  bool answered_ = false;
};

void Whep::handle(Connection& connection, const Request& request) {
  const auto answer = [&](Response response) { connection.respond(site_.finished(std::move(response), request)); };
  const std::string name = request.path.size() > kPath.size() ? request.path.substr(kPath.size() + 1) : "";
  if (request.method == "OPTIONS") {
    Response response = site_.options(request, name.empty() ? "POST" : "PATCH, DELETE");
    if (name.empty()) response.headers.emplace_back("Accept-Post", kSdp);
    add_links(response);
    return answer(std::move(response));
  }
  if (name.empty() ? request.method != "POST" : request.method != "PATCH" && request.method != "DELETE") {
    return answer(site_.options(request, name.empty() ? "POST" : "PATCH, DELETE"));
  }
  if (name.empty()) {
    if (auto refusal = begin(connection, request)) answer(std::move(*refusal));
    return;
  }
  answer(request.method == "DELETE" ? end(name) : patch(request, name));
}

std::optional<Response> Whep::begin(Connection& connection, const Request& request) {
  if (!is_type(request, kSdp)) {
    return http::error_response(415, "the body is to be an offer, with Content-Type: application/sdp");
  }
  if (!accepts_sdp(request)) return http::error_response(406, "the answer is application/sdp");
  auto waiting = std::make_unique<Waiting>(*this, connection, request);
  // Its connection has it until it has answered, and it ends the session when it goes before.
  Waiting* const body = waiting.get();
  const auto answered = std::make_shared<bool>(false);
  SessionEvents events;
  events.described = [body, answered](const char* /*type*/, const std::string& sdp) {
    if (!std::exchange(*answered, true)) body->described(sdp);
  };
  events.gone = [body, answered](const std::string& why) {
    if (!std::exchange(*answered, true)) body->gone(why);
  };
  const auto id = sessions_.begin("whep", connection.peer(), request.rights, request.body, events);
  if (!id) return refusal_response(id.error());
  waiting->set_session(*id);
  connection.wait(std::move(waiting));
  return std::nullopt;
}

Session* Whep::find(const std::string& name) {
  const auto found = names_.find(name);
  return found == names_.end() ? nullptr : sessions_.find(found->second);
}

Response Whep::patch(const Request& request, const std::string& name) {
  Session* const session = find(name);
  if (session == nullptr) return http::error_response(404, "no such session (any more)");
  if (!is_type(request, kFragment)) {
    return http::error_response(415, "candidates come with Content-Type: application/trickle-ice-sdpfrag");
  }
  const auto tag = request.header("If-Match");
  if (tag == "*") return http::error_response(422, "ICE is not begun anew here: end the session and begin another");
  if (tag && trim(*tag) != tag_of(name)) return http::error_response(412, "another session's ETag");
  for (const rtc::Candidate& candidate : parse_fragment(request.body)) session->viewer().take_candidate(candidate);
  Response response;
  response.status = 204;
  return response;
}

Response Whep::end(const std::string& name) {
  if (find(name) == nullptr) return http::error_response(404, "no such session (any more)");
  sessions_.end(names_[name], Leave::Left);
  names_.erase(name);
  return http::json_response(200, "{\"status\":\"ended\"}");
}

void Whep::add_links(Response& response) const {
  for (const std::string& url : ice_.public_urls()) {
    response.headers.emplace_back("Link", "<" + url + ">; rel=\"ice-server\"");
  }
}

}  // namespace fp::webrtc_serve
