#include "http/tokens.h"

#include <doctest/doctest.h>

using namespace fp;
using namespace fp::http;
using namespace std::chrono_literals;

namespace {

constexpr const char* kAnna = "0123456789abcdef";
constexpr const char* kBen = "-._~+/=AZaz09XYZ";
const WallTime kNow{1'763'688'000s};

TokenFile file(const std::string& text) {
  auto parsed = TokenFile::parse(text, "tokens");
  REQUIRE(parsed.has_value());
  return std::move(*parsed);
}
TokenFile both() { return file("# ours\nanna " + std::string(kAnna) + "\n\nben\t " + kBen + "\r\n"); }

}  // namespace

TEST_CASE("TokenFile: knows whose a token is") {
  const TokenFile tokens = both();
  CHECK(tokens.find(kAnna, kNow)->name == "anna");
  CHECK(tokens.find(kBen, kNow)->name == "ben");
  CHECK_FALSE(tokens.find(kAnna, kNow)->limits.has_value());
  CHECK_FALSE(tokens.find("0123456789abcdeF", kNow).has_value());
  CHECK_FALSE(tokens.find("0123456789abcde", kNow).has_value());
  CHECK_FALSE(tokens.find("0123456789abcdef0", kNow).has_value());
  CHECK_FALSE(tokens.find("", kNow).has_value());
  CHECK(tokens.knows("ben"));
  CHECK_FALSE(tokens.knows("be"));
}

TEST_CASE("TokenFile: a signed token says for which cameras and until when, and ends then") {
  const TokenFile tokens = both();
  const std::string token = tokens.sign({"door", "yard"}, kNow + 1h);
  const auto holder = tokens.find(token, kNow);
  REQUIRE(holder.has_value());
  CHECK(holder->name == "anna");
  CHECK_FALSE(holder->expired);
  REQUIRE(holder->limits.has_value());
  CHECK(holder->limits->cameras == std::vector<std::string>{"door", "yard"});
  CHECK(holder->limits->expires == kNow + 1h);
  CHECK_FALSE(tokens.find(token, kNow + 3599s)->expired);
  CHECK(tokens.find(token, kNow + 3600s)->expired);
}

TEST_CASE("TokenFile: a signed token in which anything was altered is nobody's") {
  const TokenFile tokens = both();
  const std::string token = tokens.sign({"door"}, kNow + 1h);
  for (std::size_t i = 0; i < token.size(); ++i) {
    std::string altered = token;
    altered[i] = altered[i] == 'a' ? 'b' : 'a';
    CHECK_FALSE(tokens.find(altered, kNow).has_value());
    CHECK_FALSE(tokens.find(token.substr(0, i), kNow).has_value());
  }
  CHECK_FALSE(tokens.find(token + "0", kNow).has_value());
  CHECK_FALSE(tokens.find(token + ".", kNow).has_value());
}

TEST_CASE("TokenFile: a signed token of another's token, or of one that was taken out, is nobody's") {
  const std::string token = both().sign({"door"}, kNow + 1h);
  CHECK_FALSE(file("ben " + std::string(kBen)).find(token, kNow).has_value());
  CHECK_FALSE(file("anna " + std::string(kBen)).find(token, kNow).has_value());
  // A second token of the same name is being brought in: those of the first go on.
  CHECK(file("anna " + std::string(kBen) + "\nanna " + kAnna).find(token, kNow).has_value());
}

TEST_CASE("TokenFile: a signed token fits into a URL as it is") {
  const std::string token = both().sign({"door", "*"}, kNow);
  CHECK(token.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,_-*") ==
        std::string::npos);
}

TEST_CASE("TokenFile: says which line is wrong, and never what the token is") {
  const auto error = [](const std::string& text) {
    const auto parsed = TokenFile::parse(text, "tokens");
    return parsed ? "" : parsed.error().text;
  };
  const std::string form = ": not of the form NAME TOKEN, a NAME of letters, digits, - and _";
  CHECK(error("# a\n0123456789abcdef") == "tokens, line 2" + form);
  CHECK(error("an.na 0123456789abcdef") == "tokens, line 1" + form);
  CHECK(error("anna 0123456789abcde") ==
        "tokens, line 1: the token of anna has fewer than 16 characters (openssl rand -hex 24 makes a good one)");
  for (const char* const token : {"0123456789abcdef more", "0123456789abcde\"", "fp1.0123456789abcdef"}) {
    CAPTURE(token);
    CHECK(error("anna " + std::string(token)).starts_with("tokens, line 1: the token of anna is longer than 256"));
    CHECK(error("anna " + std::string(token)).find("0123") == std::string::npos);
  }
  CHECK(error("# nobody") == "tokens: there is no token in it (openssl rand -hex 24 makes a good one)");
}
