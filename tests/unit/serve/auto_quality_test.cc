#include "serve/auto_quality.h"

#include <doctest/doctest.h>

#include "support/fake_clock.h"

namespace {

using namespace fp;
using namespace std::chrono_literals;

struct Site {
  test::FakeClock clock;
  AutoQuality automatic{{.width_px = 640}, 10, clock};
  std::uint64_t frames = 0;
  std::vector<VariantKey> seen{automatic.key()};

  void judge() {
    (void)automatic.judge(++frames);
    if (automatic.key() != seen.back()) seen.push_back(automatic.key());
  }
  // A viewer that needs so long for each of `count` frames of a camera with ten a second.
  void watch(int count, std::chrono::milliseconds each) {
    for (int i = 0; i < count; ++i) {
      automatic.begin();
      judge();
      clock.tick(each);
      automatic.taken();
      judge();
      if (each < 100ms) clock.tick(100ms - each);
    }
  }
};

TEST_CASE("AutoQuality: begins with the best, in the size that was asked for") {
  const Site site;
  CHECK(site.automatic.key() == VariantKey{.quality_percent = 90, .width_px = 640});
}

TEST_CASE("AutoQuality: a slow viewer goes down step by step to half the size, a fast one up again") {
  Site site;
  site.watch(100, 500ms);
  std::vector<VariantKey> wanted;
  for (int quality = 90; quality >= 30; quality -= 10) wanted.push_back({.quality_percent = quality, .width_px = 640});
  wanted.push_back({.quality_percent = 30, .width_px = 640, .half = true});
  CHECK(site.seen == wanted);
  site.watch(2000, 10ms);
  CHECK(site.automatic.key() == wanted.front());
}

TEST_CASE("AutoQuality: a viewer that takes frames in time stays with the best") {
  Site site;
  site.watch(500, 90ms);
  CHECK(site.seen.size() == 1);
}

TEST_CASE("AutoQuality: a viewer that takes nothing at all goes down, too") {
  Site site;
  site.automatic.begin();
  for (int i = 0; i < 600; ++i) {
    site.clock.tick(100ms);
    site.judge();
  }
  CHECK(site.automatic.key().half);
}

TEST_CASE("AutoQuality: what it waits for in the new variant is not the viewer's fault") {
  Site site;
  site.automatic.begin();
  site.automatic.moved();
  for (int i = 0; i < 600; ++i) {
    site.clock.tick(100ms);
    site.judge();
  }
  CHECK(site.seen.size() == 1);
}

}  // namespace
