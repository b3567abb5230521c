// http::RequestParser with arbitrary bytes: the portions in which they come do not matter, and what it gives out keeps
// the promises of message.h.
//
// The first byte seeds the portions, the rest is what a client sends.
#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "http/message.h"
#include "http/request_parser.h"

namespace {

using fp::ByteView;
using fp::http::Request;
using fp::http::RequestParser;
using Status = RequestParser::Status;

void require(bool holds) {
  if (!holds) __builtin_trap();
}

struct Outcome {
  std::vector<Request> requests;
  bool bad = false;
};

void take(RequestParser& parser, Status status, Outcome& outcome) {
  while (status == Status::Done) {
    outcome.requests.push_back(parser.request());
    status = parser.next();
  }
  if (status == Status::Bad) {
    require(parser.error_status() >= 400 && parser.error_status() < 500 && !parser.error_text().empty());
    outcome.bad = true;
  }
}

// Beast refuses a bad first line at once when it comes in one piece, and in portions only when the header is complete:
// both get a line to complete it.
void complete(RequestParser& parser, Outcome& outcome) {
  if (!outcome.bad) take(parser, parser.feed(fp::as_bytes("\r\n\r\n")), outcome);
}

Outcome parse_whole(ByteView bytes) {
  RequestParser parser;
  Outcome outcome;
  take(parser, parser.feed(bytes), outcome);
  complete(parser, outcome);
  return outcome;
}

Outcome parse_in_portions(ByteView bytes, std::uint8_t seed) {
  RequestParser parser;
  Outcome outcome;
  std::minstd_rand random(seed + 1u);
  while (!bytes.empty() && !outcome.bad) {
    const std::size_t portion = std::min<std::size_t>(bytes.size(), 1 + random() % (seed % 8 == 0 ? 2 : 200));
    take(parser, parser.feed(bytes.first(portion)), outcome);
    bytes = bytes.subspan(portion);
  }
  complete(parser, outcome);
  return outcome;
}

bool same(const Request& a, const Request& b) {
  return a.method == b.method && a.target == b.target && a.path == b.path && a.query == b.query &&
         a.headers == b.headers && a.body == b.body && a.version == b.version && a.keep_alive == b.keep_alive;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView bytes(data + 1, size - 1);
  const Outcome whole = parse_whole(bytes);
  const Outcome portions = parse_in_portions(bytes, data[0]);
  require(whole.requests.size() == portions.requests.size());
  require(whole.bad == portions.bad);
  for (std::size_t i = 0; i < whole.requests.size(); ++i) {
    const Request& request = whole.requests[i];
    require(same(request, portions.requests[i]));
    require(request.body.size() <= RequestParser::kMaxBodyBytes);
    require(request.path.find('\0') == std::string::npos);
    require(request.path.empty() ? request.method == "OPTIONS" : request.path.front() == '/');
    (void)fp::http::prefers_image(request.header("Accept"));
    (void)fp::http::is_safe_host(request.header("Host").value_or(""), {});
  }
  return 0;
}
