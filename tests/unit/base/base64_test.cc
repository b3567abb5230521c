#include "base/base64.h"

#include <doctest/doctest.h>

#include <array>
#include <cctype>
#include <random>
#include <string>

namespace {

using namespace fp;

struct Vector {
  std::string_view bytes;
  std::string_view text;
};
// RFC 4648, section 10.
constexpr std::array<Vector, 7> kVectors = {{{"", ""},
                                             {"f", "Zg=="},
                                             {"fo", "Zm8="},
                                             {"foo", "Zm9v"},
                                             {"foob", "Zm9vYg=="},
                                             {"fooba", "Zm9vYmE="},
                                             {"foobar", "Zm9vYmFy"}}};

std::string decoded(std::string_view text) {
  const auto bytes = base64_decode(text);
  return bytes ? std::string(as_text(bytes->view())) : "refused";
}

TEST_CASE("base64: writes the RFC's examples") {
  for (const auto& [bytes, text] : kVectors) CHECK(base64(as_bytes(bytes)) == text);
}

TEST_CASE("base64: reads the RFC's examples") {
  for (const auto& [bytes, text] : kVectors) CHECK(decoded(text) == bytes);
}

TEST_CASE("base64: uses the alphabet with plus and slash") {
  const std::array<std::uint8_t, 3> bytes = {0xFB, 0xFF, 0xBF};
  CHECK(base64(bytes) == "+/+/");
  CHECK(as_bytes(decoded("+/+/")).size() == 3);
  CHECK(decoded("-_-_") == "refused");
}

TEST_CASE("base64: random bytes of each length come back") {
  std::mt19937 random(1);
  for (std::size_t size = 0; size < 300; ++size) {
    std::string bytes(size, 0);
    for (char& byte : bytes) byte = static_cast<char>(random());
    CHECK(decoded(base64(as_bytes(bytes))) == bytes);
  }
}

TEST_CASE("base64: what is not whole is refused") {
  for (const std::string_view text :
       {"Z", "Zg", "Zg=", "Zm8", "====", "=", "Z===", "Zg==Zg==", "Zm8=Zm8=", "Zg=A", "=m9v", "Z=9v"}) {
    CAPTURE(text);
    CHECK(decoded(text) == "refused");
  }
}

TEST_CASE("base64: white space is refused") {
  for (const std::string_view text : {"Zm9v\n", "Zm9v\r\nZg", " Zm9", "Zm 9", "Zm9v    ", "Zm9vYm\nF", "\tZm9"}) {
    CAPTURE(text);
    CHECK(decoded(text) == "refused");
  }
}

TEST_CASE("base64: bits behind the last byte are refused: one text for the same bytes") {
  CHECK(decoded("Zh==") == "refused");
  CHECK(decoded("Zm9=") == "refused");
}

TEST_CASE("base64: any byte outside the alphabet is refused, wherever it stands") {
  const std::string good = "Zm9vYmFyZm9v";
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      std::string text = good;
      text[at] = static_cast<char>(value);
      const bool letter = std::isalnum(value) != 0 || value == '+' || value == '/';
      const bool padding = value == '=' && at + 1 == text.size();
      // "Zm9=" has bits behind its last byte.
      CHECK(base64_decode(text).has_value() == (letter && !padding));
    }
  }
}

}  // namespace
