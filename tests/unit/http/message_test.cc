#include "http/message.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace {

using namespace fp::http;
using namespace std::string_literals;

TEST_CASE("parse_target: path and query are parted and decoded") {
  struct Case {
    const char* target;
    const char* path;
    std::map<std::string, std::string> query;
  };
  const Case cases[] = {
      {"/", "/", {}},
      {"/stream/front", "/stream/front", {}},
      {"/stream?fps=5&quality=auto", "/stream", {{"fps", "5"}, {"quality", "auto"}}},
      {"/?action=stream", "/", {{"action", "stream"}}},
      {"/a%20b/%C3%BC", "/a b/\xC3\xBC", {}},
      {"/a+b?q=a+b%2Bc", "/a+b", {{"q", "a b+c"}}},
      {"/x?a=1&a=2", "/x", {{"a", "1"}}},
      {"/x?a&b=&=c&&d=e=f", "/x", {{"a", ""}, {"b", ""}, {"d", "e=f"}}},
      {"/x?", "/x", {}},
      {"/x?a=b?c", "/x", {{"a", "b?c"}}},
      {"/x#part?y=1", "/x", {}},
      {"/x?%61%26=%3D", "/x", {{"a&", "="}}},
      {"http://cam.local:8000/stream?fps=1", "/stream", {{"fps", "1"}}},
      {"HTTP://cam.local", "/", {}},
      {"//double/slash", "//double/slash", {}},
  };
  for (const Case& one : cases) {
    CAPTURE(one.target);
    Request request;
    CHECK(parse_target(one.target, request));
    CHECK(request.target == one.target);
    CHECK(request.path == one.path);
    CHECK((request.query == one.query));
  }
}

TEST_CASE("parse_target: an absolute target without a path keeps its query") {
  Request request;
  REQUIRE(parse_target("http://cam.local?action=stream", request));
  CHECK(request.path == "/");
  CHECK(request.query["action"] == "stream");
}

TEST_CASE("parse_target: what is malformed is refused") {
  for (const char* target : {"", "stream", "*", "/%", "/%4", "/%zz", "/%00", "/x?a=%", "/x?a=%0", "/x?%00=1",
                             "/x?a=%00", "?a=1", "https://cam/x", "%2Fx%"}) {
    CAPTURE(target);
    Request request;
    CHECK_FALSE(parse_target(target, request));
  }
}

TEST_CASE("parse_target: OPTIONS may ask about the whole server, and still has a path") {
  Request request;
  request.method = "OPTIONS";
  CHECK(parse_target("*", request));
  CHECK(request.path.starts_with('/'));
}

TEST_CASE("Request: headers are found in any case, the first of equal ones") {
  Request request;
  request.headers = {{"Accept", "a"}, {"ACCEPT", "b"}};
  CHECK(request.header("accept") == "a");
  CHECK_FALSE(request.header("Accep").has_value());
}

TEST_CASE("prefers_image: browsers' <img> and navigation do, programs do not") {
  for (const char* accept :
       {"image/jxl,image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8",  // Chromium
        "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5",       // Firefox
        "image/webp,image/avif,video/*;q=0.8,image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5",  // WebKit
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", "image/jpeg",
        "IMAGE/*", "*/*, image/png"}) {
    CAPTURE(accept);
    CHECK(prefers_image(accept));
  }
  for (const char* accept : {"*/*", "", "text/html,*/*", "video/*", "application/x-image/png",
                             "multipart/x-mixed-replace", "application/json"}) {
    CAPTURE(accept);
    CHECK_FALSE(prefers_image(accept));
  }
  CHECK_FALSE(prefers_image(std::nullopt));  // GStreamer
}

TEST_CASE("is_safe_host: addresses in figures, localhost and allowed names") {
  const std::vector<std::string> allowed = {"cam", "cam.local"};
  for (const char* host : {"127.0.0.1", "127.0.0.1:8000", "192.168.1.20:80", "[::1]", "[::1]:8000", "[fe80::1]",
                           "localhost", "localhost:8000", "LocalHost", "localhost.", "front.localhost:8000", "cam",
                           "CAM:8000", "cam.local", "Cam.Local.:80", " 127.0.0.1 "}) {
    CAPTURE(host);
    CHECK(is_safe_host(host, allowed));
  }
}

TEST_CASE("is_safe_host: any other name could be an attacker's") {
  const std::vector<std::string> allowed = {"cam", "cam.local"};
  for (const char* host : {"evil.com",
                           "evil.com:8000",
                           "127.0.0.1.evil.com",
                           "127.0.0.1.nip.io",
                           "localhost.evil.com",
                           "notlocalhost",
                           "cam.evil.com",
                           "evilcam",
                           "cam.local.evil.com",
                           "[evil.com]",
                           "[::1",
                           "[]",
                           "",
                           ".",
                           ":8000",
                           "127.0.0.1@evil.com",
                           "evil.com@127.0.0.1",
                           "0x7f.evil",
                           "127.0.0.256",
                           "::ffff:evil",
                           "localhost%00.evil.com",
                           "cam\t.evil.com"}) {
    CAPTURE(host);
    CHECK_FALSE(is_safe_host(host, allowed));
  }
}

TEST_CASE("own_host_names: hold this machine's name also with .local, in small letters") {
  const auto names = own_host_names();
  REQUIRE_FALSE(names.empty());
  CHECK(std::any_of(names.begin(), names.end(), [](const std::string& name) { return name.ends_with(".local"); }));
  for (const std::string& name : names) {
    CHECK(std::none_of(name.begin(), name.end(), [](char c) { return c >= 'A' && c <= 'Z'; }));
    CHECK(is_safe_host(name + ":8000", names));
  }
}

TEST_CASE("error_response: is JSON with the reason, whatever stands in it") {
  const Response response = error_response(404, "no camera \"a\\b\n\xFF\"");
  CHECK(response.status == 404);
  CHECK(response.content_type == "application/json");
  CHECK(response.text == "{\"error\":\"no camera \\\"a\\\\b\\u000a\\ufffd\\\"\"}\n");
}

}  // namespace
