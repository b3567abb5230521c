#include "http/auth.h"

#include <doctest/doctest.h>

namespace {

using namespace fp;
using http::Authenticator;
using http::Challenge;
using http::parse_challenges;

const http::Credentials kMufasa{"Mufasa", "Circle of Life"};

Challenge challenge(std::string_view header) {
  const auto all = parse_challenges({header});
  REQUIRE(all.size() == 1);
  return all.front();
}
std::string parameter(const std::string& answer, const std::string& name) {
  const auto at = answer.find(name + "=");
  if (at == std::string::npos) return "none";
  const std::string rest = answer.substr(at + name.size() + 1);
  return rest.front() == '"' ? rest.substr(1, rest.find('"', 1) - 1) : rest.substr(0, rest.find(','));
}

// RFC 7616, 3.9.1.
constexpr std::string_view kMd5 =
    "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=MD5, "
    "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";
constexpr std::string_view kSha256 =
    "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=SHA-256, "
    "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";
constexpr std::string_view kClientNonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";

TEST_CASE("digest_answer: the examples of RFC 7616") {
  const auto md5 = http::digest_answer(challenge(kMd5), kMufasa, "GET", "/dir/index.html", kClientNonce, 1);
  REQUIRE(md5.has_value());
  CHECK(*md5 ==
        "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", "
        "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", uri=\"/dir/index.html\", "
        "response=\"8ca523f5e9506fed4657c9700eebdbec\", algorithm=MD5, "
        "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\", qop=auth, nc=00000001, "
        "cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\"");
  const auto sha = http::digest_answer(challenge(kSha256), kMufasa, "GET", "/dir/index.html", kClientNonce, 1);
  CHECK(parameter(sha.value(), "response") == "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
}

TEST_CASE("digest_answer: the example of RFC 2617, and its form without qop") {
  constexpr std::string_view kNonce =
      "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"";
  const http::Credentials credentials{"Mufasa", "Circle Of Life"};
  Challenge with_qop = challenge(kNonce);
  with_qop.qop_auth = true;
  CHECK(parameter(http::digest_answer(with_qop, credentials, "GET", "/dir/index.html", "0a4f113b", 1).value(),
                  "response") == "6629fae49393a05397450978507c4ef1");
  const std::string old = http::digest_answer(challenge(kNonce), credentials, "GET", "/dir/index.html", "x", 7).value();
  CHECK(parameter(old, "response") == "670fd8c2df070c60b045671b8b24ff02");
  CHECK(parameter(old, "nc") == "none");
  CHECK(parameter(old, "cnonce") == "none");
  CHECK(parameter(old, "algorithm") == "none");
}

TEST_CASE("digest_answer: -sess hashes the nonces in, and the count is in hexadecimal") {
  Challenge session = challenge(kMd5);
  session.session = true;
  session.algorithm = "MD5-sess";
  const std::string answer = http::digest_answer(session, kMufasa, "GET", "/dir/index.html", kClientNonce, 26).value();
  // python3: hashlib, by the formulas of RFC 7616, 3.4.
  CHECK(parameter(answer, "response") == "dcda46f8f673b5e61437e6f5f3b69d43");
  CHECK(parameter(answer, "nc") == "0000001a");
  CHECK(parameter(answer, "algorithm") == "MD5-sess");
}

TEST_CASE("digest_answer: quotes and backslashes are escaped") {
  const std::string answer =
      http::digest_answer(challenge("Digest realm=\"a \\\"b\\\"\", nonce=\"n\""), {"m\"e", "p"}, "GET", "/", "c", 1)
          .value();
  CHECK(answer.find(R"(username="m\"e", realm="a \"b\"")") != std::string::npos);
}

TEST_CASE("parse_challenges: several in one header and several headers, the strongest first") {
  const auto all = parse_challenges({"Basic realm=\"x, y=z\", Digest realm=\"d\", nonce=\"1\"", "Negotiate, NTLM abc==",
                                     "digest REALM=plain , nonce = \"2\" , algorithm=\"sha-256-SESS\",qop=auth"});
  REQUIRE(all.size() == 3);
  CHECK(all[0].hash == Challenge::Hash::Sha256);
  CHECK(all[0].session);
  CHECK(all[0].realm == "plain");
  CHECK(all[0].nonce == "2");
  CHECK(all[0].algorithm == "sha-256-SESS");
  CHECK(all[1].hash == Challenge::Hash::Md5);
  CHECK_FALSE(all[1].qop_auth);
  CHECK(all[2].scheme == Challenge::Scheme::Basic);
}

TEST_CASE("parse_challenges: what cannot be answered is left out") {
  CHECK(parse_challenges({}).empty());
  CHECK(parse_challenges({""}).empty());
  CHECK(parse_challenges({"Bearer realm=\"x\""}).empty());
  CHECK(parse_challenges({"Digest realm=\"x\""}).empty());
  CHECK(parse_challenges({"Digest nonce=\"n\", qop=\"auth-int\""}).empty());
  CHECK(parse_challenges({"Digest nonce=\"n\", algorithm=SHA-512-256"}).empty());
  CHECK(parse_challenges({"realm=\"x\", =, \"", ",,,=\\\"\\"}).empty());
  CHECK(challenge("Basic").scheme == Challenge::Scheme::Basic);
}

TEST_CASE("Authenticator: sends nothing before it is asked for") {
  Authenticator authenticator({"me", "pw"});
  authenticator.begin();
  CHECK(authenticator.authorization("GET", "/").value().empty());
  REQUIRE(authenticator.challenged({"Basic realm=\"cam\""}).has_value());
  CHECK(authenticator.authorization("GET", "/").value() == "Basic bWU6cHc=");
}

TEST_CASE("Authenticator: a refused answer is not given again, and the next series begins with what was asked for") {
  Authenticator authenticator({"me", "pw"});
  authenticator.begin();
  (void)authenticator.authorization("GET", "/");
  REQUIRE(authenticator.challenged({"Basic realm=\"cam\""}).has_value());
  (void)authenticator.authorization("GET", "/");
  const auto refused = authenticator.challenged({"Basic realm=\"cam\""});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().text == "the user or the password is wrong");
  authenticator.begin();
  CHECK(authenticator.authorization("GET", "/").value().starts_with("Basic "));
  CHECK_FALSE(authenticator.challenged({"Basic realm=\"cam\""}).has_value());
}

TEST_CASE("Authenticator: a nonce is counted up, and a new one counts from one") {
  Authenticator authenticator(kMufasa);
  authenticator.begin();
  REQUIRE(authenticator.challenged({kMd5}).has_value());
  const std::string first = authenticator.authorization("GET", "/").value();
  CHECK(parameter(first, "nc") == "00000001");
  authenticator.begin();
  const std::string second = authenticator.authorization("GET", "/").value();
  CHECK(parameter(second, "nc") == "00000002");
  CHECK(parameter(second, "cnonce") == parameter(first, "cnonce"));
  CHECK(parameter(second, "response") != parameter(first, "response"));
  REQUIRE(authenticator.challenged({"Digest realm=\"r\", nonce=\"new\", qop=\"auth\""}).has_value());
  const std::string third = authenticator.authorization("GET", "/").value();
  CHECK(parameter(third, "nonce") == "new");
  CHECK(parameter(third, "nc") == "00000001");
  CHECK(parameter(third, "cnonce") != parameter(first, "cnonce"));
}

TEST_CASE("Authenticator: stale=true is answered once more, and no oftener") {
  constexpr std::string_view kStale = "Digest realm=\"r\", nonce=\"2\", qop=\"auth\", stale=true";
  Authenticator authenticator(kMufasa);
  authenticator.begin();
  (void)authenticator.authorization("GET", "/");
  REQUIRE(authenticator.challenged({kMd5}).has_value());
  (void)authenticator.authorization("GET", "/");
  REQUIRE(authenticator.challenged({kStale}).has_value());
  CHECK(parameter(authenticator.authorization("GET", "/").value(), "nonce") == "2");
  CHECK_FALSE(authenticator.challenged({kStale}).has_value());
}

TEST_CASE("Authenticator: Digest is taken where Basic is offered, too") {
  Authenticator authenticator(kMufasa);
  authenticator.begin();
  REQUIRE(authenticator.challenged({"Basic realm=\"x\"", kMd5, kSha256}).has_value());
  CHECK(parameter(authenticator.authorization("GET", "/").value(), "algorithm") == "SHA-256");
}

TEST_CASE("Authenticator: a challenge that nobody knows is told") {
  Authenticator authenticator(kMufasa);
  authenticator.begin();
  CHECK_FALSE(authenticator.challenged({"Negotiate"}).has_value());
}

}  // namespace
