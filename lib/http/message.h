// HTTP/1.1 requests and responses as values.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"

namespace fp::http {

struct Rights;
using RightsPtr = std::shared_ptr<const Rights>;

struct Request {
  std::string method;
  std::string target;                        ///< as it came
  std::string path;                          ///< the target's path, percent-decoded; always begins with '/'
  std::map<std::string, std::string> query;  ///< decoded; of equal names the first
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  int version = 11;  ///< 10 or 11
  bool keep_alive = true;
  RightsPtr rights;  ///< of whoever sent it, see access.h; nullptr: nobody was asked, and everything is allowed

  /// The first header of that name, any case; nothing when there is none.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
};

/// Splits a request target into path and query and decodes both (RFC 3986, and + for space in the query). False when it
/// is malformed: a broken escape, a zero byte, or no '/' at its start.
[[nodiscard]] bool parse_target(std::string_view target, Request& request);

struct Response {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;  ///< besides those that head_of() adds
  std::string content_type;
  std::string text;  ///< the body, or
  Blob blob;         ///< the body, shared
  [[nodiscard]] std::size_t body_size() const { return text.empty() ? blob.size() : text.size(); }
};

[[nodiscard]] Response json_response(int status, std::string json);
/// {"error":"..."} with a status.
[[nodiscard]] Response error_response(int status, std::string_view text);
[[nodiscard]] const char* reason_of(int status);

/// Whether an Accept header asks for images by name: "image/avif,image/webp,*/*" does, "*/*" does not.
[[nodiscard]] bool prefers_image(std::optional<std::string_view> accept);

/// Whether `host` (a Host header) is one that no web page can have made a browser send by DNS rebinding: an address in
/// figures, localhost, or one of `allowed` (lower case, no port).
[[nodiscard]] bool is_safe_host(std::string_view host, const std::vector<std::string>& allowed);
/// Whether a request may change something here, or connect: a browser names the page's origin, and that is this server
/// (by the name in Host) or one of `allowed`. Programs name none, and may.
[[nodiscard]] bool may_come_from(const Request& request, const std::vector<std::string>& allowed);
/// This machine's name, and it with .local.
[[nodiscard]] std::vector<std::string> own_host_names();

}  // namespace fp::http
