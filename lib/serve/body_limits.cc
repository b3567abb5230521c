#include "serve/body_limits.h"

#include <algorithm>

#include "http/request_parser.h"

namespace fp {

std::size_t body_limit(const http::Request& request, std::size_t max_frame_bytes) {
  constexpr std::size_t kUsual = http::RequestParser::kMaxBodyBytes;
  if (request.method != "POST") return kUsual;
  const std::string& path = request.path;
  if (path == "/detect_once" || path.starts_with("/detect_once/")) return std::max(kUsual, max_frame_bytes);
  if (path == "/api/fit/stream" || path == "/api/fit/stream/") return max_frame_bytes / 3 * 4 + kUsual;
  return kUsual;
}

}  // namespace fp
