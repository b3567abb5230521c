#include "http/access.h"

#include "base/base64.h"
#include "base/text.h"

namespace fp::http {

bool is_camera_or_all(std::string_view text) { return text == "*" || is_plain_name(text); }

Result<Grants> Grants::parse(const std::vector<std::string>& texts) {
  Grants grants;
  for (const std::string& text : texts) {
    const auto colon = text.rfind(':');
    if (colon == std::string::npos || colon == 0) {
      return malformed("'" + printable(text, 80) + "': write USER:CAMERA,CAMERA or USER:*");
    }
    auto& cameras = grants.cameras_[text.substr(0, colon)];
    for (const std::string_view camera : split(std::string_view(text).substr(colon + 1), ',')) {
      if (!is_camera_or_all(camera)) {
        return malformed("'" + printable(text, 80) + "': '" + printable(camera, 40) +
                         "' is no camera's name: letters, digits, - and _, or * for all");
      }
      cameras.emplace(camera);
    }
  }
  return grants;
}

Rights Grants::of(const std::string& name) const {
  Rights rights;
  rights.name = name;
  rights.may_ask = true;
  if (cameras_.empty()) {
    rights.every_camera = rights.may_change = true;
    return rights;
  }
  const auto found = cameras_.find(name);
  if (found == cameras_.end()) return rights;
  rights.cameras = found->second;
  rights.every_camera = rights.may_change = rights.cameras.erase("*") > 0;
  return rights;
}

std::vector<std::string> Grants::names() const {
  std::vector<std::string> names;
  names.reserve(cameras_.size());
  for (const auto& [name, cameras] : cameras_) names.push_back(name);
  return names;
}

Shown shown_by(const Request& request) {
  Shown shown;
  const auto header = request.header("Authorization");
  if (!header) {
    const auto link = request.query.find("token");
    if (link == request.query.end()) return shown;
    return {Shown::Kind::Link, "", link->second};
  }
  shown.kind = Shown::Kind::Unreadable;
  const std::string_view value = trim(*header);
  const auto space = value.find(' ');
  if (space == std::string_view::npos) return shown;
  const std::string_view scheme = value.substr(0, space);
  const std::string_view rest = trim(value.substr(space));
  if (equal_ignoring_case(scheme, "Bearer")) return {Shown::Kind::Token, "", std::string(rest)};
  if (!equal_ignoring_case(scheme, "Basic")) return shown;
  const auto bytes = base64_decode(rest);
  if (!bytes) return shown;
  const std::string_view pair = as_text(bytes->view());
  const auto colon = pair.find(':');
  if (colon == std::string_view::npos) return shown;
  return {Shown::Kind::Password, std::string(pair.substr(0, colon)), std::string(pair.substr(colon + 1))};
}

}  // namespace fp::http
