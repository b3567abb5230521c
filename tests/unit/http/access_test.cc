#include "http/access.h"

#include <doctest/doctest.h>

#include "base/base64.h"

using namespace fp;
using namespace fp::http;
using Kind = Shown::Kind;

namespace {

Shown shown(const std::string& authorization, const std::string& target = "/") {
  Request request;
  REQUIRE(parse_target(target, request));
  if (!authorization.empty()) request.headers.emplace_back("authorization", authorization);
  return shown_by(request);
}
std::string basic(std::string_view pair) { return "Basic " + base64(as_bytes(pair)); }

}  // namespace

TEST_CASE("shown_by: a user and a password, which may hold colons") {
  const Shown anna = shown(basic("anna:sword:fish"));
  CHECK(anna.kind == Kind::Password);
  CHECK(anna.user == "anna");
  CHECK(anna.secret == "sword:fish");
  CHECK(shown("bAsIc   " + basic("anna:x").substr(6)).kind == Kind::Password);
  CHECK(shown(basic(":")).kind == Kind::Password);
}

TEST_CASE("shown_by: a token, by header or by link; the header goes first") {
  CHECK(shown("Bearer abc").kind == Kind::Token);
  CHECK(shown("Bearer abc").secret == "abc");
  CHECK(shown("", "/stream?token=abc").kind == Kind::Link);
  CHECK(shown("", "/stream?token=abc").secret == "abc");
  CHECK(shown(basic("a:b"), "/stream?token=abc").kind == Kind::Password);
  CHECK(shown("", "/stream").kind == Kind::Nothing);
}

TEST_CASE("shown_by: what is malformed is not the same as nothing") {
  for (const char* const text : {"Basic", "Basic !!!!", "Basic YW5uYQ==", "Digest username=\"anna\"", "x"}) {
    CAPTURE(text);
    CHECK(shown(text).kind == Kind::Unreadable);
    CHECK(shown(text, "/stream?token=abc").kind == Kind::Unreadable);
  }
}

TEST_CASE("Grants: without any, whoever is known may do everything") {
  const Rights rights = Grants().of("anna");
  CHECK(rights.name == "anna");
  CHECK(rights.sees("door"));
  CHECK(rights.every_camera);
  CHECK(rights.may_change);
  CHECK(rights.may_ask);
}

TEST_CASE("Grants: with any, everybody sees what they were granted, and nobody else anything") {
  const auto grants = Grants::parse({"anna:door,yard", "anna:attic", "ben:*"});
  REQUIRE(grants.has_value());
  const Rights anna = grants->of("anna");
  CHECK(anna.sees("door"));
  CHECK(anna.sees("yard"));
  CHECK(anna.sees("attic"));
  CHECK_FALSE(anna.sees("cellar"));
  CHECK_FALSE(anna.sees("*"));
  CHECK_FALSE(anna.sees(""));
  CHECK_FALSE(anna.may_change);
  CHECK(grants->of("ben").sees("cellar"));
  CHECK(grants->of("ben").may_change);
  const Rights carl = grants->of("carl");
  CHECK_FALSE(carl.sees("door"));
  CHECK_FALSE(carl.may_change);
}

TEST_CASE("Grants: what is no grant is refused with its form") {
  for (const char* const text : {"anna", ":door", "anna:", "anna:do or", "anna:door,", "anna:../x"}) {
    CAPTURE(text);
    CHECK_FALSE(Grants::parse({text}).has_value());
  }
  CHECK(Grants::parse({"anna"}).error().text == "'anna': write USER:CAMERA,CAMERA or USER:*");
}

TEST_CASE("may_see, may_change: a request that nobody was asked about may do everything, and unknown rights nothing") {
  CHECK(may_see(nullptr, "door"));
  CHECK(may_see_all(nullptr));
  CHECK(may_change(nullptr));
  CHECK(may_ask(nullptr));
  const auto nobody = std::make_shared<const Rights>();
  CHECK_FALSE(may_see(nobody, "door"));
  CHECK_FALSE(may_see_all(nobody));
  CHECK_FALSE(may_change(nobody));
  CHECK_FALSE(may_ask(nobody));
}
