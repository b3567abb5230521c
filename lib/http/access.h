// Who asks, and what they may: credentials in requests, grants, rights.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/message.h"

namespace fp::http {

class Connection;

/// What whoever sent a request may see and do. A request without rights (nullptr) came to a server that asks nobody.
struct Rights {
  std::string name;           ///< of the user or the token; "": unknown
  bool every_camera = false;  ///< also those to come
  std::set<std::string, std::less<>> cameras;
  bool may_ask = false;     ///< what is no picture of a camera: posted pictures through filters
  bool may_change = false;  ///< start, stop, add, remove, settings; to send pictures
  /// The browser adds them by itself to whatever any page makes it ask (Basic): no page but ours is to profit.
  bool ambient = false;
  /// False once they have ended: their link has expired, or what they came by is in its file no more. Nothing: they do
  /// not end. Whatever goes on for long asks each second or so, on the loop's thread.
  std::function<bool()> hold = {};

  [[nodiscard]] bool sees(std::string_view camera) const {
    return every_camera || cameras.find(camera) != cameras.end();
  }
};

// With nullptr everything is allowed.
[[nodiscard]] inline bool may_see(const RightsPtr& rights, std::string_view camera) {
  return rights == nullptr || rights->sees(camera);
}
[[nodiscard]] inline bool may_see_all(const RightsPtr& rights) { return rights == nullptr || rights->every_camera; }
[[nodiscard]] inline bool may_ask(const RightsPtr& rights) { return rights == nullptr || rights->may_ask; }
[[nodiscard]] inline bool may_change(const RightsPtr& rights) { return rights == nullptr || rights->may_change; }
[[nodiscard]] inline bool still_hold(const RightsPtr& rights) {
  return rights == nullptr || !rights->hold || rights->hold();
}

/// 403 for somebody who is known: what it is about ("camera 'door'") is not for them.
using Forbid = std::function<Response(const Connection&, const Request&, const std::string& what)>;

/// Whom --grant lets see which cameras. One word without any: whoever is known may see and change everything.
class Grants {
 public:
  /// Of "USER:CAMERA,CAMERA" or "USER:*"; several for one USER add up. Error: Malformed.
  static Result<Grants> parse(const std::vector<std::string>& texts);
  /// Changing is for those who may see everything.
  [[nodiscard]] Rights of(const std::string& name) const;
  [[nodiscard]] std::vector<std::string> names() const;

 private:
  std::map<std::string, std::set<std::string, std::less<>>> cameras_;  // "*": all
};

/// What a request shows of who sent it.
struct Shown {
  enum class Kind {
    Nothing,
    Unreadable,  ///< an Authorization that is neither Basic nor Bearer, or is malformed
    Password,    ///< Basic (RFC 7617): user and secret
    Token,       ///< Bearer (RFC 6750): secret
    Link,        ///< ?token=: secret, which must be a signed one
  };
  Kind kind = Kind::Nothing;
  std::string user;
  std::string secret;
};
/// A header goes before a link.
[[nodiscard]] Shown shown_by(const Request& request);

/// A plain name (base/text.h), or "*": what may stand in a grant or a signed token for a camera.
[[nodiscard]] bool is_camera_or_all(std::string_view text);

}  // namespace fp::http
