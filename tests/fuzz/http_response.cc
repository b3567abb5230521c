// What an HTTP server may send to http::Client: a head, then perhaps chunks. The portions in which the bytes come do
// not matter, all is bounded, and what is given out keeps the promises of response_head.h. Challenges and redirects
// that are in the head are read, too.
//
// The first byte seeds the portions, the rest is what the server sends.
#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <string>

#include "http/auth.h"
#include "http/chunks.h"
#include "http/response_head.h"
#include "http/url.h"

namespace {

using fp::ByteView;
using fp::http::HeadReader;
using Status = HeadReader::Status;

void require(bool holds) {
  if (!holds) __builtin_trap();
}

struct Outcome {
  Status status = Status::More;
  fp::http::ResponseHead head;
  std::string body;
  bool bad_chunk = false;
};

// Sizes from 1 to 200 bytes, or all at once.
class Portions {
 public:
  explicit Portions(int seed) : random_(static_cast<unsigned>(seed + 2)), whole_(seed < 0) {}
  std::size_t next(std::size_t left) { return whole_ ? left : std::min<std::size_t>(left, 1 + random_() % 200); }

 private:
  std::minstd_rand random_;
  bool whole_;
};

std::string decoded(const std::string& body, Portions& portions, bool& bad) {
  fp::http::ChunkDecoder decoder;
  std::string result;
  std::array<std::uint8_t, 256> room{};
  for (std::size_t at = 0; at < body.size() && !decoder.done() && !decoder.bad();) {
    const std::size_t size = portions.next(body.size() - at);
    const auto step = decoder.decode(fp::as_bytes(body).subspan(at, size), room);
    require(step.taken <= size && step.given <= room.size());
    require(step.taken > 0 || step.given > 0);
    at += step.taken;
    result.append(fp::as_text(ByteView(room).first(step.given)));
  }
  bad = decoder.bad();
  return result;
}

Outcome read(ByteView bytes, int seed) {
  Portions portions(seed);
  HeadReader reader;
  Outcome outcome;
  while (!bytes.empty() && outcome.status == Status::More) {
    const std::size_t portion = portions.next(bytes.size());
    outcome.status = reader.feed(bytes.first(portion));
    bytes = bytes.subspan(portion);
  }
  if (outcome.status == Status::Bad) require(!reader.error_text().empty());
  if (outcome.status != Status::Done) return outcome;
  outcome.head = reader.head();
  outcome.body = reader.take_rest() + std::string(fp::as_text(bytes));
  if (outcome.head.chunked()) outcome.body = decoded(outcome.body, portions, outcome.bad_chunk);
  return outcome;
}

void check(const fp::http::ResponseHead& head) {
  require(head.status >= 100 && head.status <= 999);
  for (const auto& [name, value] : head.headers) {
    require(!name.empty() && name.find_first_of(" \t\r\n:") == std::string::npos);
    require(value.find_first_of("\r\n") == std::string::npos && value.find('\0') == std::string::npos);
  }
  const auto challenges = fp::http::parse_challenges(head.all("WWW-Authenticate"));
  for (const auto& challenge : challenges) {
    if (challenge.scheme != fp::http::Challenge::Scheme::Digest) continue;
    const auto answer = fp::http::digest_answer(challenge, {"user", "password"}, "GET", "/", "nonce", 1);
    require(!answer || answer->find_first_of("\r\n") == std::string::npos);
  }
  const auto base = fp::http::parse_url("http://user:password@camera/a/b?c");
  if (const auto location = head.header("Location")) {
    const auto url = fp::http::resolve(*base, *location);
    if (!url) return;
    require(!url->credentials && url->target.starts_with("/"));
    require(std::ranges::all_of(url->target, [](char c) { return c > 0x20 && c < 0x7F; }));
    require(fp::http::parse_url(url->text()).has_value());
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView bytes(data + 1, size - 1);
  const Outcome whole = read(bytes, -1);
  const Outcome portions = read(bytes, data[0]);
  require(whole.status == portions.status);
  require(whole.head.status == portions.head.status && whole.head.headers == portions.head.headers);
  require(whole.bad_chunk == portions.bad_chunk && whole.body == portions.body);
  if (whole.status == Status::Done) check(whole.head);
  return 0;
}
