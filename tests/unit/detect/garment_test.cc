#include "detect/garment.h"

#include <doctest/doctest.h>
#include <png.h>
#include <unistd.h>

#include <cmath>
#include <functional>
#include <limits>

#include "jpeg/encoder.h"
#include "support/planes.h"

using namespace fp;
using namespace fp::detect;

namespace {

struct Pixel {
  int red = 0;
  int green = 0;
  int blue = 0;
  int opacity = 255;
};
constexpr Pixel kRed{220, 30, 40};
constexpr Pixel kBlue{20, 60, 200};

// A file with `bytes` in it, for the time of a test.
struct Written {
  explicit Written(std::string_view bytes) {
    const int fd = ::mkstemp(path);
    REQUIRE(fd >= 0);
    REQUIRE(::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    ::close(fd);
  }
  ~Written() { ::unlink(path); }
  Written(const Written&) = delete;
  Written& operator=(const Written&) = delete;
  char path[32] = "/tmp/garment-test-XXXXXX";
};

std::string make_png(jpeg::Size size, const std::function<Pixel(int x, int y)>& pixel) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(size.width_px);
  image.height = static_cast<png_uint_32>(size.height_px);
  image.format = PNG_FORMAT_RGBA;
  std::vector<png_byte> pixels;
  for (int y = 0; y < size.height_px; ++y) {
    for (int x = 0; x < size.width_px; ++x) {
      const Pixel at = pixel(x, y);
      for (const int value : {at.red, at.green, at.blue, at.opacity}) pixels.push_back(static_cast<png_byte>(value));
    }
  }
  png_alloc_size_t bytes = 0;
  REQUIRE(::png_image_write_to_memory(&image, nullptr, &bytes, 0, pixels.data(), 0, nullptr) != 0);
  std::string png(bytes, '\0');
  REQUIRE(::png_image_write_to_memory(&image, png.data(), &bytes, 0, pixels.data(), 0, nullptr) != 0);
  return png;
}

Garment load(std::string_view bytes) {
  const Written file(bytes);
  auto garment = Garment::load(file.path);
  REQUIRE(garment.has_value());
  return std::move(*garment);
}

// Red on the left, blue on the right.
Garment two_colours(jpeg::Size size = {100, 120}) {
  return load(make_png(size, [&](int x, int) { return 2 * x < size.width_px ? kRed : kBlue; }));
}

Garment flat(const Pixel& pixel) {
  return load(make_png({40, 40}, [&](int, int) { return pixel; }));
}

// Faces the camera: the left shoulder is on the picture's right.
Object pose(double left_x = 400, double right_x = 240, double shoulders_y = 150, double hips_y = 350) {
  Object object;
  object.keypoints.resize(17, {0, 0, 1});
  object.keypoints[5] = {left_x, shoulders_y, 0.9};
  object.keypoints[6] = {right_x, shoulders_y, 0.9};
  object.keypoints[11] = {left_x - (left_x - right_x) / 6, hips_y, 0.9};
  object.keypoints[12] = {right_x + (left_x - right_x) / 6, hips_y, 0.9};
  return object;
}

jpeg::Planes gray_picture(jpeg::Sampling sampling, jpeg::Size size = {640, 480}) {
  jpeg::Planes planes(size, sampling);
  for (int index = 0; index < planes.count(); ++index) {
    const jpeg::Size padded = planes.layout().padded(index);
    std::fill_n(planes.plane(index), padded.width_px * padded.height_px, std::uint8_t{120});
  }
  return planes;
}

bool shows(const jpeg::Planes& planes, int x, int y, const Pixel& pixel, int most = 3) {
  const jpeg::Colour colour = jpeg::Colour::rgb(pixel.red, pixel.green, pixel.blue);
  if (std::abs(planes.row(0, y)[x] - colour.y) > most) return false;
  if (planes.count() == 1) return true;
  const int across = x / jpeg::chroma_divisor_x(planes.sampling());
  const int down = y / jpeg::chroma_divisor_y(planes.sampling());
  return std::abs(planes.row(1, down)[across] - colour.cb) <= most &&
         std::abs(planes.row(2, down)[across] - colour.cr) <= most;
}

}  // namespace

TEST_CASE("Garment: covers the torso and more, its left on the picture's left for who faces the camera") {
  const Garment garment = two_colours();
  for (const jpeg::Sampling sampling : test::kSamplings) {
    CAPTURE(static_cast<int>(sampling));
    jpeg::Planes planes = gray_picture(sampling);
    REQUIRE(garment.draw(planes, pose()));
    // The shoulders: 160 apart, so 216 wide; the torso: 200 long, so from 110 to 380.
    for (const int y : {116, 200, 374}) {
      CHECK(shows(planes, 250, y, kRed));
      CHECK(shows(planes, 390, y, kBlue));
    }
    CHECK(shows(planes, 222, 116, kRed));
    CHECK(shows(planes, 416, 116, kBlue));
    const int gray = 120;
    for (const auto& [x, y] : {std::pair{204, 112}, {436, 112}, {320, 104}, {320, 386}, {204, 370}}) {
      CHECK(planes.row(0, y)[x] == gray);
    }
    if (planes.count() == 3) CHECK(planes.row(1, 0)[0] == gray);
  }
}

TEST_CASE("Garment: is mirrored on who is seen from behind") {
  jpeg::Planes planes = gray_picture(jpeg::Sampling::Yuv420);
  REQUIRE(two_colours().draw(planes, pose(240, 400)));
  CHECK(shows(planes, 250, 200, kBlue));
  CHECK(shows(planes, 390, 200, kRed));
}

TEST_CASE("Garment: leans with who leans") {
  Object object;
  object.keypoints.resize(17, {0, 0, 1});
  // A quarter turn clockwise: the head points to the right.
  object.keypoints[5] = {400, 300, 1};
  object.keypoints[6] = {400, 140, 1};
  object.keypoints[11] = {200, 270, 1};
  object.keypoints[12] = {200, 170, 1};
  jpeg::Planes planes = gray_picture(jpeg::Sampling::Yuv422);
  REQUIRE(two_colours().draw(planes, object));
  CHECK(shows(planes, 300, 160, kRed));
  CHECK(shows(planes, 300, 280, kBlue));
}

TEST_CASE("Garment: what is transparent lets the picture through, and brings no colour of its own to an edge") {
  jpeg::Planes planes = gray_picture(jpeg::Sampling::Yuv420);
  const jpeg::Planes before = planes;
  REQUIRE(flat({255, 255, 255, 0}).draw(planes, pose()));
  CHECK(test::difference(before, planes) == 0);

  REQUIRE(flat({255, 255, 255, 128}).draw(planes, pose()));
  CHECK(std::abs(planes.row(0, 250)[320] - 188) <= 2);
  CHECK(std::abs(planes.row(1, 125)[160] - 124) <= 2);

  planes = gray_picture(jpeg::Sampling::Yuv444);
  // White where it cannot be seen: nothing between gray and black may become lighter than both.
  REQUIRE(load(make_png({40, 40}, [](int x, int) {
            return x < 20 ? Pixel{255, 255, 255, 0} : Pixel{0, 0, 0, 255};
          })).draw(planes, pose()));
  int lightest = 0;
  for (int x = 0; x < 640; ++x) lightest = std::max<int>(lightest, planes.row(0, 250)[x]);
  CHECK(lightest <= 121);
  CHECK(planes.row(0, 250)[360] == 0);
}

TEST_CASE("Garment: a pose without both shoulders and both hips changes nothing") {
  const Garment garment = flat(kRed);
  const jpeg::Planes before = gray_picture(jpeg::Sampling::Yuv420);
  const auto refuses = [&](const Object& object) {
    jpeg::Planes planes = before;
    return !garment.draw(planes, object) && test::difference(before, planes) == 0;
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const std::size_t index : {5u, 6u, 11u, 12u}) {
    for (const Keypoint& bad : {Keypoint{300, 200, 0.29},
                                {300, 200, nan},
                                {nan, 200, 1},
                                {300, 1e30, 1},
                                {std::numeric_limits<double>::infinity(), 200, 1}}) {
      Object object = pose();
      object.keypoints[index] = bad;
      CHECK(refuses(object));
    }
  }
  Object short_pose = pose();
  short_pose.keypoints.resize(12);
  CHECK(refuses(short_pose));
  CHECK(refuses({}));
  Object unsure = pose();
  unsure.keypoints[5].confidence = 0.1;
  jpeg::Planes planes = before;
  CHECK(garment.draw(planes, unsure, /*least_keypoint=*/0.05));
}

TEST_CASE("Garment: a torso that is a line, a point or crossed changes nothing") {
  const Garment garment = flat(kRed);
  const jpeg::Planes before = gray_picture(jpeg::Sampling::Yuv420);
  Object crossed = pose();
  std::swap(crossed.keypoints[11], crossed.keypoints[12]);
  for (const Object& object : {pose(320, 320), pose(400, 240, 200, 200), pose(320, 320, 200, 200), crossed}) {
    jpeg::Planes planes = before;
    CHECK_FALSE(garment.draw(planes, object));
    CHECK(test::difference(before, planes) == 0);
  }
}

TEST_CASE("Garment: only the part within the picture is drawn, and none of it when there is none") {
  const Garment garment = two_colours();
  for (const jpeg::Sampling sampling : test::kSamplings) {
    for (const jpeg::Size size : {jpeg::Size{1, 1}, {13, 7}, {7, 13}, {641, 359}}) {
      for (const auto& [x, y] : {std::pair{-80.0, -100.0}, {0.0, 0.0}, {3.0, 3.0}, {600.0, 300.0}}) {
        jpeg::Planes planes = gray_picture(sampling, size);
        (void)garment.draw(planes, pose(x + 160, x, y, y + 200));
        jpeg::Planes padded = planes;
        padded.pad_edges();
        CHECK(std::equal(planes.plane(0), planes.plane(0) + planes.stride(0), padded.plane(0)));
      }
    }
  }
  jpeg::Planes planes = gray_picture(jpeg::Sampling::Yuv420);
  REQUIRE(garment.draw(planes, pose(80, -80)));
  CHECK(shows(planes, 20, 200, kBlue));
  CHECK(shows(planes, 0, 200, kBlue, 60));

  planes = gray_picture(jpeg::Sampling::Yuv420);
  CHECK(garment.draw(planes, pose(1500, 1340)));
  CHECK(test::difference(planes, gray_picture(jpeg::Sampling::Yuv420)) == 0);
}

TEST_CASE("Garment: a large picture is drawn small without glittering") {
  // Lines of a pixel: their mean is what is seen from afar.
  const Garment garment = load(make_png({3000, 600}, [](int x, int) {
    return x % 2 == 0 ? Pixel{255, 255, 255} : Pixel{0, 0, 0};
  }));
  jpeg::Planes planes = gray_picture(jpeg::Sampling::Yuv420);
  REQUIRE(garment.draw(planes, pose(360, 280, 200, 300)));
  for (int x = 300; x < 340; ++x) CHECK(std::abs(planes.row(0, 250)[x] - 127) <= 12);
}

TEST_CASE("Garment: a JPEG is opaque all over") {
  jpeg::Picture picture({31, 17});
  picture.fill(0, 0, 31, 17, jpeg::Colour::rgb(20, 60, 200));
  const Blob jpeg = jpeg::Encoder().encode(picture, 95).value();
  jpeg::Planes planes = gray_picture(jpeg::Sampling::Yuv444);
  REQUIRE(load(as_text(jpeg.view())).draw(planes, pose()));
  CHECK(shows(planes, 320, 250, kBlue, 6));
}

TEST_CASE("Garment: a picture of a pixel is large enough") {
  jpeg::Planes planes = gray_picture(jpeg::Sampling::Yuv420);
  REQUIRE(load(make_png({1, 1}, [](int, int) { return kRed; })).draw(planes, pose()));
  CHECK(shows(planes, 320, 240, kRed));
}

TEST_CASE("Garment: a file that is no picture, damaged, cut off, too large or not there is refused by name") {
  const std::string png = make_png({8, 8}, [](int, int) { return kRed; });
  const auto reason = [](std::string_view bytes) {
    const Written file(bytes);
    const auto garment = Garment::load(file.path);
    REQUIRE_FALSE(garment.has_value());
    REQUIRE(garment.error().text.starts_with(std::string(file.path) + ": "));
    return garment.error().text.substr(std::string_view(file.path).size() + 2);
  };
  CHECK(reason("shirt") == "neither a PNG nor a JPEG");
  CHECK(reason("") == "neither a PNG nor a JPEG");
  for (std::size_t size = 8; size + 8 < png.size(); ++size) CHECK(reason(png.substr(0, size)).starts_with("cut off"));
  for (std::size_t at = 12; at + 12 < png.size(); ++at) {
    std::string damaged = png;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x55);
    const Written file(damaged);
    (void)Garment::load(file.path);  // refused or read, and nothing else
  }
  CHECK(reason("\xFF\xD8\xFF\xD9").starts_with("decode: "));
  CHECK(reason(make_png({16385, 1}, [](int, int) { return kRed; })) == "png: 16385x1 is too large");
  CHECK(Garment::load("/nowhere/shirt.png").error().text == "open /nowhere/shirt.png: No such file or directory");
}
