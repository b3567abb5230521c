#include "http/chunks.h"

#include <doctest/doctest.h>

#include <array>
#include <string>

namespace {

using namespace fp;
using http::ChunkDecoder;
using namespace std::string_literals;

struct Outcome {
  std::string data;
  bool done = false;
  bool bad = false;
  std::size_t taken = 0;
};

Outcome decode(const std::string& bytes, std::size_t portion, std::size_t room_size) {
  ChunkDecoder decoder;
  Outcome outcome;
  std::string room(room_size, '\0');
  while (outcome.taken < bytes.size() && !decoder.done() && !decoder.bad()) {
    const std::string piece = bytes.substr(outcome.taken, portion);
    const auto step = decoder.decode(as_bytes(piece), {reinterpret_cast<std::uint8_t*>(room.data()), room.size()});
    outcome.taken += step.taken;
    outcome.data += room.substr(0, step.given);
  }
  outcome.done = decoder.done();
  outcome.bad = decoder.bad();
  return outcome;
}
Outcome decode(const std::string& bytes) { return decode(bytes, bytes.size(), 4096); }

TEST_CASE("ChunkDecoder: gives the data in any portions, without sizes, extensions and trailers") {
  const std::string bytes = "5\r\nhello\r\n6;name=\"v\"\r\n world\r\n1 \n!\n00\r\nTrailer: x\r\nOther: y\r\n\r\nbehind";
  for (const std::size_t portion : {std::size_t{1}, std::size_t{3}, bytes.size()}) {
    for (const std::size_t room : {std::size_t{1}, std::size_t{4}, std::size_t{4096}}) {
      const Outcome outcome = decode(bytes, portion, room);
      CHECK(outcome.data == "hello world!");
      CHECK(outcome.done);
      CHECK(outcome.taken == bytes.size() - 6);
    }
  }
}

TEST_CASE("ChunkDecoder: sizes are hexadecimal, and have a limit") {
  CHECK(decode("A\r\n0123456789\r\n0\r\n\r\n").data == "0123456789");
  CHECK(decode("00000a\r\n0123456789\r\n0\r\n\r\n").data == "0123456789");
  CHECK(decode("ffffffffffffffff\r\n").bad);
  CHECK(decode("7fffffffffffffff\r\n").bad);
  CHECK(decode("000000000000000000\r\n").bad);
}

TEST_CASE("ChunkDecoder: what is malformed is refused") {
  CHECK(decode("5\r\nhello!").bad);
  CHECK(decode("5\r\nhello\r\n\r\n").bad);
  CHECK(decode("5\r\nhello\r\nxyz\r\n").bad);
  CHECK(decode("5x\r\nhello").bad);
  CHECK(decode("5;" + std::string(20'000, 'x')).bad);
  std::string trailers = "0\r\n";
  for (int i = 0; i < 3000; ++i) trailers += "A: b\r\n";
  CHECK(decode(trailers).bad);
}

TEST_CASE("ChunkDecoder: a stream that was announced in chunks and is not is handed through") {
  CHECK(decode("--frame\r\nContent-Length: 5\r\n").data == "--frame\r\nContent-Length: 5\r\n");
  CHECK(decode("\xFF\xD8\xFF"s).data == "\xFF\xD8\xFF");
}

TEST_CASE("ChunkDecoder: tells what data comes next, so that it can be read past it") {
  ChunkDecoder decoder;
  std::array<std::uint8_t, 16> room{};
  CHECK(decoder.data_ahead() == 0);
  const auto step = decoder.decode(as_bytes("10\r\nabc"), room);
  CHECK(step.given == 3);
  CHECK(decoder.data_ahead() == 13);
  decoder.skip_data(13);
  CHECK(decoder.data_ahead() == 0);
  decoder.decode(as_bytes("\r\n0\r\n\r\n"), room);
  CHECK(decoder.done());
}

TEST_CASE("ChunkDecoder: line ends behind data have an end") {
  ChunkDecoder decoder;
  std::array<std::uint8_t, 16> room{};
  decoder.decode(as_bytes("1\r\n-" + std::string(20'000, '\r')), room);
  CHECK(decoder.bad());
}

}  // namespace
