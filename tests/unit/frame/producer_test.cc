#include "frame/producer.h"

#include <doctest/doctest.h>

#include "support/io.h"
#include "support/make_frame.h"

namespace {

using namespace fp;
using namespace std::chrono_literals;

// Gives what it was told to, when its pipe is readable.
class Scripted final : public Producer {
 public:
  [[nodiscard]] Wait wait() const override { return {pipe.read.get(), false, until}; }
  FramePtr advance() override {
    ++advanced;
    return std::exchange(frame, nullptr);
  }
  [[nodiscard]] bool ended() const override { return over; }
  [[nodiscard]] std::uint64_t superseded() const override { return 0; }

  test::Pair pipe = test::make_pipe();
  std::optional<SteadyTime> until;
  FramePtr frame;
  bool over = false;
  int advanced = 0;
};

TEST_CASE("wait_frame: gives the frame when the producer's descriptor is readable") {
  Scripted producer;
  producer.frame = test::make_frame(7);
  REQUIRE(test::write_all(producer.pipe.write.get(), "x"));
  FramePtr frame;
  CHECK(wait_frame(producer, frame, -1, {}, std::nullopt, SystemClock()) == Next::Frame);
  REQUIRE(frame != nullptr);
  CHECK(frame->sequence == 7);
}

TEST_CASE("wait_frame: gives the frame when the producer's time has come") {
  Scripted producer;
  producer.frame = test::make_frame(7);
  producer.until = SystemClock().steady() + 1ms;
  FramePtr frame;
  CHECK(wait_frame(producer, frame, -1, {}, std::nullopt, SystemClock()) == Next::Frame);
}

TEST_CASE("wait_frame: stops before anything else when it is told to") {
  Scripted producer;
  producer.frame = test::make_frame(7);
  REQUIRE(test::write_all(producer.pipe.write.get(), "x"));
  const test::Pair stop = test::make_pipe();
  REQUIRE(test::write_all(stop.write.get(), "x"));
  FramePtr frame;
  CHECK(wait_frame(producer, frame, stop.read.get(), {}, std::nullopt, SystemClock()) == Next::Stopped);
  CHECK(frame == nullptr);
}

TEST_CASE("wait_frame: comes back when it is woken, and when its time is over") {
  Scripted producer;
  const test::Pair wake = test::make_pipe();
  FramePtr frame;
  CHECK(wait_frame(producer, frame, -1, std::array{wake.read.get()}, SystemClock().steady() + 1ms, SystemClock()) ==
        Next::Woken);
  REQUIRE(test::write_all(wake.write.get(), "x"));
  CHECK(wait_frame(producer, frame, -1, std::array{wake.read.get()}, std::nullopt, SystemClock()) == Next::Woken);
}

TEST_CASE("wait_frame: tells the end of the producer") {
  Scripted producer;
  producer.over = true;
  REQUIRE(test::write_all(producer.pipe.write.get(), "x"));
  FramePtr frame;
  CHECK(wait_frame(producer, frame, -1, {}, std::nullopt, SystemClock()) == Next::Ended);
}

}  // namespace
