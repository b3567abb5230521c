#include "jpeg/scan_check.h"

#include <doctest/doctest.h>

#include <array>
#include <random>
#include <string>

#include "jpeg/hygiene.h"
#include "support/jpegs.h"
#include "support/libjpeg.h"

namespace {

using namespace fp;
using Verdict = jpeg::ScanCheck::Verdict;

Verdict check(const std::string& jpeg) { return jpeg::ScanCheck().check(as_bytes(jpeg)); }

std::size_t scan_of(const std::string& jpeg) {
  jpeg::Walker walker;
  REQUIRE(walker.walk(as_bytes(jpeg)) == jpeg::Walker::Status::Done);
  return walker.info().first_scan_offset + 14;
}

// What a camera sees: slopes, edges and noise.
std::string natural(int width, int height) {
  std::minstd_rand random(3);
  std::vector<std::uint8_t> luma;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int edge = (x / 24 + y / 18) % 3 == 0 ? 70 : 0;
      luma.push_back(static_cast<std::uint8_t>(20 + x * 100 / width + y * 40 / height + edge +
                                               static_cast<int>(random() >> 8 & 15)));
    }
  }
  const std::vector<std::uint8_t> chroma(luma.begin(), luma.end());
  jpeg::Encoder encoder;
  const jpeg::PlaneView planes{{width, height},
                               jpeg::Sampling::Yuv422,
                               {luma.data(), chroma.data(), chroma.data()},
                               {width, width / 2, width / 2}};
  return std::string(as_text(encoder.encode_planes(planes, 80).value().view()));
}

TEST_CASE("ScanCheck: whole pictures of every sampling, size and kind of table pass") {
  for (const auto& [width, height] : {std::pair{80, 48}, {81, 47}, {1, 1}, {8, 8}, {17, 33}, {640, 480}}) {
    for (const bool optimised : {false, true}) {
      for (const unsigned restart : {0u, 1u, 3u, 8u}) {
        for (const int quality : {5, 50, 80, 100}) {
          CAPTURE(width);
          CAPTURE(height);
          CAPTURE(optimised);
          CAPTURE(restart);
          CAPTURE(quality);
          const std::string jpeg = test::make_libjpeg({.optimised = optimised,
                                                       .restart_mcus = restart,
                                                       .width_px = width,
                                                       .height_px = height,
                                                       .quality = quality});
          CHECK(check(jpeg) == Verdict::Whole);
        }
      }
    }
  }
}

TEST_CASE("ScanCheck: a grey picture, and 4:2:2 and 4:4:4 ones, pass") {
  std::minstd_rand random(1);
  std::vector<std::uint8_t> noise(3 * 64 * 50);
  for (auto& byte : noise) byte = static_cast<std::uint8_t>(random() >> 8);
  jpeg::Encoder encoder;
  for (const auto sampling :
       {jpeg::Sampling::Gray, jpeg::Sampling::Yuv420, jpeg::Sampling::Yuv422, jpeg::Sampling::Yuv444}) {
    CAPTURE(static_cast<int>(sampling));
    const auto* const at = noise.data();
    const auto jpeg =
        encoder.encode_planes({{64, 50}, sampling, {at, at + 64 * 50, at + 2 * 64 * 50}, {64, 64, 64}}, 95);
    REQUIRE(jpeg.has_value());
    CHECK(jpeg::ScanCheck().check(jpeg->view()) == Verdict::Whole);
  }
}

TEST_CASE("ScanCheck: blocks that jump between white and black pass at every quality") {
  std::vector<std::uint8_t> luma;
  for (int y = 0; y < 64; ++y) {
    for (int x = 0; x < 64; ++x) luma.push_back((x / 8 + y / 8) % 2 == 0 ? 255 : 0);
  }
  jpeg::Encoder encoder;
  for (int quality = 1; quality <= 100; ++quality) {
    CAPTURE(quality);
    const auto jpeg = encoder.encode_planes(
        {{64, 64}, jpeg::Sampling::Yuv444, {luma.data(), luma.data(), luma.data()}, {64, 64, 64}}, quality);
    REQUIRE(jpeg.has_value());
    CHECK(jpeg::ScanCheck().check(jpeg->view()) == Verdict::Whole);
  }
}

TEST_CASE("ScanCheck: a mean that no picture has is noticed in each component") {
  std::vector<std::uint8_t> bright(64 * 64, 250);
  const std::vector<std::uint8_t> middle(64 * 64, 128);
  jpeg::Encoder encoder;
  for (const std::size_t component : {0u, 1u, 2u}) {
    CAPTURE(component);
    std::array<const std::uint8_t*, 3> planes = {middle.data(), middle.data(), middle.data()};
    planes[component] = bright.data();
    const auto whole = encoder.encode_planes({{64, 64}, jpeg::Sampling::Yuv444, planes, {64, 64, 64}}, 90);
    std::string jpeg(as_text(whole.value().view()));
    REQUIRE(check(jpeg) == Verdict::Whole);
    // The same means in units that are many times as large.
    for (auto at = jpeg.find("\xFF\xDB"); at != std::string::npos; at = jpeg.find("\xFF\xDB", at + 2))
      jpeg[at + 5] = '\xFF';
    CHECK(check(jpeg) == Verdict::Damaged);
  }
}

TEST_CASE("ScanCheck: the tables of one picture are not taken for those of the next") {
  jpeg::ScanCheck one;
  const std::string usual = test::make_libjpeg({});
  const std::string optimised = test::make_libjpeg({.optimised = true});
  for (int i = 0; i < 3; ++i) {
    CHECK(one.check(as_bytes(usual)) == Verdict::Whole);
    CHECK(one.check(as_bytes(optimised)) == Verdict::Whole);
  }
}

TEST_CASE("ScanCheck: a progressive picture is not looked at") {
  CHECK(check(test::make_libjpeg({.progressive = true})) == Verdict::Unknown);
}

TEST_CASE("ScanCheck: bytes taken out of the middle of a scan are noticed") {
  const std::string jpeg = natural(320, 240);
  const std::size_t from = scan_of(jpeg);
  int noticed = 0;
  int tried = 0;
  for (std::size_t at = from + 100; at + 200 < jpeg.size(); at += 97) {
    std::string broken = jpeg;
    broken.erase(at, 64);
    ++tried;
    noticed += check(broken) == Verdict::Damaged ? 1 : 0;
  }
  REQUIRE(tried > 20);
  MESSAGE("noticed " << noticed << " of " << tried);
  CHECK(noticed * 100 >= tried * 98);
}

TEST_CASE("ScanCheck: 64 falsified bytes are noticed nearly always") {
  const std::string jpeg = natural(640, 480);
  const std::size_t from = scan_of(jpeg);
  int noticed = 0;
  int tried = 0;
  for (std::size_t at = from + 100; at + 200 < jpeg.size(); at += 197) {
    std::string broken = jpeg;
    for (std::size_t i = at; i < at + 64; ++i) broken[i] = static_cast<char>(broken[i] ^ 0x5A);
    ++tried;
    noticed += check(broken) != Verdict::Whole ? 1 : 0;
  }
  MESSAGE("noticed " << noticed << " of " << tried);
  CHECK(noticed * 100 >= tried * 98);
}

TEST_CASE("ScanCheck: a scan that ends early, and one that goes on, are noticed; zeros behind it are not minded") {
  const std::string jpeg = test::make_libjpeg({.width_px = 320, .height_px = 240});
  const std::string body = jpeg.substr(0, jpeg.size() - 2);
  CHECK(check(body.substr(0, body.size() - 40) + "\xFF\xD9") == Verdict::Damaged);
  CHECK(check(body + "some more data" + "\xFF\xD9") == Verdict::Damaged);
  CHECK(check(body + std::string(16, '\0') + "\xFF\xD9") == Verdict::Whole);
  CHECK(check(body + "\xFF\xFF\xD9") == Verdict::Whole);  // a fill byte
}

TEST_CASE("ScanCheck: a restart marker out of turn is noticed") {
  std::string jpeg = test::make_libjpeg({.restart_mcus = 2});
  const auto at = jpeg.find("\xFF\xD1");
  REQUIRE(at != std::string::npos);
  jpeg[at + 1] = '\xD5';
  CHECK(check(jpeg) == Verdict::Damaged);
}

TEST_CASE("ScanCheck: whatever the bytes are, it ends") {
  const std::string jpeg = test::make_libjpeg({.width_px = 64, .height_px = 64});
  std::minstd_rand random(7);
  for (int round = 0; round < 3000; ++round) {
    std::string broken = jpeg;
    for (int i = 0; i < 4; ++i) broken[2 + random() % (broken.size() - 4)] = static_cast<char>(random() >> 8);
    (void)check(broken);
    (void)check(broken.substr(0, random() % broken.size()));
  }
}

}  // namespace
