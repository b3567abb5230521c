// What every server of ours says to browsers, whatever else it serves: who may ask, and its own page.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace fp::http {

/// A file of a page, compiled in.
struct Asset {
  std::string_view content_type;
  std::string_view bytes;
};
using Assets = std::map<std::string, Asset, std::less<>>;  ///< by path: "/", "/assets/viewer.js"

struct SiteOptions {
  std::vector<std::string> allowed_hosts;    ///< lower case, besides localhost and addresses
  std::vector<std::string> allowed_origins;  ///< for CORS; "*": any may read, none of them may change anything
  Assets assets;
  /// The page's Content-Security-Policy.
  std::string page_policy = "default-src 'self'; img-src 'self' blob: data:; frame-ancestors 'self'";
  std::string exposed_headers;  ///< of answers, that pages of those origins may read: "Age, ETag"
  std::string request_headers = "Authorization, Content-Type, If-None-Match";  ///< that they may send
};

/// One thread. Answers come without what finished() adds: it is for the last step, of all answers.
class Site {
 public:
  explicit Site(SiteOptions options) : options_(std::move(options)) {}

  /// 421 for a Host that is none of ours: another name would let any web page read a camera on 127.0.0.1, by pointing
  /// its own name there (DNS rebinding). Nothing: go on.
  [[nodiscard]] std::optional<Response> refuse_host(const Request& request) const;
  /// 403 for the page of another origin, see may_come_from(). Nothing: go on.
  [[nodiscard]] std::optional<Response> refuse_page(const Request& request) const;
  /// OPTIONS: 204 with what is possible at this path (`methods`: "GET, HEAD, POST"), to pages, too. Any other method:
  /// 405, the same with the reason.
  [[nodiscard]] Response options(const Request& request, const std::string& methods) const;
  /// A file of the page; 405 or OPTIONS' answer for what is neither GET nor HEAD. Nothing: there is none at this path.
  [[nodiscard]] std::optional<Response> asset(const Request& request) const;

  /// What Access-Control-Allow-Origin says in the answer to this request; "": nothing.
  [[nodiscard]] std::string cors_origin(const Request& request) const;
  /// Nobody on the way may keep it or hold it back, and who may read it.
  [[nodiscard]] Response finished(Response response, const std::string& cors_origin) const;
  [[nodiscard]] Response finished(Response response, const Request& request) const {
    return finished(std::move(response), cors_origin(request));
  }
  /// Of pages besides our own, for WebSocketOptions.
  [[nodiscard]] const std::vector<std::string>& origins() const { return options_.allowed_origins; }

 private:
  const SiteOptions options_;
};

}  // namespace fp::http
