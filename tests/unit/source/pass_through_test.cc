#include "source/pass_through.h"

#include <doctest/doctest.h>

#include <string>

#include "support/jpegs.h"
#include "support/libjpeg.h"

namespace {

using namespace fp;

PassThrough::Passed pass(const std::string& jpeg) { return PassThrough().pass(as_bytes(jpeg)); }

// As UVC cameras send pictures.
std::string without_tables(std::string jpeg) {
  for (auto at = jpeg.find("\xFF\xC4"); at != std::string::npos; at = jpeg.find("\xFF\xC4", at)) {
    const auto high = static_cast<unsigned char>(jpeg[at + 2]);
    const auto low = static_cast<unsigned char>(jpeg[at + 3]);
    jpeg.erase(at, 2 + (std::size_t{high} << 8 | low));
  }
  return jpeg;
}

TEST_CASE("PassThrough: a whole picture passes byte for byte, from memory that is used again") {
  const std::string whole = test::make_libjpeg({.width_px = 320, .height_px = 240});
  std::string memory = whole;
  const auto passed = PassThrough().pass(as_bytes(memory));
  memory.assign(memory.size(), '\0');
  CHECK_FALSE(passed.skip);
  CHECK(as_text(passed.jpeg.view()) == whole);
  CHECK(passed.info.width_px == 320);
}

TEST_CASE("PassThrough: padding behind the picture is cut off") {
  const std::string whole = test::make_libjpeg({});
  CHECK(as_text(pass(whole + std::string(700, '\0')).jpeg.view()) == whole);
}

TEST_CASE("PassThrough: a camera's picture gets the standard tables that it lacks, and is checked with them") {
  const std::string bare = without_tables(test::make_libjpeg({.width_px = 320, .height_px = 240}));
  const auto passed = pass(bare);
  CHECK_FALSE(passed.skip);
  CHECK(passed.info.huffman_tables);
  CHECK(passed.jpeg.size() == bare.size() + jpeg::standard_huffman_tables().size());
  std::string broken = bare;
  broken.erase(broken.size() - 42, 40);
  CHECK(pass(broken).skip == Skip::Corrupt);
}

TEST_CASE("PassThrough: what is no whole picture does not come out, and it is said why") {
  const std::string whole = test::make_libjpeg({.width_px = 320, .height_px = 240});
  CHECK(pass(whole.substr(0, whole.size() / 2)).skip == Skip::Truncated);
  CHECK(pass("GIF89a and so on").skip == Skip::NotJpeg);
  std::string broken = whole;
  broken.erase(broken.size() - 42, 40);
  const auto passed = pass(broken);
  CHECK(passed.skip == Skip::Corrupt);
  CHECK(passed.jpeg.empty());
}

}  // namespace
