#include "serve/body_limits.h"

#include <doctest/doctest.h>

#include <string>

namespace {

using namespace fp;

std::size_t limit(const std::string& method, const std::string& path, std::size_t max_frame_bytes = 32U << 20U) {
  http::Request request;
  request.method = method;
  request.path = path;
  return body_limit(request, max_frame_bytes);
}

TEST_CASE("body_limit: a picture may be posted where one is asked for") {
  CHECK(limit("POST", "/detect_once") == 32U << 20U);
  CHECK(limit("POST", "/detect_once/") == 32U << 20U);
  CHECK(limit("POST", "/detect_once/front") == 32U << 20U);
}

TEST_CASE("body_limit: a picture in base64 fits where one is posted in JSON") {
  for (const std::size_t frame : {1U << 10U, 1'000'000U, 32U << 20U}) {
    const std::size_t text = (frame + 2) / 3 * 4;
    CHECK(limit("POST", "/api/fit/stream", frame) >= text + 60'000);
    CHECK(limit("POST", "/api/fit/stream", frame) <= text + 70'000);
  }
}

TEST_CASE("body_limit: everything else has 64 KiB") {
  for (const char* path : {"/", "/api/fit/stop-streaming", "/api/camera/start", "/detect_onceandmore", "/stream"}) {
    CHECK(limit("POST", path) == 65536);
  }
  CHECK(limit("GET", "/detect_once") == 65536);
  CHECK(limit("PUT", "/api/fit/stream") == 65536);
}

TEST_CASE("body_limit: small frames make no request smaller than usual") {
  CHECK(limit("POST", "/detect_once", 1000) == 65536);
}

}  // namespace
