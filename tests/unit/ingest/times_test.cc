#include "webrtc-ingest/times.h"

#include <doctest/doctest.h>

#include <limits>

namespace {

using namespace fp;
using namespace fp::ingest;
using namespace std::chrono_literals;
using Json = nlohmann::ordered_json;

constexpr WallTime kNoon{1'763'688'000s};

TEST_CASE("Times: a line is about the frame that it names, else about the newest that was given") {
  Latencies all;
  Times times(all);
  CHECK(times.bind(Json::parse("{}"), kNoon) == nullptr);
  for (std::uint64_t number = 1; number <= 5; ++number) times.given(number, {}, kNoon + number * 1ms);
  CHECK(times.bind(Json::parse(R"({"sequence":3})"), kNoon + 10ms)->number == 3);
  CHECK(times.bind(Json::parse(R"({"word":"hello"})"), kNoon + 10ms)->number == 5);
  CHECK(times.bind(Json::parse(R"({"sequence":"three"})"), kNoon + 10ms)->number == 5);
  CHECK(times.bind(Json::parse(R"({"sequence":99})"), kNoon + 10ms) == nullptr);
  CHECK(all.processing.count() == 2);  // 5 once: the second line about it says nothing new of the time
}

TEST_CASE("Times: a page that counts anew means its new frames") {
  Latencies all;
  Times times(all);
  times.given(1, {}, kNoon);
  times.given(1, {}, kNoon + 1s);
  CHECK(times.bind(Json::parse(R"({"sequence":1})"), kNoon + 2s)->received == kNoon + 1s);
}

TEST_CASE("Times: of more than so many frames the oldest are forgotten") {
  Latencies all;
  Times times(all);
  for (std::uint64_t number = 0; number <= Times::kMostFrames; ++number) times.given(number, {}, kNoon);
  CHECK(times.bind(Json::parse(R"({"sequence":0})"), kNoon) == nullptr);
  CHECK(times.bind(Json::parse(R"({"sequence":1})"), kNoon) != nullptr);
}

TEST_CASE("Times: total is by the page's clock, processing by ours, and transfer is what is left") {
  Latencies all;
  Times times(all);
  const double page = ms_of(kNoon) - 5'000;  // a clock that is 5 s behind
  times.set_offset(5'000, 2);
  times.given(7, page, kNoon + 20ms);
  REQUIRE(times.bind(Json::parse("{}"), kNoon + 50ms));
  CHECK(times.end(7, page + 70));
  const auto near = [](Histogram::Duration is, std::chrono::milliseconds wanted) {
    return is > wanted - 1ms && is < wanted + 1ms;
  };
  CHECK(near(all.total.sum(), 70ms));
  CHECK(near(all.processing.sum(), 30ms));
  CHECK(near(all.transfer.sum(), 40ms));
  CHECK(near(all.upload.sum(), 20ms));
  CHECK(times.latencies().total.count() == 1);
  CHECK(all.describe().find("total 7") == 0);
}

TEST_CASE("Times: a T_end counts once, and not when it makes no sense") {
  Latencies all;
  Times times(all);
  const double page = ms_of(kNoon);
  times.given(1, page, kNoon);
  times.given(2, {}, kNoon);
  CHECK_FALSE(times.end(1, page - 1));
  CHECK_FALSE(times.end(1, page + 7'200'000));
  CHECK_FALSE(times.end(1, 1e300));
  CHECK_FALSE(times.end(1, -1e300));
  CHECK_FALSE(times.end(2, page + 1));
  CHECK_FALSE(times.end(3, page + 1));
  CHECK(times.end(1, page + 1));
  CHECK_FALSE(times.end(1, page + 1));
  CHECK(all.total.count() == 1);
  CHECK(all.transfer.count() == 0);  // there was no result
  CHECK(all.upload.count() == 0);    // and no offset
}

TEST_CASE("Times: a frame was captured when the page says so, where that can be") {
  Latencies all;
  Times times(all);
  const double page = ms_of(kNoon) + 3'600'000;  // a clock an hour ahead
  CHECK(times.captured(page - 40, kNoon) == kNoon);
  CHECK_FALSE(times.set_offset(std::numeric_limits<double>::infinity(), 0));
  CHECK_FALSE(times.set_offset(0, -1));
  CHECK_FALSE(times.set_offset(1e300, 0));
  CHECK_FALSE(times.offset_ms());
  REQUIRE(times.set_offset(-3'600'000, 3));
  CHECK(times.captured(page - 40, kNoon) == kNoon - 40ms);
  CHECK(times.captured(page + 40, kNoon) == kNoon);       // not after it has come
  CHECK(times.captured(page - 700'000, kNoon) == kNoon);  // nor long ago
  CHECK(times.captured(1e300, kNoon) == kNoon);
  CHECK(times.captured(std::nullopt, kNoon) == kNoon);
}

}  // namespace
