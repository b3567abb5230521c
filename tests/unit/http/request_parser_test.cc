#include "http/request_parser.h"

#include <doctest/doctest.h>

#include <string>

namespace {

using namespace fp;
using http::BodyBudget;
using http::Request;
using http::RequestParser;
using Status = http::RequestParser::Status;
using namespace std::string_literals;

const std::string kGet = "GET /stream?fps=5 HTTP/1.1\r\nHost: cam.local\r\nAccept: image/*\r\n\r\n";
const std::string kPost = "POST /api HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
const std::string kChunked =
    "POST /api HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\n\r\n";

Status feed(RequestParser& parser, const std::string& text) { return parser.feed(as_bytes(text)); }

TEST_CASE("RequestParser: a request is read with its target, headers and body") {
  RequestParser parser;
  REQUIRE(feed(parser, kGet) == Status::Done);
  CHECK(parser.request().method == "GET");
  CHECK(parser.request().path == "/stream");
  CHECK(parser.request().query["fps"] == "5");
  CHECK(parser.request().header("host") == "cam.local");
  CHECK(parser.request().version == 11);
  CHECK(parser.request().keep_alive);
  RequestParser post;
  REQUIRE(feed(post, kPost) == Status::Done);
  CHECK(post.request().body == "hello");
}

TEST_CASE("RequestParser: byte by byte it reads the same") {
  for (const std::string& text : {kGet, kPost}) {
    CAPTURE(text);
    RequestParser parser;
    for (std::size_t i = 0; i + 1 < text.size(); ++i) {
      if (feed(parser, text.substr(i, 1)) != Status::More) FAIL("not More after " << i + 1 << " bytes");
    }
    REQUIRE(feed(parser, text.substr(text.size() - 1)) == Status::Done);
    RequestParser whole;
    REQUIRE(feed(whole, text) == Status::Done);
    CHECK((parser.request().headers == whole.request().headers));
    CHECK(parser.request().body == whole.request().body);
    CHECK(parser.request().path == whole.request().path);
  }
}

TEST_CASE("RequestParser: a chunked body is 411, in one piece and in portions") {
  RequestParser whole;
  REQUIRE(feed(whole, kChunked) == Status::Bad);
  CHECK(whole.error_status() == 411);
  RequestParser parser;
  Status status = Status::More;
  for (std::size_t i = 0; i < kChunked.size() && status == Status::More; ++i)
    status = feed(parser, kChunked.substr(i, 1));
  CHECK(status == Status::Bad);
  CHECK(parser.error_status() == 411);
}

TEST_CASE("RequestParser: pipelined requests come one after the other") {
  RequestParser parser;
  REQUIRE(feed(parser, kPost + kGet + kPost + kGet.substr(0, 10)) == Status::Done);
  CHECK(parser.request().method == "POST");
  REQUIRE(parser.next() == Status::Done);
  CHECK(parser.request().method == "GET");
  CHECK(parser.request().body.empty());
  REQUIRE(parser.next() == Status::Done);
  CHECK(parser.request().body == "hello");
  CHECK(parser.next() == Status::More);
  CHECK_FALSE(parser.idle());
  CHECK(feed(parser, kGet.substr(10)) == Status::Done);
}

TEST_CASE("RequestParser: is idle before a request and between two, not within one") {
  RequestParser parser;
  CHECK(parser.idle());
  REQUIRE(feed(parser, "G") == Status::More);
  CHECK_FALSE(parser.idle());
  REQUIRE(feed(parser, kGet.substr(1)) == Status::Done);
  REQUIRE(parser.next() == Status::More);
  CHECK(parser.idle());
}

TEST_CASE("RequestParser: what asks to close the connection is heard") {
  RequestParser close;
  REQUIRE(feed(close, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") == Status::Done);
  CHECK_FALSE(close.request().keep_alive);
  RequestParser old;
  REQUIRE(feed(old, "GET / HTTP/1.0\r\n\r\n") == Status::Done);
  CHECK_FALSE(old.request().keep_alive);
  CHECK(old.request().version == 10);
  RequestParser kept;
  REQUIRE(feed(kept, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n") == Status::Done);
  CHECK(kept.request().keep_alive);
}

TEST_CASE("RequestParser: a header over 16 KiB is 431, in one piece or in many") {
  const std::string huge = "GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + std::string(20'000, 'a') + "\r\n\r\n";
  for (const std::size_t portion : {std::size_t{1000}, huge.size()}) {
    CAPTURE(portion);
    RequestParser parser;
    Status status = Status::More;
    for (std::size_t at = 0; at < huge.size() && status == Status::More; at += portion) {
      status = feed(parser, huge.substr(at, portion));
    }
    CHECK(status == Status::Bad);
    CHECK(parser.error_status() == 431);
  }
}

TEST_CASE("RequestParser: a header that never ends is refused at its limit, not kept") {
  RequestParser parser;
  std::size_t fed = 0;
  Status status = feed(parser, "GET / HTTP/1.1\r\n");
  while (status == Status::More && fed < (1u << 20)) {
    status = feed(parser, "X-A: b\r\n");
    fed += 8;
  }
  CHECK(status == Status::Bad);
  CHECK(parser.error_status() == 431);
  CHECK(fed <= RequestParser::kMaxHeaderBytes + 8);
}

TEST_CASE("RequestParser: a header just under 16 KiB passes") {
  RequestParser parser;
  CHECK(feed(parser, "GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + std::string(16'000, 'a') + "\r\n\r\n") == Status::Done);
}

TEST_CASE("RequestParser: a body over 64 KiB is 413") {
  RequestParser announced;
  CHECK(feed(announced, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n") == Status::Bad);
  CHECK(announced.error_status() == 413);
}

TEST_CASE("RequestParser: a body of exactly 64 KiB passes") {
  RequestParser parser;
  REQUIRE(feed(parser, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 65536\r\n\r\n" + std::string(65536, 'x')) ==
          Status::Done);
  CHECK(parser.request().body.size() == 65536);
}

std::string post(const std::string& path, std::size_t size, const std::string& headers = {}) {
  return "POST " + path + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(size) + "\r\n" + headers + "\r\n";
}

// 1 MiB for /large.
std::size_t by_path(const Request& request) {
  return request.method == "POST" && request.path == "/large" ? 1U << 20U : RequestParser::kMaxBodyBytes;
}

TEST_CASE("RequestParser: how large a body may be is asked when the header is complete") {
  for (const std::size_t portion : {std::size_t{7}, std::size_t{70'000}, std::size_t{2'000'000}}) {
    CAPTURE(portion);
    RequestParser parser(by_path);
    std::string body(1U << 20U, 'x');
    body.front() = 'a';
    body.back() = 'z';
    const std::string text = post("/large?x=1", body.size()) + body + kGet;
    Status status = Status::More;
    std::size_t at = 0;
    for (; at < text.size() && status == Status::More; at += portion) status = feed(parser, text.substr(at, portion));
    REQUIRE(status == Status::Done);
    CHECK((parser.request().body == body));
    status = parser.next();
    for (; at < text.size() && status == Status::More; at += portion) status = feed(parser, text.substr(at, portion));
    REQUIRE(status == Status::Done);
    CHECK(parser.request().path == "/stream");
    CHECK(parser.request().body.empty());
  }
}

TEST_CASE("RequestParser: a body over its own limit is 413, and the limit is named") {
  RequestParser large(by_path);
  REQUIRE(feed(large, post("/large", (1U << 20U) + 1)) == Status::Bad);
  CHECK(large.error_status() == 413);
  CHECK(large.error_text() == "the request's body is over 1 MiB");
  CHECK(large.unread_body());
  RequestParser other(by_path);
  REQUIRE(feed(other, post("/other", 70'000)) == Status::Bad);
  CHECK(other.error_text() == "the request's body is over 64 KiB");
}

TEST_CASE("RequestParser: bodies take from the budget what has come of them, and give it back") {
  BodyBudget budget(1'500'000);
  RequestParser first(by_path, &budget);
  REQUIRE(feed(first, post("/large", 1U << 20U)) == Status::More);
  CHECK(budget.used_bytes() == 0);  // an announcement takes nothing
  REQUIRE(feed(first, std::string(300'000, 'x')) == Status::More);
  CHECK(budget.used_bytes() >= 300'000);
  REQUIRE(feed(first, std::string((1U << 20U) - 300'000, 'x')) == Status::Done);
  CHECK(budget.used_bytes() == 1U << 20U);
  {
    RequestParser second(by_path, &budget);
    Status status = feed(second, post("/large", 1U << 20U));
    for (int i = 0; i < 10 && status == Status::More; ++i) status = feed(second, std::string(100'000, 'x'));
    CHECK(status == Status::Bad);
    CHECK(second.error_status() == 503);
    RequestParser small(by_path, &budget);
    CHECK(feed(small, post("/large", 60'000) + std::string(60'000, 'x')) == Status::Done);
  }
  CHECK(budget.used_bytes() == 1U << 20U);  // until the answer is out
  CHECK(first.next() == Status::More);
  CHECK(budget.used_bytes() == 0);
}

TEST_CASE("RequestParser: who expects 100 Continue is told of once, and only before the body") {
  RequestParser parser;
  REQUIRE(feed(parser, post("/", 5, "Expect: 100-Continue\r\n")) == Status::More);
  CHECK(parser.awaits_continue());
  CHECK_FALSE(parser.awaits_continue());
  REQUIRE(feed(parser, "hello") == Status::Done);
  RequestParser eager;
  REQUIRE(feed(eager, post("/", 5, "Expect: 100-continue\r\n") + "he") == Status::More);
  CHECK_FALSE(eager.awaits_continue());
  RequestParser silent;
  REQUIRE(feed(silent, post("/", 5)) == Status::More);
  CHECK_FALSE(silent.awaits_continue());
  RequestParser old;
  REQUIRE(feed(old, "POST / HTTP/1.0\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n") == Status::More);
  CHECK_FALSE(old.awaits_continue());
}

TEST_CASE("RequestParser: bad requests are 400 and say why") {
  for (const std::string& text : {
           "GET\r\n\r\n"s,
           "GET / HTTP/2.0\r\nHost: x\r\n\r\n"s,
           "GET / http/1.1\r\nHost: x\r\n\r\n"s,
           "GET / HTTP/1.1\r\n\r\n"s,                  // no Host
           "GET stream HTTP/1.1\r\nHost: x\r\n\r\n"s,  // no '/'
           "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n"s,
           "GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n"s,
           "GET / HTTP/1.1\r\nHost x\r\n\r\n"s,  // no colon
           "GET / HTTP/1.1\r\nHo st: x\r\n\r\n"s,
           "GET / HTTP/1.1\r\nHost: x\r\nA: \x01\r\n\r\n"s,
           "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n"s,
           "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"s,
           "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"s,
           "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"s,
           "G\x01T / HTTP/1.1\r\nHost: x\r\n\r\n"s,
           "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"s,  // TLS to a plain port
           "--frame\r\nContent-Type: image/jpeg\r\n\r\n"s,
       }) {
    CAPTURE(text);
    RequestParser parser;
    CHECK(feed(parser, text) == Status::Bad);
    CHECK(parser.error_status() == 400);
    CHECK_FALSE(parser.error_text().empty());
  }
}

TEST_CASE("RequestParser: two Host headers are refused, since only one of them is checked") {
  RequestParser parser;
  CHECK(feed(parser, "GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.com\r\n\r\n") == Status::Bad);
  CHECK(parser.error_status() == 400);
}

TEST_CASE("RequestParser: after a bad request nothing good can come") {
  RequestParser parser;
  REQUIRE(feed(parser, "nonsense\r\n\r\n") == Status::Bad);
  CHECK(feed(parser, kGet) == Status::Bad);
}

}  // namespace
