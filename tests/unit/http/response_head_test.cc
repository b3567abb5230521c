#include "http/response_head.h"

#include <doctest/doctest.h>

#include "base/text.h"

namespace {

using namespace fp;
using http::HeadReader;
using Status = HeadReader::Status;
using namespace std::string_literals;

const std::string kPlain = "HTTP/1.1 200 OK\r\nServer: cam\r\nContent-Type: image/jpeg\r\n\r\n";

struct Outcome {
  Status status = Status::More;
  http::ResponseHead head;
  std::string rest;
  std::string error;
};

Outcome read(const std::string& bytes, std::size_t portion = std::string::npos) {
  HeadReader reader;
  Outcome outcome;
  for (std::size_t at = 0; at < bytes.size() && outcome.status == Status::More; at += std::min(portion, bytes.size())) {
    const std::string piece = bytes.substr(at, portion);
    outcome.status = reader.feed(as_bytes(piece));
    if (outcome.status != Status::Done) continue;
    outcome.head = reader.head();
    outcome.rest = reader.take_rest() + bytes.substr(at + piece.size());
  }
  outcome.error = reader.error_text();
  return outcome;
}

std::string value(const Outcome& outcome, std::string_view name) {
  return std::string(outcome.head.header(name).value_or("none"));
}

TEST_CASE("HeadReader: a head is the same in any portions, and what follows it is kept") {
  for (const std::size_t portion : {std::string::npos, std::size_t{1}, std::size_t{7}}) {
    CAPTURE(portion);
    const Outcome outcome = read(kPlain + "\r\n--frame", portion);
    REQUIRE(outcome.status == Status::Done);
    CHECK(outcome.head.present);
    CHECK(outcome.head.status == 200);
    CHECK(outcome.head.reason == "OK");
    CHECK(outcome.head.headers.size() == 2);
    CHECK(value(outcome, "content-TYPE") == "image/jpeg");
    CHECK(outcome.rest == "\r\n--frame");
  }
}

TEST_CASE("HeadReader: first lines as cameras send them") {
  struct Case {
    std::string line;
    int status;
    std::string reason;
  };
  const Case cases[] = {
      {"HTTP/1.0 200 OK", 200, "OK"},
      {"HTTP/1.1 200", 200, ""},
      {"HTTP/1.1 200 ", 200, ""},
      {"ICY 200 OK", 200, "OK"},
      {"HTTP/1.1  404  Not Found", 404, "Not Found"},
      {"HTTP/2.0 500 no", 500, "no"},
  };
  for (const Case& one : cases) {
    CAPTURE(one.line);
    const Outcome outcome = read(one.line + "\r\nA: b\r\n\r\n", 3);
    REQUIRE(outcome.status == Status::Done);
    CHECK(outcome.head.status == one.status);
    CHECK(outcome.head.reason == one.reason);
    CHECK(value(outcome, "a") == "b");
  }
  CHECK(read("HTTP/1.1 404 Not Found\r\n\r\n").head.describe() == "404 Not Found");
  CHECK(read("HTTP/1.1 404\r\n\r\n").head.describe() == "404");
}

TEST_CASE("HeadReader: line ends may be LF, and blank lines may come first") {
  const Outcome outcome = read("\r\n\nHTTP/1.0 200 OK\nA: 1\r\nB: 2\n\nrest");
  REQUIRE(outcome.status == Status::Done);
  CHECK(value(outcome, "A") == "1");
  CHECK(value(outcome, "B") == "2");
  CHECK(outcome.rest == "rest");
}

TEST_CASE("HeadReader: lines that are no headers are left out, and folded ones are joined") {
  const Outcome outcome = read(
      "HTTP/1.1 200 OK\r\nno colon here\r\n folded behind it\r\nBad Name: 1\r\n: empty\r\nFold: a\r\n\t b\r\n  c\r\nX: "s +
      '\x01' + "\r\nNul: a"s + '\0' + "b\r\nGood:value\r\n\r\n");
  REQUIRE(outcome.status == Status::Done);
  CHECK(outcome.head.headers.size() == 2);
  CHECK(value(outcome, "Fold") == "a b c");
  CHECK(value(outcome, "Good") == "value");
}

TEST_CASE("HeadReader: a boundary ends a head whose blank line was forgotten") {
  const Outcome outcome = read("HTTP/1.0 200 OK\r\nA: b\r\n--frame\r\nContent-Type: image/jpeg\r\n\r\n");
  REQUIRE(outcome.status == Status::Done);
  CHECK(outcome.rest == "--frame\r\nContent-Type: image/jpeg\r\n\r\n");
}

TEST_CASE("HeadReader: interim answers are passed over, and Switching Protocols is not one") {
  const Outcome outcome = read("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + kPlain, 5);
  REQUIRE(outcome.status == Status::Done);
  CHECK(outcome.head.status == 200);
  CHECK(outcome.head.headers.size() == 2);
  CHECK(read("HTTP/1.1 101 Switching Protocols\r\n\r\n").head.status == 101);
}

TEST_CASE("HeadReader: bytes that are no head are the body of one that is not there") {
  for (const std::string& body : {"--frame\r\nContent-Type: image/jpeg\r\n\r\n"s, "\r\n--frame\r\n"s,
                                  "\xFF\xD8\xFF\xE0"s, "HTML"s, "I"s + "D3"}) {
    for (const std::size_t portion : {std::string::npos, std::size_t{1}}) {
      CAPTURE(body);
      const Outcome outcome = read(body, portion);
      REQUIRE(outcome.status == Status::Done);
      CHECK_FALSE(outcome.head.present);
      CHECK(outcome.head.status == 200);
      CHECK(outcome.rest == body);
    }
  }
}

TEST_CASE("HeadReader: what could become a head is waited for") {
  for (const char* begin : {"H", "HTTP", "I", "ICY", "\r\n", "\r\nHT", "HTTP/1.1 200 OK\r\nA: b\r\n"}) {
    CAPTURE(begin);
    CHECK(read(begin).status == Status::More);
  }
}

TEST_CASE("HeadReader: a head is bounded, whether it has line ends or not") {
  CHECK(read("HTTP/1.1 200 OK\r\nX: " + std::string(70'000, 'x'), 4096).status == Status::Bad);
  CHECK(read(std::string(70'000, '\n'), 4096).status == Status::Bad);
  std::string many = "HTTP/1.1 200 OK\r\n";
  while (many.size() < 70'000) many += "A: b\r\n";
  const Outcome outcome = read(many, 4096);
  CHECK(outcome.status == Status::Bad);
  CHECK(outcome.error == "the answer's head is over 64 KiB");
  CHECK(read("HTTP/1.1 200 OK\r\nX: " + std::string(60'000, 'x') + "\r\n\r\n", 4096).status == Status::Done);
}

TEST_CASE("HeadReader: a first line without a status is refused, and shown") {
  for (const std::string& line :
       {"HTTP/1.1"s, "HTTP/1.1 OK"s, "HTTP/1.1 20 OK"s, "HTTP/1.1 2000 OK"s, "HTTP/1.1 099 x"s}) {
    CAPTURE(line);
    const Outcome outcome = read(line + "\r\n\r\n");
    CHECK(outcome.status == Status::Bad);
    CHECK(outcome.error.find(line) != std::string::npos);
  }
}

TEST_CASE("ResponseHead: chunked is one of the transfer codings") {
  CHECK(read("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n").head.chunked());
  CHECK_FALSE(read(kPlain).head.chunked());
}

}  // namespace
