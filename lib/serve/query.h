// What the handlers of routes read from a request, and how they refuse it.
#pragma once

#include <optional>
#include <string>

#include "http/message.h"

namespace fp {

// Thrown by a handler, answered by Routes::handle().
struct BadQuery {
  std::string text;  ///< 400
};
struct NoCamera {
  std::string name;  ///< 404; "": there is none at all
};
struct NotForThem {
  std::string what;  ///< 403: "camera 'door'"
};
struct NoFilter {
  std::string text;  ///< 404
};

/// A query parameter, or nothing when it is not there. A value that cannot be read is the caller's to refuse.
[[nodiscard]] inline std::optional<std::string> query(const http::Request& request, const std::string& name) {
  const auto found = request.query.find(name);
  if (found == request.query.end()) return std::nullopt;
  return found->second;
}

}  // namespace fp
