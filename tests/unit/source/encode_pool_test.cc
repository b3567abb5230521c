#include "source/encode_pool.h"

#include <doctest/doctest.h>
#include <poll.h>

namespace {

using namespace fp;

RawFrame raw(std::uint64_t sequence, int width = 64) {
  RawFrame one;
  one.layout = {RawFormat::Grey, {width, 64}, 0, true};
  one.bytes.assign(raw_bytes(one.layout), static_cast<std::uint8_t>(sequence));
  one.frame.sequence = sequence;
  return one;
}

FramePtr next(EncodePool& pool) {
  for (;;) {
    if (FramePtr frame = pool.take()) return frame;
    pollfd ready{pool.fd(), POLLIN, 0};
    REQUIRE(::poll(&ready, 1, 30'000) == 1);
  }
}

TEST_CASE("EncodePool: frames leave in the order they came in, however long each took") {
  EncodePool pool(4, 80);
  std::uint64_t put = 0;
  for (std::uint64_t out = 0; out < 200; ++out) {
    // Large and small ones in turn; never more than are worked on.
    while (put < 200 && put < out + 4 && !pool.full()) {
      CHECK_FALSE(pool.put(raw(put, put % 3 == 0 ? 2048 : 16)));
      ++put;
      while (pool.full() && put < out + 4) {
        pollfd ready{pool.fd(), POLLIN, 0};
        ::poll(&ready, 1, 1);
      }
    }
    CHECK(next(pool)->sequence == out);
  }
  CHECK(pool.idle());
}

TEST_CASE("EncodePool: while all are busy the newest waits, and what it replaces comes back") {
  EncodePool pool(1, 80);
  std::size_t replaced = 0;
  // Made beforehand: to make one may take longer than to encode one.
  std::vector<RawFrame> frames;
  for (std::uint64_t i = 0; i < 50; ++i) frames.push_back(raw(i, 8192));
  for (RawFrame& frame : frames) replaced += pool.put(std::move(frame)) ? 1 : 0;
  std::uint64_t last = 0;
  std::size_t got = 0;
  while (last < 49) {
    const FramePtr frame = next(pool);
    CHECK((got == 0 || frame->sequence > last));
    last = frame->sequence;
    ++got;
  }
  CHECK(got + replaced == 50);
  CHECK(replaced > 0);
}

TEST_CASE("EncodePool: a picture that cannot be encoded is left out, and the next one comes") {
  EncodePool pool(1, 80);
  RawFrame broken = raw(0);
  broken.bytes.resize(10);
  (void)pool.put(std::move(broken));
  while (!pool.idle() && pool.failed() == 0) (void)pool.take();
  (void)pool.put(raw(1));
  CHECK(next(pool)->sequence == 1);
  CHECK(pool.failed() == 1);
}

}  // namespace
