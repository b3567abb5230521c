#include "detect/motion.h"

#include <doctest/doctest.h>
#include <png.h>
#include <unistd.h>

#include <cmath>
#include <random>

using namespace fp;
using namespace fp::detect;
using namespace std::chrono_literals;

namespace {

constexpr jpeg::Size kFrame{1280, 720};
constexpr jpeg::Size kSmall{160, 90};

struct Square {
  int x = 0;
  int y = 0;
  int side_px = 0;
  int gray = 220;
};

jpeg::Planes scene(int gray, const Square& square = {}, jpeg::Size size = kSmall) {
  jpeg::Planes planes(size, jpeg::Sampling::Gray);
  for (int y = 0; y < size.height_px; ++y) {
    for (int x = 0; x < size.width_px; ++x) {
      const bool inside =
          x >= square.x && x < square.x + square.side_px && y >= square.y && y < square.y + square.side_px;
      planes.row(0, y)[x] = static_cast<std::uint8_t>(inside ? square.gray : gray + x / 8);
    }
  }
  return planes;
}

// Feeds frames 33 ms apart.
struct Watched {
  explicit Watched(MotionDetector::Options options = {}) : detector(std::move(options)) {}
  std::vector<Object> see(const jpeg::Planes& planes, const std::string& camera = "a") {
    now += 33ms;
    return detector.find(planes, kFrame, camera, now);
  }
  MotionDetector detector;
  WallTime now{1'763'688'000s};
};

bool near(double a, double b, double most = 16.1) { return std::abs(a - b) <= most; }

}  // namespace

TEST_CASE("MotionDetector: a square that moves is found at its place, in pixels of the frame") {
  Watched watched;
  CHECK(watched.see(scene(60)).empty());
  for (int step = 0; step < 10; ++step) {
    const Square square{20 + 4 * step, 30, 20};
    const auto objects = watched.see(scene(60, square));
    REQUIRE(objects.size() == 1);
    CHECK(objects[0].label == "motion");
    CHECK(objects[0].confidence > 0.8);
    CHECK(objects[0].confidence <= 1);
    REQUIRE(objects[0].box);
    // Where it was leaves a trace, so it is there, and little more.
    CHECK(near(objects[0].box->x + objects[0].box->width_px, (square.x + 20) * 8));
    CHECK(near(objects[0].box->y, 240));
    CHECK(near(objects[0].box->height_px, 160));
    CHECK(objects[0].box->width_px <= 20 * 8 + step * 32 + 16.1);
  }
}

TEST_CASE("MotionDetector: two squares far apart are two objects, the larger one first") {
  Watched watched;
  (void)watched.see(scene(60));
  jpeg::Planes planes = scene(60, {10, 10, 12});
  const jpeg::Planes other = scene(60, {100, 50, 24});
  for (int y = 50; y < 74; ++y) std::copy_n(other.row(0, y) + 100, 24, planes.row(0, y) + 100);
  const auto objects = watched.see(planes);
  REQUIRE(objects.size() == 2);
  CHECK(near(objects[0].box->x, 800));
  CHECK(near(objects[1].box->x, 80));
}

TEST_CASE("MotionDetector: what is smaller than the least area is not found") {
  MotionDetector::Options options;
  options.min_area_percent = 5;  // 720 of 14400
  Watched watched(options);
  (void)watched.see(scene(60));
  CHECK(watched.see(scene(60, {30, 30, 24})).empty());
  CHECK(watched.see(scene(60, {100, 30, 34})).size() == 1);
}

TEST_CASE("MotionDetector: the noise of a sensor is no motion") {
  std::minstd_rand random(7);
  std::normal_distribution<double> noise(0, 8);
  Watched watched;
  for (int frame = 0; frame < 100; ++frame) {
    jpeg::Planes planes = scene(60);
    for (int y = 0; y < kSmall.height_px; ++y) {
      for (int x = 0; x < kSmall.width_px; ++x) {
        planes.row(0, y)[x] = static_cast<std::uint8_t>(std::clamp(planes.row(0, y)[x] + noise(random), 0.0, 255.0));
      }
    }
    REQUIRE(watched.see(planes).empty());
  }
}

TEST_CASE("MotionDetector: light that changes slowly is no motion, and a square is still found in it") {
  Watched watched;
  for (int frame = 0; frame < 600; ++frame) REQUIRE(watched.see(scene(40 + frame / 8)).empty());  // 4 levels a second
  CHECK(watched.see(scene(115, {50, 50, 20, 250})).size() == 1);
}

TEST_CASE("MotionDetector: light that is switched on is learnt at once, and not reported") {
  Watched watched;
  (void)watched.see(scene(30));
  CHECK(watched.see(scene(180)).empty());
  CHECK(watched.see(scene(180)).empty());
  CHECK(watched.see(scene(180, {50, 50, 20, 30})).size() == 1);
}

TEST_CASE("MotionDetector: what stays becomes a part of the picture after a while, by capture time") {
  for (const auto interval : {20ms, 500ms}) {
    Watched watched;
    const jpeg::Planes square = scene(60, {50, 50, 20, 120});
    (void)watched.see(scene(60));
    const WallTime begin = watched.now;
    const auto seen = [&] {
      watched.now += interval - 33ms;
      return !watched.see(square).empty();
    };
    while (watched.now < begin + 1s) CHECK(seen());
    while (watched.now < begin + 5s) (void)seen();
    CHECK_FALSE(seen());
  }
}

TEST_CASE("MotionDetector: each camera has a mean of its own") {
  Watched watched;
  (void)watched.see(scene(60), "a");
  (void)watched.see(scene(60, {50, 50, 30}), "b");
  CHECK(watched.see(scene(60), "a").empty());
  CHECK(watched.see(scene(60, {50, 50, 30}), "b").empty());
  CHECK(watched.see(scene(60), "b").size() == 1);
}

TEST_CASE("MotionDetector: a picture of no camera's finds nothing and teaches nothing") {
  Watched watched;
  (void)watched.see(scene(60));
  for (int i = 0; i < 50; ++i) {
    CHECK(watched.detector.find(scene(60, {50, 50, 30}), kFrame, "a", watched.now + 1s * i, /*one_off=*/true).empty());
    CHECK(watched.detector.find(scene(200), kFrame, "b", watched.now, /*one_off=*/true).empty());
  }
  CHECK(watched.detector.cameras() == 1);
  CHECK(watched.see(scene(60)).empty());
  CHECK(watched.see(scene(60, {50, 50, 30})).size() == 1);
}

TEST_CASE("MotionDetector: remembers 64 cameras, and forgets the one that was not seen for the longest time") {
  Watched watched;
  for (int i = 0; i < 64; ++i) (void)watched.see(scene(60), std::to_string(i));
  (void)watched.see(scene(60), "0");
  (void)watched.see(scene(60), "new");
  CHECK(watched.detector.cameras() == 64);
  CHECK(watched.see(scene(60, {50, 50, 30}), "0").size() == 1);
  CHECK(watched.see(scene(60, {50, 50, 30}), "1").empty());  // begun anew
}

TEST_CASE("MotionDetector: a frame of another size begins anew, and a larger one is compared in a smaller size") {
  Watched watched;
  (void)watched.see(scene(60));
  CHECK(watched.see(scene(60, {}, {641, 359})).empty());
  const auto objects = watched.see(scene(60, {320, 80, 80}, {641, 359}));
  REQUIRE(objects.size() == 1);
  CHECK(near(objects[0].box->x, 640, 20));
  CHECK(near(objects[0].box->y, 160, 20));
  CHECK(near(objects[0].box->width_px, 160, 30));
}

TEST_CASE("MotionDetector: any shape of picture and any time of capture is lived with") {
  MotionDetector::Options options;
  options.zones = {{{0, 0}, {1, 0}, {1, 1}}};
  options.mask = Mask{{1, 1}, {255}};
  MotionDetector detector(options);
  for (const jpeg::Size size : {jpeg::Size{1, 1}, {16384, 1}, {1, 16384}, {13, 7}, {4096, 4096}}) {
    for (const WallTime time : {WallTime::max(), WallTime{}, WallTime::max()}) {
      for (const int gray : {60, 90}) {
        for (const Object& object : detector.find(scene(gray, {}, size), size, "a", time)) {
          CHECK(object.box->x + object.box->width_px <= size.width_px);
        }
      }
    }
  }
}

TEST_CASE("MotionDetector: looks only into its zones, whichever it is") {
  MotionDetector::Options options;
  options.zones = {parse_zone("0,0,.5,0,.5,.5,0,.5").value(), parse_zone("0.5,0.5,1,0.5,1,1,0.5,1").value()};
  const auto finds = [&](const Square& square) {
    Watched watched(options);
    (void)watched.see(scene(60));
    return watched.see(scene(60, square)).size() == 1;
  };
  CHECK(finds({10, 10, 20}));
  CHECK(finds({120, 60, 20}));
  CHECK_FALSE(finds({120, 10, 20}));
  CHECK_FALSE(finds({10, 60, 20}));
}

TEST_CASE("MotionDetector: does not look where the mask is dark, whatever its size") {
  MotionDetector::Options options;
  options.mask = Mask{{2, 1}, {0, 255}};
  Watched watched(options);
  (void)watched.see(scene(60));
  CHECK(watched.see(scene(60, {10, 30, 20})).empty());
  const auto objects = watched.see(scene(60, {100, 30, 20}));
  REQUIRE(objects.size() == 1);
  CHECK(near(objects[0].box->x, 800));
}

TEST_CASE("MotionDetector: what fills a zone is found there, and light in all of the picture is not") {
  MotionDetector::Options options;
  options.zones = {parse_zone("0,0,.1,0,.1,.2,0,.2").value()};
  Watched watched(options);
  (void)watched.see(scene(30));
  CHECK(watched.see(scene(30, {0, 0, 40})).size() == 1);
  CHECK(watched.see(scene(180)).empty());
}

TEST_CASE("parse_zone: reads points, and says what is wrong with others") {
  const auto zone = parse_zone("0,0, 1,0.25,.5,1");
  REQUIRE(zone.has_value());
  REQUIRE(zone->size() == 3);
  CHECK(zone->at(1).x == 1);
  CHECK(zone->at(1).y == 0.25);
  for (const char* few : {"", "0,0", "0,0,1,1", "0,0,1,0,1", "0,0,1,0,1,1,0"}) {
    CAPTURE(few);
    CHECK(parse_zone(few).error().text.find("three points or more are needed, as x,y,x,y,x,y") != std::string::npos);
  }
  CHECK(parse_zone("0,0,1,0,1,1.5").error().text ==
        "zone '0,0,1,0,1,1.5': '1.5' is no share of the picture's width or height (0 to 1)");
  for (const char* bad : {"0,0,1,0,1,nan", "0,0,1,0,1,-1", "0,0,1,0,1,x", "0,0,1,0,1,"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_zone(bad).has_value());
  }
  std::string many = "0,0";
  for (int i = 0; i < 300; ++i) many += ",1,1";
  CHECK(parse_zone(many).error().text.find("more than 256 points") != std::string::npos);
}

TEST_CASE("read_mask: a PNG is gray, its transparency black; what is no picture is said by name") {
  char path[] = "/tmp/motion-test-XXXXXX";
  const int fd = ::mkstemp(path);
  REQUIRE(fd >= 0);
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = 3;
  image.height = 1;
  image.format = PNG_FORMAT_RGBA;
  const png_byte pixels[] = {255, 255, 255, 255, 0, 0, 0, 255, 255, 255, 255, 0};
  REQUIRE(::png_image_write_to_file(&image, path, 0, pixels, 0, nullptr) != 0);
  const auto mask = read_mask(path);
  REQUIRE(mask.has_value());
  CHECK(mask->size == jpeg::Size{3, 1});
  CHECK(mask->gray == std::vector<std::uint8_t>{255, 0, 0});

  REQUIRE(::ftruncate(fd, 20) == 0);
  CHECK(read_mask(path).error().text.starts_with(std::string(path) + ": cut off"));
  REQUIRE(::ftruncate(fd, 0) == 0);
  CHECK(read_mask(path).error().text == std::string(path) + ": neither a PNG nor a JPEG");
  ::close(fd);
  ::unlink(path);
  CHECK(read_mask(path).error().text == "open " + std::string(path) + ": No such file or directory");
}
