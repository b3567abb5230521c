#include "jpeg/hygiene.h"

#include <doctest/doctest.h>

#include <string>

#include "support/jpegs.h"
#include "support/libjpeg.h"

namespace {

using namespace fp;
using test::decode;
using test::make_libjpeg;

Blob blob(const std::string& bytes) { return Blob::copy_of(as_bytes(bytes)); }
std::string text(const Blob& bytes) { return std::string(as_text(bytes.view())); }

TEST_CASE("clean: a JPEG with nothing to mend keeps its very bytes, where they are") {
  for (const bool progressive : {false, true}) {
    CAPTURE(progressive);
    const Blob jpeg = blob(make_libjpeg({.progressive = progressive, .optimised = true}));
    const auto clean = jpeg::clean(jpeg);
    REQUIRE(clean.has_value());
    CHECK(clean->jpeg.data() == jpeg.data());
    CHECK(clean->jpeg.size() == jpeg.size());
    CHECK(clean->padding_bytes == 0);
    CHECK_FALSE(clean->tables_inserted);
  }
}

TEST_CASE("clean: what follows EOI is cut off and counted") {
  const std::string jpeg = test::make_jpeg(1);
  const auto clean = jpeg::clean(blob(jpeg + std::string(333, '\0')));
  REQUIRE(clean.has_value());
  CHECK(text(clean->jpeg) == jpeg);
  CHECK(clean->padding_bytes == 333);
}

TEST_CASE("clean: a second JPEG behind the first is padding") {
  const std::string jpeg = test::make_jpeg(1);
  const auto clean = jpeg::clean(blob(jpeg + test::make_jpeg(2)));
  REQUIRE(clean.has_value());
  CHECK(text(clean->jpeg) == jpeg);
}

TEST_CASE("clean: a camera's JPEG without Huffman tables decodes to the same pixels once they are put in") {
  const std::string whole = make_libjpeg({.width_px = 123, .height_px = 77});
  const auto clean = jpeg::clean(blob(test::without_huffman_tables(whole)));
  REQUIRE(clean.has_value());
  CHECK(clean->tables_inserted);
  const auto expected = decode(whole);
  const auto seen = decode(text(clean->jpeg));
  CHECK(seen.warnings == 0);
  CHECK(seen.width_px == 123);
  CHECK(seen.rgb == expected.rgb);
}

TEST_CASE("clean: the tables that are put in are the only change") {
  const std::string bare = test::without_huffman_tables(test::make_jpeg(1));
  const auto clean = jpeg::clean(blob(bare));
  REQUIRE(clean.has_value());
  const std::string tables(as_text(jpeg::standard_huffman_tables()));
  std::string seen = text(clean->jpeg);
  const std::size_t at = seen.find(tables);
  REQUIRE(at != std::string::npos);
  CHECK(seen.erase(at, tables.size()) == bare);
}

TEST_CASE("clean: tables are put in and padding is cut off at once") {
  const std::string bare = test::without_huffman_tables(test::make_jpeg(1));
  const auto clean = jpeg::clean(blob(bare + "padding"));
  REQUIRE(clean.has_value());
  CHECK(clean->padding_bytes == 7);
  CHECK(clean->jpeg.size() == bare.size() + jpeg::standard_huffman_tables().size());
}

TEST_CASE("clean: what it says of a mended JPEG is what a walk over it finds") {
  const auto clean = jpeg::clean(blob(test::without_huffman_tables(test::make_jpeg(1))));
  REQUIRE(clean.has_value());
  jpeg::Walker walker;
  REQUIRE(walker.walk(clean->jpeg.view()) == jpeg::Walker::Status::Done);
  CHECK(walker.end() == clean->jpeg.size());
  CHECK(clean->info.huffman_tables);
  CHECK(clean->info.first_scan_offset == walker.info().first_scan_offset);
  CHECK(clean->info.sof_offset == walker.info().sof_offset);
  CHECK(clean->info.width_px == walker.info().width_px);
}

TEST_CASE("clean: a mended JPEG has nothing left to mend") {
  const auto once = jpeg::clean(blob(test::without_huffman_tables(test::make_jpeg(1))));
  REQUIRE(once.has_value());
  const auto twice = jpeg::clean(once->jpeg);
  REQUIRE(twice.has_value());
  CHECK(twice->jpeg.data() == once->jpeg.data());
}

TEST_CASE("clean: a progressive picture gets no standard tables, which would be wrong") {
  const std::string bare = test::without_huffman_tables(make_libjpeg({.progressive = true}));
  const auto clean = jpeg::clean(blob(bare));
  REQUIRE(clean.has_value());
  CHECK_FALSE(clean->tables_inserted);
  CHECK(text(clean->jpeg) == bare);
}

TEST_CASE("clean: the standard tables are those of libjpeg") {
  // libjpeg writes the same four, as segments of their own.
  const std::string jpeg = make_libjpeg({});
  const std::string tables(as_text(jpeg::standard_huffman_tables()).substr(4));
  std::string theirs;
  for (std::size_t at = jpeg.find("\xFF\xC4"); at != std::string::npos; at = jpeg.find("\xFF\xC4", at + 2)) {
    const std::size_t length = (static_cast<std::size_t>(static_cast<unsigned char>(jpeg[at + 2])) << 8) +
                               static_cast<unsigned char>(jpeg[at + 3]);
    theirs += jpeg.substr(at + 4, length - 2);
  }
  CHECK(theirs == tables);
}

TEST_CASE("clean: a JPEG that stops too early says after how many bytes") {
  const std::string jpeg = test::make_jpeg(1);
  const auto clean = jpeg::clean(blob(jpeg.substr(0, 200)));
  REQUIRE_FALSE(clean.has_value());
  CHECK(clean.error().kind == Error::Kind::Malformed);
  CHECK(clean.error().text == "cut off after 200 bytes");
}

TEST_CASE("clean: nothing at all is cut off, too") {
  const auto clean = jpeg::clean(Blob());
  REQUIRE_FALSE(clean.has_value());
  CHECK(clean.error().text == "cut off after 0 bytes");
}

TEST_CASE("clean: bytes that are no JPEG are malformed, with the place") {
  const auto clean = jpeg::clean(blob("GIF89a"));
  REQUIRE_FALSE(clean.has_value());
  CHECK(clean.error().kind == Error::Kind::Malformed);
  CHECK(clean.error().text == "no SOI marker at its start (byte 0)");
}

}  // namespace
