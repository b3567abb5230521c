// What strangers show at the gate, and the files that it is compared with.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "http/access.h"
#include "http/passwords.h"
#include "http/tokens.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace fp;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const WallTime now{std::chrono::seconds(1'763'688'000)};
  static const http::TokenFile kTokens = *http::TokenFile::parse("anna 0123456789abcdef", "tokens");

  http::Request request;
  request.headers.emplace_back("Authorization", std::string(text));
  const http::Shown shown = http::shown_by(request);
  if (shown.kind == http::Shown::Kind::Nothing || shown.kind == http::Shown::Kind::Link) std::abort();
  (void)kTokens.find(shown.secret, now);
  // Nobody guesses sixteen characters or an HMAC here: whoever is let in is let in by a mistake.
  if (const auto holder = kTokens.find(text, now); holder && text != "0123456789abcdef") std::abort();

  (void)http::TokenFile::parse(text, "tokens");
  (void)http::PasswordFile::parse(text, "users");
  if (const auto grants = http::Grants::parse({std::string(text)}); grants) {
    if (grants->of("").may_change) std::abort();
  }
  return 0;
}
