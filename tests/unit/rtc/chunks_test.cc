#include "rtc/chunks.h"

#include <doctest/doctest.h>

#include <bit>
#include <limits>
#include <string>

namespace {

using namespace fp;
using namespace fp::rtc;

std::string number(std::uint64_t value, int bytes) {
  std::string text;
  for (int i = bytes; i-- > 0;) text += static_cast<char>(value >> (8 * i));
  return text;
}
std::string piece(std::uint32_t picture, unsigned index, unsigned count, const std::string& bytes,
                  double captured_ms = 0) {
  return number(picture, 4) + number(index, 2) + number(count, 2) +
         number(std::bit_cast<std::uint64_t>(captured_ms), 8) + bytes;
}
struct Page {
  Chunks chunks{100};
  // The picture that was made whole; "-": none.
  std::string send(const std::string& message) {
    last = chunks.add(as_bytes(message));
    return last ? std::string(as_text(last->bytes)) : "-";
  }
  std::optional<IncomingPicture> last;
};

TEST_CASE("Chunks: a picture in pieces comes out whole, with its number and time") {
  Page page;
  CHECK(page.send(piece(7, 0, 3, "one ", 1700000000123.5)) == "-");
  CHECK(page.send(piece(7, 1, 3, "two ", 1700000000123.5)) == "-");
  CHECK(page.send(piece(7, 2, 3, "three", 1700000000123.5)) == "one two three");
  CHECK(page.last->number == 7U);
  CHECK(page.last->captured_ms == 1700000000123.5);
  CHECK(page.chunks.figures().pictures == 1);
}

TEST_CASE("Chunks: pieces may come in any order, and those of several pictures between each other") {
  Page page;
  CHECK(page.send(piece(1, 1, 2, "B")) == "-");
  CHECK(page.send(piece(2, 1, 2, "D")) == "-");
  CHECK(page.send(piece(1, 0, 2, "A")) == "AB");
  CHECK(page.send(piece(2, 0, 2, "C")) == "CD");
  CHECK(page.chunks.figures().incomplete == 0);
}

TEST_CASE("Chunks: a time that is none, or none that can be, is not known") {
  Page page;
  std::uint32_t count = 0;
  for (const double ms : {0.0, -1.0, 1e14, std::numeric_limits<double>::infinity(),
                          std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::max()}) {
    CHECK(page.send(piece(++count, 0, 1, "x", ms)) == "x");
    CHECK_FALSE(page.last->captured_ms);
  }
}

TEST_CASE("Chunks: a message that begins as a JPEG or a PNG is a picture by itself") {
  Page page;
  for (const std::string& picture : {std::string("\xff\xd8\xff\xe0 and so on"), std::string("\x89PNG\r\n\x1a\n...")}) {
    CHECK(page.send(picture) == picture);
    CHECK_FALSE(page.last->number);
    CHECK_FALSE(page.last->captured_ms);
  }
  CHECK(page.send("\xff\xd8\xff" + std::string(98, 'x')) == "-");
  CHECK(page.chunks.figures().too_large == 1);
}

TEST_CASE("Chunks: when a picture is whole, older ones are given up and their pieces are late") {
  Page page;
  CHECK(page.send(piece(1, 0, 2, "A")) == "-");
  CHECK(page.send(piece(3, 0, 2, "E")) == "-");
  CHECK(page.send(piece(2, 0, 1, "C")) == "C");
  CHECK(page.send(piece(1, 1, 2, "B")) == "-");
  CHECK(page.send(piece(2, 0, 1, "C")) == "-");
  CHECK(page.chunks.figures().incomplete == 1);
  CHECK(page.chunks.figures().late == 2);
  CHECK(page.send(piece(3, 1, 2, "F")) == "EF");
}

TEST_CASE("Chunks: the oldest of too many gives way") {
  Page page;
  for (std::uint32_t i = 1; i <= Chunks::kMaxOpen + 1; ++i) CHECK(page.send(piece(i, 0, 2, "x")) == "-");
  CHECK(page.chunks.figures().incomplete == 1);
  CHECK(page.send(piece(1, 1, 2, "y")) == "-");
  CHECK(page.chunks.figures().late == 1);
  CHECK(page.send(piece(2, 1, 2, "y")) == "xy");
}

TEST_CASE("Chunks: numbers may wrap, and a page may begin anew") {
  Page page;
  CHECK(page.send(piece(0xFFFFFFFEU, 0, 1, "a")) == "a");
  CHECK(page.send(piece(0, 0, 1, "b")) == "b");
  CHECK(page.send(piece(0xFFFFFFFFU, 0, 1, "late")) == "-");
  CHECK(page.send(piece(1000, 0, 1, "c")) == "c");
  CHECK(page.send(piece(0, 0, 1, "anew")) == "anew");
}

TEST_CASE("Chunks: malformed messages are counted, and change nothing") {
  Page page;
  CHECK(page.send(piece(1, 0, 2, "A")) == "-");
  for (const std::string& message :
       {std::string(), std::string("x"), piece(1, 1, 2, ""), piece(1, 2, 2, "B"), piece(1, 0, 0, "B"),
        piece(1, 1, 4097, "B"), piece(1, 1, 3, "B"), piece(1, 0, 2, "B")}) {
    CHECK(page.send(message) == "-");
  }
  CHECK(page.chunks.figures().malformed == 8);
  CHECK(page.send(piece(1, 1, 2, "B")) == "AB");
}

TEST_CASE("Chunks: a picture over the limit is counted once, and the rest of it ignored") {
  Page page;
  CHECK(page.send(piece(1, 0, 3, std::string(60, 'x'))) == "-");
  CHECK(page.send(piece(1, 1, 3, std::string(41, 'x'))) == "-");
  CHECK(page.send(piece(1, 1, 3, "x")) == "-");
  CHECK(page.send(piece(1, 2, 3, "x")) == "-");
  CHECK(page.chunks.figures().too_large == 1);
  CHECK(page.chunks.figures().malformed == 0);
  CHECK(page.send(piece(2, 0, 2, std::string(60, 'x'))) == "-");
  CHECK(page.send(piece(2, 1, 2, std::string(40, 'x'))) == std::string(100, 'x'));
  CHECK(page.chunks.figures().incomplete == 0);
}

}  // namespace
