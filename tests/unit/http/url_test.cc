#include "http/url.h"

#include <doctest/doctest.h>

namespace {

using namespace fp;
using http::parse_url;
using http::Url;

std::string resolved(const std::string& base, std::string_view reference) {
  const auto url = http::resolve(parse_url(base).value(), reference);
  return url ? url->text() : "error: " + url.error().text;
}

TEST_CASE("parse_url: takes a URL apart") {
  const auto url = parse_url("HTTPS://Cam.Local:8443/a/b.cgi?x=1&y=2#part");
  REQUIRE(url.has_value());
  CHECK(url->secure);
  CHECK(url->host == "cam.local");
  CHECK(url->port == "8443");
  CHECK(url->target == "/a/b.cgi?x=1&y=2");
  CHECK_FALSE(url->credentials.has_value());
  CHECK(url->authority() == "cam.local:8443");
  CHECK(url->text() == "https://cam.local:8443/a/b.cgi?x=1&y=2");
}

TEST_CASE("parse_url: the port is the scheme's own where none is written, and is not shown then") {
  CHECK(parse_url("http://cam")->port == "80");
  CHECK(parse_url("https://cam/")->port == "443");
  CHECK(parse_url("http://cam:/")->port == "80");
  CHECK(parse_url("http://cam:80/x")->text() == "http://cam/x");
  CHECK(parse_url("http://cam:443/x")->text() == "http://cam:443/x");
  CHECK(parse_url("http://cam")->target == "/");
  CHECK(parse_url("http://cam?action=stream")->target == "/?action=stream");
}

TEST_CASE("parse_url: an IPv6 address stands in brackets") {
  const auto url = parse_url("http://[FE80::1%25eth0]:8080/");
  REQUIRE(url.has_value());
  CHECK(url->host == "fe80::1%eth0");
  CHECK(url->authority() == "[fe80::1]:8080");
  CHECK(parse_url("http://[::1]/")->text() == "http://[::1]/");
}

TEST_CASE("parse_url: user and password are decoded, and never shown") {
  const auto url = parse_url("http://me%40home:p%3Aw%2F%25@cam/x?pwd=q");
  REQUIRE(url.has_value());
  REQUIRE(url->credentials.has_value());
  CHECK(url->credentials->user == "me@home");
  CHECK(url->credentials->password == "p:w/%");
  CHECK(url->text() == "http://cam/x?pwd=***");
  // As people type them.
  CHECK(parse_url("http://me:100%@t@cam/")->credentials->password == "100%@t");
  CHECK(parse_url("http://me@cam/")->credentials->password.empty());
  CHECK_FALSE(parse_url("http://@cam/")->credentials.has_value());
}

TEST_CASE("parse_url: what may not be sent is encoded") {
  CHECK(parse_url("http://cam/a b/\xC3\xA4?c d")->target == "/a%20b/%C3%A4?c%20d");
  CHECK(parse_url("http://cam/a%20b")->target == "/a%20b");
}

TEST_CASE("parse_url: what is no URL is told in one line without secrets") {
  struct Case {
    std::string url;
    std::string says;
  };
  const Case cases[] = {
      {"ftp://cam/", "not an http:// or https:// URL"},
      {"http://", "no host"},
      {"http:///x", "no host"},
      {"http://cam:0/", "no port"},
      {"http://cam:65536/", "no port"},
      {"http://cam:x/", "no port"},
      {"http://[::1/", "without its ']'"},
      {"http://a b/", "no host name"},
      {"http://c\xC3\xA4m/", "no host name"},
      {"http://::1/", "no host"},
      {"http://cam/\r\nX: y", "control character"},
      {"http://u%0d:p@cam/", "control character"},
      {"http://u%3a:p@cam/", "':' in the user"},
      {"http://me:geheim/x@cam/", "%2F"},
      {"http://me:geheim#x@cam/", "%23"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.url);
    const auto url = parse_url(one.url);
    REQUIRE_FALSE(url.has_value());
    CAPTURE(url.error().text);
    CHECK(url.error().text.find(one.says) != std::string::npos);
    CHECK(url.error().text.find("geheim") == std::string::npos);
    CHECK(url.error().text.find('\n') == std::string::npos);
  }
}

TEST_CASE("same_origin: scheme, host and port") {
  const Url url = parse_url("http://u:p@cam/a").value();
  CHECK(url.same_origin(parse_url("http://CAM:80/b").value()));
  CHECK_FALSE(url.same_origin(parse_url("https://cam/a").value()));
  CHECK_FALSE(url.same_origin(parse_url("http://cam:8080/a").value()));
  CHECK_FALSE(url.same_origin(parse_url("http://cam2/a").value()));
}

TEST_CASE("resolve: where a Location leads to") {
  // RFC 3986, 5.4, with its base.
  const std::string base = "http://a/b/c/d;p?q";
  CHECK(resolved(base, "g") == "http://a/b/c/g");
  CHECK(resolved(base, "./g") == "http://a/b/c/g");
  CHECK(resolved(base, "g/") == "http://a/b/c/g/");
  CHECK(resolved(base, "/g") == "http://a/g");
  CHECK(resolved(base, "//g") == "http://g/");
  CHECK(resolved(base, "?y") == "http://a/b/c/d;p?y");
  CHECK(resolved(base, "g?y") == "http://a/b/c/g?y");
  CHECK(resolved(base, "#s") == "http://a/b/c/d;p?q");
  CHECK(resolved(base, "g#s") == "http://a/b/c/g");
  CHECK(resolved(base, ";x") == "http://a/b/c/;x");
  CHECK(resolved(base, ".") == "http://a/b/c/");
  CHECK(resolved(base, "..") == "http://a/b/");
  CHECK(resolved(base, "../g") == "http://a/b/g");
  CHECK(resolved(base, "../..") == "http://a/");
  CHECK(resolved(base, "../../g") == "http://a/g");
  CHECK(resolved(base, "../../../g") == "http://a/g");
  CHECK(resolved(base, "/./g") == "http://a/g");
  CHECK(resolved(base, "/../g") == "http://a/g");
  CHECK(resolved(base, "g.") == "http://a/b/c/g.");
  CHECK(resolved(base, "..g") == "http://a/b/c/..g");
  CHECK(resolved(base, "./../g") == "http://a/b/g");
  CHECK(resolved(base, "g?y/../x") == "http://a/b/c/g?y/../x");
  CHECK(resolved(base, "https://x:444/y/../z?q") == "https://x:444/z?q");
  CHECK(resolved(base, " /with space ") == "http://a/with%20space");
}

TEST_CASE("resolve: takes no credentials along, and accepts none") {
  const auto url = http::resolve(parse_url("http://u:p@cam/a").value(), "/b");
  CHECK_FALSE(url->credentials.has_value());
  CHECK_FALSE(http::resolve(parse_url("http://u:p@cam/a").value(), "http://x:y@cam/b")->credentials.has_value());
}

TEST_CASE("resolve: what leads nowhere, or out of HTTP, is an error") {
  CHECK(resolved("http://a/", "").starts_with("error: "));
  CHECK(resolved("http://a/", "rtsp://a/live") == "error: a redirect to 'rtsp:'");
  CHECK(resolved("http://a/", "javascript:alert(1)").starts_with("error: "));
  CHECK(resolved("http://a/", "/x\r\nSet-Cookie: y").starts_with("error: "));
  CHECK(resolved("http://a/", "http://").starts_with("error: "));
}

TEST_CASE("Url: nothing but an IPv6 address stands in brackets") {
  CHECK(http::parse_url("http://[::1]:8000/").value().text() == "http://[::1]:8000/");
  CHECK(http::parse_url("http://[fe80::1%25eth0]/").has_value());
  for (const char* url : {"http://[camera]/", "http://[127.0.0.1]/", "http://[pp%rr]/", "http://[::1%25]/"}) {
    CAPTURE(url);
    CHECK_FALSE(http::parse_url(url).has_value());
  }
}

}  // namespace
