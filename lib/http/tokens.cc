#include "http/tokens.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/file.h"
#include "base/text.h"

namespace fp::http {
namespace {

constexpr std::string_view kSigned = "fp1.";
constexpr std::string_view kMend = " (openssl rand -hex 24 makes a good one)";
constexpr std::int64_t kLastSecond = 253'402'300'799;  // of the year 9999
using Digest = std::array<unsigned char, 32>;

bool is_token(std::string_view text) {
  constexpr std::string_view kOthers = "-._~+/=";
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kOthers.find(c) != std::string_view::npos;
  });
}

Digest digest_of(std::string_view text) {
  Digest digest{};
  unsigned size = 0;
  ::EVP_Digest(text.data(), text.size(), digest.data(), &size, ::EVP_sha256(), nullptr);
  return digest;
}

std::string mac_of(std::string_view text, const std::string& token) {
  Digest mac{};
  unsigned size = 0;
  ::HMAC(::EVP_sha256(), token.data(), static_cast<int>(token.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(), &size);
  return hex(mac);
}

// Digests are of one length, and tell by no time how much of two texts is the same.
bool same(std::string_view a, std::string_view b) {
  const Digest one = digest_of(a);
  const Digest other = digest_of(b);
  return ::CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

}  // namespace

Result<TokenFile> TokenFile::load(const std::string& path) {
  const auto bytes = read_file(path, kMostBytes);
  if (!bytes) return fail(bytes.error());
  return parse(as_text(bytes->view()), path);
}

Result<TokenFile> TokenFile::parse(std::string_view text, const std::string& path) {
  TokenFile file;
  for (const auto& [number, line] : entries_of(text)) {
    const std::string where = path + ", line " + std::to_string(number);
    const auto space = line.find_first_of(" \t");
    const std::string_view name = line.substr(0, space);
    const std::string_view token = space == std::string_view::npos ? std::string_view() : trim(line.substr(space));
    // The line may be a bare token, which nobody is to read in a log.
    if (token.empty() || !is_plain_name(name)) {
      return malformed(where + ": not of the form NAME TOKEN, a NAME of letters, digits, - and _");
    }
    if (token.size() < kLeastCharacters) {
      return malformed(where + ": the token of " + std::string(name) + " has fewer than " +
                       std::to_string(kLeastCharacters) + " characters" + std::string(kMend));
    }
    if (token.size() > kMostCharacters || !is_token(token) || token.starts_with(kSigned)) {
      return malformed(where + ": the token of " + std::string(name) +
                       " is longer than 256 characters, begins with fp1. or holds others than letters, digits and "
                       "-._~+/=" +
                       std::string(kMend));
    }
    file.entries_.push_back({std::string(name), std::string(token)});
  }
  if (file.entries_.empty()) return malformed(path + ": there is no token in it" + std::string(kMend));
  return file;
}

bool TokenFile::knows(std::string_view name) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.name == name; });
}

std::string TokenFile::sign(const std::vector<std::string>& cameras, WallTime expires) const {
  std::string text(kSigned);
  text += entries_.front().name + ".";
  text += std::to_string(std::chrono::floor<std::chrono::seconds>(expires.time_since_epoch()).count()) + ".";
  for (std::size_t i = 0; i < cameras.size(); ++i) text += (i == 0 ? "" : ",") + cameras[i];
  return text + "." + mac_of(text, entries_.front().token);
}

std::optional<TokenFile::Holder> TokenFile::find(std::string_view token, WallTime now) const {
  if (token.starts_with(kSigned)) return find_signed(token, now);
  const Entry* found = nullptr;
  for (const Entry& entry : entries_) {
    if (same(entry.token, token)) found = &entry;  // and looks at the others all the same
  }
  if (found == nullptr) return std::nullopt;
  return Holder{found->name, std::nullopt, false};
}

std::optional<TokenFile::Holder> TokenFile::find_signed(std::string_view token, WallTime now) const {
  const std::vector<std::string_view> parts = split(token, '.');
  if (parts.size() != 5 || parts[4].size() != 64) return std::nullopt;
  const std::string_view text = token.substr(0, token.size() - parts[4].size() - 1);
  bool right = false;
  for (const Entry& entry : entries_) {
    if (entry.name == parts[1] && same(mac_of(text, entry.token), parts[4])) right = true;
  }
  // What follows was written by us.
  if (!right) return std::nullopt;
  const auto seconds = parse_integer<std::int64_t>(parts[2]);
  if (!seconds || *seconds < 0 || *seconds > kLastSecond) return std::nullopt;
  Signed limits;
  limits.expires = WallTime(std::chrono::seconds(*seconds));
  for (const std::string_view camera : split(parts[3], ',')) limits.cameras.emplace_back(camera);
  const bool expired = now >= limits.expires;
  return Holder{std::string(parts[1]), std::move(limits), expired};
}

}  // namespace fp::http
