#include "mqtt/received.h"

#include <doctest/doctest.h>

#include "support/jpegs.h"
#include "support/make_frame.h"

namespace {

using namespace fp;

constexpr std::size_t kMost = 1u << 20;
const WallTime kNow{std::chrono::seconds(1'800'000'000)};

std::optional<mqtt::Received> read(const std::string& payload, Skips& skips, std::size_t most = kMost) {
  return mqtt::read_payload(as_bytes(payload), kNow, most, skips);
}

TEST_CASE("read_payload: a bare JPEG has the time of its arrival") {
  const std::string jpeg = test::make_jpeg(1);
  Skips skips;
  const auto received = read(jpeg, skips);
  REQUIRE(received.has_value());
  CHECK(as_text(received->frame.jpeg.view()) == jpeg);
  CHECK(received->frame.captured == kNow);
  CHECK_FALSE(received->dated);
  CHECK_FALSE(received->numbered);
}

TEST_CASE("read_payload: a frame with its headers keeps them, but for orders to filters") {
  Frame sent = *test::make_frame(41);
  sent.extra = {{"X-Detections", R"({"objects":[]})"}, {"X-Gate", "open"}};
  Skips skips;
  const auto received = read(test::part_of(sent), skips);
  REQUIRE(received.has_value());
  CHECK(received->dated);
  CHECK(received->numbered);
  CHECK(received->frame.captured == sent.captured);
  CHECK(received->frame.sequence == 41);
  REQUIRE(received->frame.extra.size() == 1);
  CHECK(received->frame.extra.front().name == "X-Detections");
}

TEST_CASE("read_payload: what is no whole JPEG is counted by its reason") {
  const std::string jpeg = test::make_jpeg(1);
  Skips skips;
  CHECK_FALSE(read("", skips).has_value());
  CHECK(skips.of(Skip::Empty) == 1);
  CHECK_FALSE(read(jpeg.substr(0, jpeg.size() - 9), skips).has_value());
  CHECK(skips.of(Skip::Truncated) == 1);
  CHECK_FALSE(read("online", skips).has_value());
  CHECK(skips.total() == 3);
}

TEST_CASE("read_payload: a payload over the limit is not looked at") {
  Skips skips;
  CHECK_FALSE(read(std::string(1u << 20, 'x'), skips, 4096).has_value());
  CHECK(skips.of(Skip::TooLarge) == 1);
  CHECK(skips.bytes == 1u << 20);
}

}  // namespace
