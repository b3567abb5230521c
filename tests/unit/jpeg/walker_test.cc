#include "jpeg/walker.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/jpegs.h"
#include "support/libjpeg.h"

namespace {

using namespace fp;
using namespace std::string_literals;
using jpeg::Walker;
using Status = jpeg::Walker::Status;
using test::make_jpeg;
using test::make_libjpeg;

struct Named {
  const char* name;
  std::string jpeg;
};

// One of each kind that the walker must know.
std::vector<Named> all_kinds() {
  return {
      {"baseline", make_libjpeg({.width_px = 32, .height_px = 24})},
      {"optimised tables", make_libjpeg({.optimised = true, .width_px = 32, .height_px = 24})},
      {"progressive", make_libjpeg({.progressive = true, .width_px = 32, .height_px = 24})},
      {"restart intervals", make_libjpeg({.restart_mcus = 1, .width_px = 64, .height_px = 48})},
      {"a thumbnail inside", test::with_thumbnail(make_jpeg(1), make_jpeg(2, 16, 16))},
      {"no Huffman tables", test::without_huffman_tables(make_jpeg(3))},
  };
}

Status walk_all(Walker& walker, const std::string& bytes) { return walker.walk(as_bytes(bytes)); }

// Offset of the first segment with this marker.
std::size_t find_marker(const std::string& jpeg, int code) {
  const std::size_t at = jpeg.find(std::string("\xFF") + static_cast<char>(code));
  REQUIRE(at != std::string::npos);
  return at;
}

TEST_CASE("Walker: a whole JPEG of any kind ends behind its EOI") {
  for (const auto& [name, jpeg] : all_kinds()) {
    CAPTURE(name);
    Walker walker;
    CHECK(walk_all(walker, jpeg + "junk behind it") == Status::Done);
    CHECK(walker.end() == jpeg.size());
  }
}

TEST_CASE("Walker: a JPEG cut off at any byte is not whole") {
  for (const auto& [name, jpeg] : all_kinds()) {
    CAPTURE(name);
    for (std::size_t size = 0; size < jpeg.size(); ++size) {
      Walker walker;
      const Status status = walk_all(walker, jpeg.substr(0, size));
      if (status == Status::Done) FAIL_CHECK("done after " << size << " of " << jpeg.size() << " bytes");
    }
  }
}

TEST_CASE("Walker: a JPEG cut off at any byte may still become whole") {
  for (const auto& [name, jpeg] : all_kinds()) {
    CAPTURE(name);
    for (std::size_t size = 0; size < jpeg.size(); ++size) {
      Walker walker;
      const Status status = walk_all(walker, jpeg.substr(0, size));
      if (status != Status::More)
        FAIL_CHECK("given up after " << size << " of " << jpeg.size() << " bytes: " << walker.reason());
    }
  }
}

TEST_CASE("Walker: byte by byte it finds the same as at once") {
  for (const auto& [name, jpeg] : all_kinds()) {
    CAPTURE(name);
    Walker whole;
    REQUIRE(walk_all(whole, jpeg) == Status::Done);
    Walker slow;
    Status status = Status::More;
    std::size_t fed = 0;
    while (status == Status::More && fed < jpeg.size()) status = slow.walk(as_bytes(jpeg).first(++fed));
    CHECK(status == Status::Done);
    CHECK(fed == jpeg.size());
    CHECK(slow.end() == whole.end());
    CHECK(slow.info().width_px == whole.info().width_px);
    CHECK(slow.info().first_scan_offset == whole.info().first_scan_offset);
    CHECK(slow.info().huffman_tables == whole.info().huffman_tables);
  }
}

TEST_CASE("Walker: says what the segments say of a baseline picture") {
  const std::string jpeg = make_libjpeg({.width_px = 70, .height_px = 50});
  Walker walker;
  REQUIRE(walk_all(walker, jpeg) == Status::Done);
  const jpeg::Info& info = walker.info();
  CHECK(info.width_px == 70);
  CHECK(info.height_px == 50);
  CHECK(info.components == 3);
  CHECK(info.sof == 0);
  CHECK(info.huffman_tables);
  CHECK(info.quantisation_tables);
  CHECK_FALSE(info.adobe_app14);
  CHECK(info.restart_interval_mcus == 0);
  CHECK(info.sof_offset == find_marker(jpeg, 0xC0));
  CHECK(info.first_scan_offset == find_marker(jpeg, 0xDA));
}

TEST_CASE("Walker: a progressive picture is known by its SOF, and its first scan is the first of many") {
  const std::string jpeg = make_libjpeg({.progressive = true});
  Walker walker;
  REQUIRE(walk_all(walker, jpeg) == Status::Done);
  CHECK(walker.info().sof == 2);
  CHECK(walker.info().first_scan_offset == find_marker(jpeg, 0xDA));
  CHECK(jpeg.find("\xFF\xDA", walker.info().first_scan_offset + 2) != std::string::npos);
}

TEST_CASE("Walker: the restart interval is told, and restart markers do not end the scan") {
  const std::string jpeg = make_libjpeg({.restart_mcus = 2});
  REQUIRE(jpeg.find("\xFF\xD0") != std::string::npos);
  Walker walker;
  REQUIRE(walk_all(walker, jpeg) == Status::Done);
  CHECK(walker.info().restart_interval_mcus == 2);
  CHECK(walker.end() == jpeg.size());
}

TEST_CASE("Walker: tables are missing where a camera left them out") {
  Walker walker;
  REQUIRE(walk_all(walker, test::without_huffman_tables(make_jpeg(1))) == Status::Done);
  CHECK_FALSE(walker.info().huffman_tables);
}

TEST_CASE("Walker: the EOI of an EXIF thumbnail is not the end, nor its size the picture's") {
  const std::string jpeg = test::with_thumbnail(make_jpeg(1, 48, 32), make_jpeg(2, 16, 16));
  Walker walker;
  REQUIRE(walk_all(walker, jpeg) == Status::Done);
  CHECK(walker.end() == jpeg.size());
  CHECK(walker.info().width_px == 48);
  CHECK(walker.info().height_px == 32);
}

TEST_CASE("Walker: Adobe's APP14 is noticed, another APP14 is not") {
  const std::string jpeg = make_jpeg(1);
  const auto with_app14 = [&](const std::string& name) {
    return jpeg.substr(0, 2) + "\xFF\xEE\x00\x0E"s + name + "\x00\x64\x00\x00\x00\x00\x01"s + jpeg.substr(2);
  };
  Walker adobe;
  REQUIRE(walk_all(adobe, with_app14("Adobe")) == Status::Done);
  CHECK(adobe.info().adobe_app14);
  Walker other;
  REQUIRE(walk_all(other, with_app14("Abode")) == Status::Done);
  CHECK_FALSE(other.info().adobe_app14);
}

TEST_CASE("Walker: fill bytes may stand in front of any marker") {
  const std::string jpeg = make_jpeg(1);
  std::string filled = jpeg.substr(0, 2);
  std::size_t at = 2;
  const std::size_t scan = find_marker(jpeg, 0xDA);
  while (at < scan) {
    const std::size_t length = 2 + (static_cast<std::size_t>(static_cast<unsigned char>(jpeg[at + 2])) << 8) +
                               static_cast<unsigned char>(jpeg[at + 3]);
    filled += "\xFF\xFF\xFF" + jpeg.substr(at, length);
    at += length;
  }
  filled += "\xFF" + jpeg.substr(scan, jpeg.size() - 2 - scan) + "\xFF\xFF\xFF\xD9";
  for (std::size_t portion : {std::size_t{1}, filled.size()}) {
    CAPTURE(portion);
    Walker walker;
    Status status = Status::More;
    for (std::size_t fed = portion; status == Status::More && fed <= filled.size(); fed += portion) {
      status = walker.walk(as_bytes(filled).first(fed));
    }
    CHECK(status == Status::Done);
    CHECK(walker.end() == filled.size());
  }
}

TEST_CASE("Walker: fill bytes do not move what the offsets point at") {
  const std::string jpeg = make_jpeg(1);
  const std::size_t scan = find_marker(jpeg, 0xDA);
  const std::string filled = jpeg.substr(0, scan) + "\xFF\xFF" + jpeg.substr(scan);
  Walker walker;
  REQUIRE(walk_all(walker, filled) == Status::Done);
  CHECK(filled.substr(walker.info().first_scan_offset, 2) == "\xFF\xDA");
}

TEST_CASE("Walker: bytes that do not begin with SOI are refused at once") {
  for (const std::string& bytes : {"hello"s, "\xFF\xD9"s, "\xD8\xFF"s, std::string(100, '\0'), "<html>"s}) {
    CAPTURE(bytes);
    Walker walker;
    CHECK(walk_all(walker, bytes) == Status::Bad);
    CHECK(walker.position() == 0);
    CHECK(std::string(walker.reason()) == "no SOI marker at its start");
  }
}

TEST_CASE("Walker: what does not hang together is refused with a reason") {
  const std::string jpeg = make_jpeg(1);
  const std::size_t sof = find_marker(jpeg, 0xC0);
  const std::size_t scan = find_marker(jpeg, 0xDA);
  const std::size_t sof_bytes = 2 + static_cast<unsigned char>(jpeg[sof + 3]);
  const auto with = [&](std::size_t at, const std::string& bytes) {
    std::string changed = jpeg;
    changed.replace(at, bytes.size(), bytes);
    return changed;
  };
  const std::vector<Named> cases = {
      {"two SOF segments", jpeg.substr(0, sof + sof_bytes) + jpeg.substr(sof)},
      {"a picture with no size", with(sof + 5, "\0\0"s)},
      {"a picture with no size", with(sof + 7, "\0\0"s)},
      {"a scan before SOF", jpeg.substr(0, sof) + jpeg.substr(sof + sof_bytes)},
      {"EOI before any scan", jpeg.substr(0, scan) + "\xFF\xD9"},
      {"EOI before any scan", "\xFF\xD8\xFF\xD9"},
      {"a segment shorter than its own length", "\xFF\xD8\xFF\xE0\x00\x01"s + jpeg.substr(2)},
      {"a SOF segment that is too short", "\xFF\xD8\xFF\xC0\x00\x04\x08\x00"s + jpeg.substr(2)},
      {"a SOF segment that is too short", with(sof + 9, "\x09")},  // nine components announced, three there
      {"a SOF segment that is too short", with(sof + 9, "\0"s)},   // none
      {"no marker where a segment must begin", "\xFF\xD8hello"},
      {"another picture begins inside this one", "\xFF\xD8" + jpeg},
      {"a marker that may not stand there", "\xFF\xD8\xFF\xD0" + jpeg.substr(2)},
      {"a marker that may not stand there", "\xFF\xD8\xFF"s + "\0"s + jpeg.substr(2)},
  };
  for (const auto& [reason, bytes] : cases) {
    CAPTURE(reason);
    Walker walker;
    CHECK(walk_all(walker, bytes) == Status::Bad);
    CHECK(std::string(walker.reason()) == reason);
  }
}

TEST_CASE("Walker: a scan that runs into the next picture's SOI is damaged there") {
  const std::string jpeg = make_jpeg(1);
  const std::string cut = jpeg.substr(0, jpeg.size() - 10);
  Walker walker;
  CHECK(walk_all(walker, cut + jpeg) == Status::Bad);
  CHECK(walker.position() == cut.size());
}

TEST_CASE("Walker: once done or bad it stays so, whatever else comes") {
  const std::string jpeg = make_jpeg(1);
  Walker done;
  REQUIRE(walk_all(done, jpeg) == Status::Done);
  CHECK(walk_all(done, jpeg + jpeg) == Status::Done);
  CHECK(done.end() == jpeg.size());
  Walker bad;
  REQUIRE(walk_all(bad, "no") == Status::Bad);
  CHECK(walk_all(bad, "no" + jpeg) == Status::Bad);
}

TEST_CASE("Walker: no JPEG with a byte changed makes it read past the end or find an end behind the bytes") {
  const std::string jpeg = make_libjpeg({.progressive = true, .width_px = 16, .height_px = 16});
  for (std::size_t at = 0; at < jpeg.size(); ++at) {
    for (const char value : {'\x00', '\xFF', '\xD9', '\x7F'}) {
      const std::string changed = jpeg.substr(0, at) + value + jpeg.substr(at + 1);
      Walker walker;
      if (walk_all(walker, changed) == Status::Done && walker.end() > changed.size())
        FAIL_CHECK("an end behind the bytes");
      if (walker.position() > changed.size()) FAIL_CHECK("a position behind the bytes");
    }
  }
}

}  // namespace
