// Tokens: secrets of programs, and links that show a camera for a while.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace fp::http {

/// Lines NAME TOKEN: a NAME of letters, digits, - and _, and a TOKEN of at least 16 characters, letters, digits and
/// -._~+/= (RFC 6750, 2.1). Several lines of one NAME are several tokens. Empty lines and those that begin with # are
/// left out.
///
/// From a token others can be signed, which are valid until a time and for some cameras, and say so themselves:
///   fp1.NAME.EXPIRY.CAMERA,CAMERA.MAC
/// EXPIRY in UNIX seconds; MAC: HMAC-SHA256 of all before it, by the token, as 64 hex digits. Who takes the line out of
/// the file takes them back, too.
class TokenFile {
 public:
  static constexpr std::size_t kMostBytes = 1u << 20;
  static constexpr std::size_t kLeastCharacters = 16;
  static constexpr std::size_t kMostCharacters = 256;

  /// Errors: those of read_file(); Malformed ("FILE, line 3: ..."), also when there is none in it.
  static Result<TokenFile> load(const std::string& path);
  static Result<TokenFile> parse(std::string_view text, const std::string& path);

  /// Made of the first token of the file. `cameras`: their names, or "*".
  [[nodiscard]] std::string sign(const std::vector<std::string>& cameras, WallTime expires) const;

  [[nodiscard]] bool knows(std::string_view name) const;  ///< whether one of them is of this NAME

  struct Signed {
    std::vector<std::string> cameras;
    WallTime expires;
  };
  struct Holder {
    std::string name;
    std::optional<Signed> limits;  ///< of a signed one
    bool expired = false;          ///< a signed one, rightly: no guess
  };
  /// Whose it is, a token of the file or a signed one; nothing: nobody's. How long it takes says nothing of the tokens.
  [[nodiscard]] std::optional<Holder> find(std::string_view token, WallTime now) const;

 private:
  struct Entry {
    std::string name;
    std::string token;
  };
  [[nodiscard]] std::optional<Holder> find_signed(std::string_view token, WallTime now) const;
  std::vector<Entry> entries_;  // never empty
};

}  // namespace fp::http
