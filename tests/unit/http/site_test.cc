#include "http/site.h"

#include <doctest/doctest.h>

#include <algorithm>

namespace {

using namespace fp::http;

Request request(const std::string& method, const std::string& path,
                std::vector<std::pair<std::string, std::string>> headers = {}) {
  Request made;
  made.method = method;
  made.path = made.target = path;
  made.headers = std::move(headers);
  return made;
}

std::string header(const Response& response, const std::string& name) {
  const auto found = std::find_if(response.headers.begin(), response.headers.end(),
                                  [&](const auto& one) { return one.first == name; });
  return found == response.headers.end() ? "" : found->second;
}

SiteOptions options() {
  SiteOptions made;
  made.assets = {{"/", {"text/html; charset=utf-8", "<html>"}}, {"/assets/a.js", {"text/javascript", "1"}}};
  made.exposed_headers = "ETag";
  return made;
}

TEST_CASE("Site: another name in Host than ours is refused, and the mend is told") {
  SiteOptions with = options();
  with.allowed_hosts = {"cam.example"};
  const Site site(with);
  const auto refused = site.refuse_host(request("GET", "/", {{"Host", "evil.example"}}));
  REQUIRE(refused);
  CHECK(refused->status == 421);
  CHECK(refused->text.find("--allow-host") != std::string::npos);
  CHECK_FALSE(site.refuse_host(request("GET", "/", {{"Host", "cam.example:8000"}})));
  CHECK_FALSE(site.refuse_host(request("GET", "/", {{"Host", "127.0.0.1:8000"}})));
  CHECK_FALSE(site.refuse_host(request("GET", "/")));
}

TEST_CASE("Site: a page of another origin changes nothing unless it is named; * lets it read only") {
  const std::vector<std::pair<std::string, std::string>> from = {{"Host", "127.0.0.1:8000"},
                                                                 {"Origin", "https://other.example"}};
  SiteOptions with = options();
  CHECK(Site(with).refuse_page(request("POST", "/x", from))->status == 403);
  with.allowed_origins = {"*"};
  CHECK(Site(with).refuse_page(request("POST", "/x", from))->status == 403);
  with.allowed_origins = {"https://other.example"};
  CHECK_FALSE(Site(with).refuse_page(request("POST", "/x", from)));
}

TEST_CASE("Site: what is possible at a path is told to OPTIONS, and to a method that is not") {
  SiteOptions with = options();
  with.allowed_origins = {"https://page.example"};
  const Site site(with);
  const Response told = site.options(request("OPTIONS", "/x"), "GET, HEAD, POST");
  CHECK(told.status == 204);
  CHECK(header(told, "Allow") == "GET, HEAD, POST, OPTIONS");
  CHECK(header(told, "Access-Control-Allow-Methods") == "GET, HEAD, POST, OPTIONS");
  const Response refused = site.options(request("PUT", "/x"), "GET, HEAD");
  CHECK(refused.status == 405);
  CHECK(header(refused, "Allow") == "GET, HEAD, OPTIONS");
  CHECK(header(refused, "Access-Control-Allow-Methods").empty());
}

TEST_CASE("Site: the page has its policy, its files have none, and nothing can be posted there") {
  const Site site(options());
  const auto page = site.asset(request("GET", "/"));
  REQUIRE(page);
  CHECK(page->text == "<html>");
  CHECK(header(*page, "Content-Security-Policy").starts_with("default-src 'self'"));
  const auto script = site.asset(request("HEAD", "/assets/a.js"));
  REQUIRE(script);
  CHECK(script->content_type == "text/javascript");
  CHECK(header(*script, "Content-Security-Policy").empty());
  CHECK(site.asset(request("POST", "/"))->status == 405);
  CHECK_FALSE(site.asset(request("GET", "/assets/b.js")));
}

TEST_CASE("Site: answers are not kept on the way, and name the origins that may read them") {
  SiteOptions with = options();
  CHECK(header(Site(with).finished({}, request("GET", "/")), "Cache-Control") == "no-store");
  CHECK(header(Site(with).finished({}, request("GET", "/")), "Access-Control-Allow-Origin").empty());
  with.allowed_origins = {"https://a.example", "https://b.example"};
  const Site two(with);
  const Response known = two.finished({}, request("GET", "/", {{"Origin", "https://b.example"}}));
  CHECK(header(known, "Access-Control-Allow-Origin") == "https://b.example");
  CHECK(header(known, "Vary") == "Origin");
  CHECK(header(known, "Access-Control-Expose-Headers") == "ETag");
  const Response unknown = two.finished({}, request("GET", "/", {{"Origin", "https://c.example"}}));
  CHECK(header(unknown, "Access-Control-Allow-Origin") == "https://a.example");
  with.allowed_origins = {"*"};
  const Response any = Site(with).finished({}, request("GET", "/", {{"Origin", "https://c.example"}}));
  CHECK(header(any, "Access-Control-Allow-Origin") == "*");
  CHECK(header(any, "Vary").empty());
}

}  // namespace
