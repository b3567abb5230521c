#include "mjpeg-serve/webrtc_links.h"

#include <algorithm>

#include "base/secret_url.h"
#include "base/text.h"
#include "http/url.h"

namespace fp {
namespace {

// The page fetches from there: what it gets to know everybody gets to know, so a password has no place in it.
std::string page_of(const std::string& option, const std::string& text) {
  if (!http::is_http_url(text)) throw Failure{Exit::Usage, option + ": not of the form http(s)://HOST:PORT/"};
  Result<http::Url> url = http::parse_url(text);
  if (!url) throw Failure{Exit::Usage, option + ": " + url.error().text};
  if (url->credentials) {
    throw Failure{Exit::Usage, option + ": every page would get to know this password; leave user and password out"};
  }
  // The grammar of Content-Security-Policy (2.3.1) has no place for one, so browsers would not let the page connect.
  if (url->host.find(':') != std::string::npos) {
    throw Failure{Exit::Usage, option + ": pages cannot be allowed to connect to an IPv6 address; write a name"};
  }
  if (url->target.find('?') != std::string::npos) {
    throw Failure{Exit::Usage, option + ": leave out the '?' and what is behind it: it is the address of a page"};
  }
  if (!url->target.ends_with('/')) url->target += '/';
  return (url->secure ? "https://" : "http://") + url->authority() + url->target;
}

}  // namespace

WebrtcLinks parse_webrtc_links(const std::vector<std::string>& texts, const std::vector<CameraOptions>& cameras,
                               bool may_come) {
  WebrtcLinks links;
  for (const std::string& text : texts) {
    const std::string option = "--webrtc " + blotted(text);
    const auto equals = http::is_http_url(text) ? std::string::npos : text.find('=');
    std::string name = text.substr(0, equals == std::string::npos ? 0 : equals);
    if (equals == std::string::npos) {
      if (cameras.empty()) throw Failure{Exit::Usage, option + ": there is no camera yet; write CAMERA=URL"};
      name = cameras.front().name;
    }
    if (!is_plain_name(name)) throw Failure{Exit::Usage, option + ": a CAMERA is of letters, digits, - and _"};
    const auto same = [&](const CameraOptions& camera) { return camera.name == name; };
    if (!may_come && std::none_of(cameras.begin(), cameras.end(), same)) {
      throw Failure{Exit::Usage, option + ": no camera is called " + name};
    }
    const std::string page = page_of(option, equals == std::string::npos ? text : text.substr(equals + 1));
    if (!links.emplace(name, page).second) throw Failure{Exit::Usage, option + ": camera " + name + " has one already"};
  }
  return links;
}

}  // namespace fp
