#include "webrtc-ingest/sessions.h"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstdio>

namespace fp::ingest {

/// The handler of a WebSocket: a session for as long as it is there.
class Sessions::Page final : public http::WebSocketHandler {
 public:
  explicit Page(Sessions& sessions) : sessions_(sessions) {}
  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;
  ~Page() override {
    if (session_) sessions_.remove(*session_);
  }
  void begin(http::WebSocket& socket, const std::string& id) {
    Session::Line line;
    line.send = [&socket](std::string_view text) { return socket.send_text(text); };
    line.close = [&socket](std::uint16_t code, std::string_view reason) { socket.close(code, reason); };
    session_.emplace(sessions_.site_, id, socket.connection().peer(), std::move(line));
    sessions_.all_.push_back(&*session_);
  }
  void text(http::WebSocket& /*socket*/, std::string_view message) override {
    if (session_) session_->text(message);
  }
  void binary(http::WebSocket& socket, ByteView /*message*/) override {
    socket.close(1003, "messages are JSON here; pictures come over WebRTC");
  }
  void closed(int /*code*/) override {}

 private:
  Sessions& sessions_;
  std::optional<Session> session_;
};

void Sessions::accept(http::Connection& connection, const http::Request& request,
                      const http::WebSocketOptions& options) {
  const std::string refused = refusal(connection.peer());
  auto made = std::make_unique<Page>(*this);
  Page& page = *made;
  http::WebSocket& socket =
      http::WebSocket::accept(site_.loop, site_.clock, connection, request, options, std::move(made));
  if (refused.empty()) {
    ++figures_.begun;
    return page.begin(socket, new_id());
  }
  ++figures_.refused;
  if (site_.report) site_.report(Severity::Debug, connection.peer() + " is turned away: " + refused);
  socket.send_text(rtc::error_message(refused));
  socket.close(1013, refused);
}

std::string Sessions::refusal(const std::string& address) const {
  if (all_.size() >= limits_.most) {
    return "no further session: " + std::to_string(limits_.most) + " is the most at a time (--max-sessions)";
  }
  const auto same =
      std::count_if(all_.begin(), all_.end(), [&](const Session* one) { return one->address() == address; });
  if (static_cast<std::size_t>(same) >= limits_.most_per_address) {
    return "no further session of your address: " + std::to_string(limits_.most_per_address) +
           " is the most at a time (--max-sessions-per-address)";
  }
  return "";
}

std::string Sessions::new_id() const {
  for (;;) {
    std::array<unsigned char, 3> bytes{};
    // Three bytes are there at once, and whole (getrandom(2)).
    if (::getrandom(bytes.data(), bytes.size(), 0) < 0) throw Failure{Exit::System, io_error("getrandom").text};
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "s-%02x%02x%02x", bytes[0], bytes[1], bytes[2]);
    std::string id = text.data();
    if (std::none_of(all_.begin(), all_.end(), [&](const Session* one) { return one->id() == id; })) return id;
  }
}

void Sessions::remove(const Session& session) {
  std::erase(all_, &session);
  gone_ += session.counts();
}

Counts Sessions::counts() const {
  Counts counts = gone_;
  for (const Session* session : all_) counts += session->counts();
  return counts;
}

}  // namespace fp::ingest
