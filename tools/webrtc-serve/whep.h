// Watching by plain HTTP requests: WHEP (draft-ietf-wish-whep, which is RFC 9725 turned round).
#pragma once

#include <functional>
#include <map>
#include <string>

#include "http/connection.h"
#include "http/site.h"
#include "webrtc-serve/sessions.h"

namespace fp::webrtc_serve {

/// POST /whep with an offer begins a session, which is /whep/ID from then on: PATCH brings candidates, DELETE ends it.
/// The ID cannot be guessed: who knows it may end the session. One thread; goes before the sessions.
class Whep {
 public:
  static constexpr std::string_view kPath = "/whep";

  Whep(Sessions& sessions, const tool::Ice& ice, const http::Site& site)
      : sessions_(sessions), ice_(ice), site_(site) {}
  Whep(const Whep&) = delete;
  Whep& operator=(const Whep&) = delete;

  /// Answers a request whose path is kPath or below it.
  void handle(http::Connection& connection, const http::Request& request);

 private:
  class Waiting;
  [[nodiscard]] std::optional<http::Response> begin(http::Connection& connection, const http::Request& request);
  [[nodiscard]] http::Response patch(const http::Request& request, const std::string& name);
  [[nodiscard]] http::Response end(const std::string& name);
  [[nodiscard]] Session* find(const std::string& name);
  void add_links(http::Response& response) const;

  Sessions& sessions_;
  const tool::Ice& ice_;
  const http::Site& site_;
  std::map<std::string, Sessions::Id> names_;  // of the answered ones; those that are over go with the next
};

}  // namespace fp::webrtc_serve
