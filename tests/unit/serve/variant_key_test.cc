#include "serve/variant_key.h"

#include <doctest/doctest.h>

#include <set>

namespace {

using namespace fp;

TEST_CASE("VariantKey: its name says what was asked for") {
  CHECK(VariantKey{}.name().empty());
  CHECK(VariantKey{.quality_percent = 80}.name() == "q80");
  CHECK(VariantKey{.width_px = 640}.name() == "w640");
  CHECK(VariantKey{.quality_percent = 30, .width_px = 640, .height_px = 480, .half = true}.name() == "q30w640h480half");
}

TEST_CASE("VariantKey: nothing asked for is the camera's own picture") {
  CHECK(VariantKey{}.nothing());
  CHECK_FALSE(VariantKey{.quality_percent = 1}.nothing());
  CHECK_FALSE(VariantKey{.half = true}.nothing());
}

TEST_CASE("VariantKey: equal wishes are one key, others are not") {
  const std::set<VariantKey> keys = {
      {}, {.quality_percent = 80}, {.width_px = 80}, {.height_px = 80}, {.half = true}, {.quality_percent = 80}};
  CHECK(keys.size() == 5);
}

TEST_CASE("VariantKey: no side of a picture grows, whatever is asked for") {
  const jpeg::Size picture{640, 480};
  for (const VariantKey& key : {VariantKey{.width_px = 8192, .height_px = 8192}, VariantKey{.width_px = 8192},
                                VariantKey{.height_px = 8192}, VariantKey{.width_px = 640, .height_px = 480}}) {
    const auto geometry = jpeg::plan(picture, key.wishes(picture));
    REQUIRE(geometry);
    CHECK(geometry->nothing());
  }
  const VariantKey narrow{.width_px = 320, .height_px = 8192};
  CHECK(jpeg::plan(picture, narrow.wishes(picture)).value().to == jpeg::Size{320, 480});
}

TEST_CASE("VariantKey: one side alone keeps the proportions, and half goes on top") {
  const jpeg::Size picture{640, 480};
  CHECK(jpeg::plan(picture, VariantKey{.width_px = 320}.wishes(picture)).value().to == jpeg::Size{320, 240});
  CHECK(jpeg::plan(picture, VariantKey{.height_px = 120}.wishes(picture)).value().to == jpeg::Size{160, 120});
  const VariantKey half{.width_px = 320, .half = true};
  CHECK(jpeg::plan(picture, half.wishes(picture)).value().to == jpeg::Size{160, 120});
}

}  // namespace
