#include "http/auth.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/bytes.h"
#include "base/text.h"

namespace fp::http {
namespace {

constexpr std::size_t kMostChallenges = 16;

bool is_token_char(char c) {
  const bool alnum = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  return alnum || std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// RFC 9110, 11.6.1: challenges and their parameters are both divided by commas; a token that no '=' follows begins a
// challenge.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool skip_to_token() {
    while (!rest_.empty() && !is_token_char(rest_.front())) rest_.remove_prefix(1);
    return !rest_.empty();
  }
  std::string_view token() {
    std::size_t size = 0;
    while (size < rest_.size() && is_token_char(rest_[size])) ++size;
    return take(size);
  }
  bool equals() {
    const auto at = rest_.find_first_not_of(" \t");
    if (at == std::string_view::npos || rest_[at] != '=') return false;
    rest_.remove_prefix(at + 1);
    const auto value = rest_.find_first_not_of(" \t");
    rest_.remove_prefix(std::min(value, rest_.size()));
    return true;
  }
  std::string value() {
    if (!rest_.starts_with('"')) return std::string(trim(take(rest_.find_first_of(", \t"))));
    rest_.remove_prefix(1);
    std::string text;
    while (!rest_.empty() && rest_.front() != '"') {
      if (rest_.front() == '\\' && rest_.size() > 1) rest_.remove_prefix(1);
      text += rest_.front();
      rest_.remove_prefix(1);
    }
    if (!rest_.empty()) rest_.remove_prefix(1);
    return text;
  }

 private:
  std::string_view take(std::size_t size) {
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(taken.size());
    return taken;
  }
  std::string_view rest_;
};

struct Draft {
  Challenge challenge;
  bool known = false;
  bool qop_given = false;
};

void set_parameter(Draft& draft, std::string_view name, std::string value) {
  Challenge& challenge = draft.challenge;
  if (equal_ignoring_case(name, "realm")) {
    challenge.realm = std::move(value);
  } else if (equal_ignoring_case(name, "nonce")) {
    challenge.nonce = std::move(value);
  } else if (equal_ignoring_case(name, "opaque")) {
    challenge.opaque = std::move(value);
  } else if (equal_ignoring_case(name, "stale")) {
    challenge.stale = equal_ignoring_case(value, "true");
  } else if (equal_ignoring_case(name, "qop")) {
    draft.qop_given = !trim(value).empty();
    for (const std::string_view one : split(std::string_view(value), ',')) {
      if (equal_ignoring_case(trim(one), "auth")) challenge.qop_auth = true;
    }
  } else if (equal_ignoring_case(name, "algorithm")) {
    std::string_view hash = value;
    challenge.session = hash.size() > 5 && equal_ignoring_case(hash.substr(hash.size() - 5), "-sess");
    if (challenge.session) hash.remove_suffix(5);
    challenge.hash = equal_ignoring_case(hash, "SHA-256") ? Challenge::Hash::Sha256 : Challenge::Hash::Md5;
    if (challenge.hash == Challenge::Hash::Md5 && !equal_ignoring_case(hash, "MD5")) draft.known = false;
    challenge.algorithm = std::move(value);
  }
}

void keep(const std::optional<Draft>& draft, std::vector<Challenge>& challenges) {
  if (!draft || !draft->known || challenges.size() >= kMostChallenges) return;
  const Challenge& challenge = draft->challenge;
  if (challenge.scheme == Challenge::Scheme::Digest) {
    if (challenge.nonce.empty()) return;
    if (draft->qop_given && !challenge.qop_auth) return;  // auth-int alone
  }
  challenges.push_back(challenge);
}

int strength(const Challenge& challenge) {
  if (challenge.scheme == Challenge::Scheme::Basic) return 0;
  return (challenge.hash == Challenge::Hash::Sha256 ? 3 : 1) + (challenge.qop_auth ? 1 : 0);
}

// "" when there is no such hash.
std::string hash_of(Challenge::Hash hash, std::string_view text) {
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  const EVP_MD* const kind = hash == Challenge::Hash::Sha256 ? EVP_sha256() : EVP_md5();
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, kind, nullptr) != 1) return {};
  return hex(ByteView(digest).first(size));
}

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += c;
  }
  return result + '"';
}

std::string base64(std::string_view text) {
  std::string result(4 * ((text.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(result.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  result.resize(static_cast<std::size_t>(size));
  return result;
}

tl::unexpected<Error> no_answer(std::string text) { return fail({Error::Kind::Unsupported, 0, std::move(text)}); }

}  // namespace

std::vector<Challenge> parse_challenges(const std::vector<std::string_view>& headers) {
  std::vector<Challenge> challenges;
  for (const std::string_view header : headers) {
    Reader reader(header);
    std::optional<Draft> draft;
    while (reader.skip_to_token()) {
      const std::string_view name = reader.token();
      if (reader.equals()) {
        std::string value = reader.value();
        if (draft) set_parameter(*draft, name, std::move(value));
        continue;
      }
      keep(draft, challenges);
      draft.emplace();
      draft->known = equal_ignoring_case(name, "Basic") || equal_ignoring_case(name, "Digest");
      if (equal_ignoring_case(name, "Digest")) draft->challenge.scheme = Challenge::Scheme::Digest;
    }
    keep(draft, challenges);
  }
  std::ranges::stable_sort(challenges,
                           [](const Challenge& a, const Challenge& b) { return strength(a) > strength(b); });
  return challenges;
}

Result<std::string> digest_answer(const Challenge& challenge, const Credentials& credentials, std::string_view method,
                                  std::string_view target, std::string_view client_nonce, std::uint32_t count) {
  const auto hash = [&](const std::string& text) { return hash_of(challenge.hash, text); };
  const std::string mine(client_nonce);
  std::string secret = hash(credentials.user + ":" + challenge.realm + ":" + credentials.password);
  if (secret.empty()) return no_answer("the server wants a hash that this machine's OpenSSL does not have");
  if (challenge.session) secret = hash(secret + ":" + challenge.nonce + ":" + mine);
  const std::string request = hash(std::string(method) + ":" + std::string(target));
  constexpr std::size_t kDigits = 8;
  std::string number =
      hex(std::array<std::uint8_t, 4>{static_cast<std::uint8_t>(count >> 24), static_cast<std::uint8_t>(count >> 16),
                                      static_cast<std::uint8_t>(count >> 8), static_cast<std::uint8_t>(count)});
  static_assert(kDigits == 2 * sizeof count);
  const std::string middle = challenge.qop_auth ? ":" + number + ":" + mine + ":auth:" : ":";
  std::string answer = "Digest username=" + quoted(credentials.user) + ", realm=" + quoted(challenge.realm) +
                       ", nonce=" + quoted(challenge.nonce) + ", uri=" + quoted(target) +
                       ", response=" + quoted(hash(secret + ":" + challenge.nonce + middle + request));
  if (!challenge.algorithm.empty()) answer += ", algorithm=" + challenge.algorithm;
  if (challenge.opaque) answer += ", opaque=" + quoted(*challenge.opaque);
  if (challenge.qop_auth) answer += ", qop=auth, nc=" + number;
  if (challenge.qop_auth || challenge.session) answer += ", cnonce=" + quoted(client_nonce);
  return answer;
}

Result<Done> Authenticator::challenged(const std::vector<std::string_view>& headers) {
  const auto challenges = parse_challenges(headers);
  if (challenges.empty()) {
    return no_answer("the server wants a kind of authentication that is neither Basic nor Digest");
  }
  const Challenge& strongest = challenges.front();
  const bool digest = strongest.scheme == Challenge::Scheme::Digest;
  const bool stale = digest && strongest.stale && sent_;
  // The same Basic again would be refused again, and cameras lock those out who try too often.
  const bool same = sent_ && challenge_ && challenge_->scheme == Challenge::Scheme::Basic && !digest;
  if (stale ? stale_answers_ > 0 : answered_ > 0 || same) return no_answer("the user or the password is wrong");
  ++(stale ? stale_answers_ : answered_);
  challenge_ = strongest;
  count_ = 0;
  std::array<std::uint8_t, 16> random{};
  if (RAND_bytes(random.data(), static_cast<int>(random.size())) != 1) return no_answer("no random bytes");
  client_nonce_ = hex(random);
  return Done{};
}

Result<std::string> Authenticator::authorization(std::string_view method, std::string_view target) {
  sent_ = challenge_.has_value();
  if (!challenge_) return std::string();
  if (challenge_->scheme == Challenge::Scheme::Basic) {
    return "Basic " + base64(credentials_.user + ":" + credentials_.password);
  }
  return digest_answer(*challenge_, credentials_, method, target, client_nonce_, ++count_);
}

}  // namespace fp::http
